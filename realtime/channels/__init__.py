"""What a channel is on other people's wires and in other people's tables, and which is which."""
