"""Evaluation by people that nobody has seen, and what leakage protocols would have claimed."""
