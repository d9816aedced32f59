"""Results that must not change: small runs of every command that computes, held to what they gave before.

``python -m tests.pinned --keep FOLDER`` keeps every file of every run, ``--against FOLDER`` compares byte by
byte with a folder that another tree has kept: that is how a change of structure shows that it changed
nothing.  ``--write`` pins the figures anew, after a change that was meant to change them.
"""
