"""An evaluation as a page that a clinician can read, and the same as JSON.

Everything on it follows from what the evaluation wrote (``results.json``, ``predictions.csv``, ``run.json``,
``audit.json``), so it can be made again at any time, and nothing is on it that is not in those files.
"""
