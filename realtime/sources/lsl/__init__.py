"""Lab Streaming Layer: from a stream that may come, go and lie to entries of the log."""
