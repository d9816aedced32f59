"""Bounds that a recipe, a bundle's card and a session share."""

MOST_S = 3600.0
"""No window, warm-up, baseline or hold is longer, s: no one lies still for so long."""
MOST_RATE = 1000.0
"""Greatest rate of a model, Hz: far beyond what haemodynamics and their devices have."""
