"""What was measured of a window's signals, and what a window must have to be usable."""
