"""What a classifier is: networks, one a file, and the bundle that keeps a trained one on disk."""
