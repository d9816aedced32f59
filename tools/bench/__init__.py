"""``make bench``: what hemostream costs, measured against its peers in one run."""
