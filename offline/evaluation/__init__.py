"""Evaluation by people that nobody has seen, and what careless protocols would have claimed."""
