"""A live session: what flows, the causal stages, windows, decisions, and where they go."""
