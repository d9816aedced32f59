"""One bed: the session, its state and what leaves it."""
