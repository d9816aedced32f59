"""The networks, one a file, and their registry."""
