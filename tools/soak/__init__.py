"""A day of stream time on four beds, accelerated, with faults at random: ``python -m tools.soak``."""
