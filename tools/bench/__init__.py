"""``make bench``: what hemostream costs, measured beside its peers in one run."""
