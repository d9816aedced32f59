"""Where decisions and the log go: journal, MQTT, JSON lines, an LSL outlet."""

from realtime.sinks.base import Sink

__all__ = ["Sink"]
