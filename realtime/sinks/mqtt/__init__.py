"""Decisions and status over MQTT, and the broker that comes with hemostream."""
