"""The edge between what comes from outside and everything that is computed from it."""
