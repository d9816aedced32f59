"""Where a signal comes from: LSL streams, recordings."""
