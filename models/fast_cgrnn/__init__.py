"""The CGRNN, computed otherwise: one window at a time as at the bedside, and many of them trained at once."""
