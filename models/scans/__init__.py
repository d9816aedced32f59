"""What a scan looks like, whatever is predicted of it: measures, and what the training had of them."""
