"""What several networks are made of: their sizes, checked, and a projection onto components."""
