"""From the raw stamps of a source to times that can be trusted, each with how wrong it may be."""

from realtime.clock.clock import Clock
from realtime.clock.report import ClockReport

__all__ = ["Clock", "ClockReport"]
