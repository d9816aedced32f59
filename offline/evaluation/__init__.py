"""Evaluation by people whom no fit has seen, and what leakage protocols would have claimed."""
