"""What everything offline stands on; imports nothing else of offline."""
