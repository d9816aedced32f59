"""Cards of bundles: what every card tells, and its two payloads."""
