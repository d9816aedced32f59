"""Figures of predictions, how sure they are, and what they are compared with."""
