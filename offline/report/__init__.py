"""Results as pages that a clinician can read, as tables for the terminal, and the plots in them.

Everything on a page follows from what a command wrote (``results.json``, ``predictions.csv``, ``run.json``,
``audit.json``, ``sites.json``), so it can be made again at any time, and nothing is on it that is not in
those files. A page is sections (`offline.report.page`); templates turn them into HTML.
"""
