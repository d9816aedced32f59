"""The models that classify windows, one a file, and their registry.

Kinds are named here, so that a recipe is checked without torch.
"""

RIDGE, LINEAR, MEMORY, LIKENESS = "ridge", "linear", "memory", "likeness"
BLEND, BEST = "blend", "best"
SOLVED_KINDS = (RIDGE, LINEAR, MEMORY, LIKENESS)
"""What is solved for, not trained step by step."""
COMBINED_KINDS = (BLEND, BEST)
"""What is made of other kinds, by people of training who are held out in turn."""
VIRTUAL_PROBE = "virtual_probe"
"""The network that knows where channels are, and leaves out exactly those that are lost."""
