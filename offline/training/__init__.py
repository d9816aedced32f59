"""Networks fitted to windows, and the bundle that comes of it."""
