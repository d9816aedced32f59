"""What a sink is: where decisions leave the session.

A session commits a decision to its journal first and then hands the very same text to every
sink, so whatever a subscriber, a file or a recorder holds is byte for byte what the journal holds.
These are records: they take old decisions as well, in order, stamped with their window's end.  MQTT, of
which people see the latest, separates what is current from what is history (`realtime.sinks.mqtt.sink`).
"""

from typing import Protocol


class Sink(Protocol):
    """Takes decisions."""

    def publish(self, text: str, window_end: float) -> None:
        """Take one decision; return at once, whatever the state of the other side.

        Parameters
        ----------
        text : str
            The decision as `realtime.decision.Decision.to_json` gave it.
        window_end : float
            When its window ended, seconds on the local clock (``pylsl.local_clock``).
        """
        ...
