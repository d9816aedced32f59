"""What two threads do with one connection: one pulls samples, one compares clocks."""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

import pylsl

from realtime.log import Received, StreamOpened
from realtime.sources.lsl.clock_gate import ClockGate
from realtime.sources.lsl.connection import GONE, StreamConnection
from realtime.sources.lsl.resolve import resolve
from realtime.sources.lsl.search import LOOK_S, MANY
from realtime.sources.lsl.trouble import Troubles
from realtime.sources.stream_choice import alike

CLOCK_EVERY_S = 5.0
"""Local seconds between two comparisons of the clocks."""
HELD_MOST_S = 3.0
"""Longest that samples are held back for a fresh comparison of the clocks, s."""
SILENT_S = 5.0
"""Silence after which it is checked whether another outlet replaced this one, local s ..."""
SILENT_SAMPLES = 10
"""... but not before so many samples are lacking."""
COMPARISONS = "clock comparisons"
"""What they are called where trouble is reported."""


class ConnectionReader:
    """Reads one connection until it ends.

    Parameters
    ----------
    connection : Connection
        Open.
    order : ClockGate
        Takes what they find.
    opened : StreamOpened
        What it is.
    ask : threading.Event
        Set where a comparison is wanted at once.
    troubles : Troubles
        Gets reports where comparing the clocks fails.
    """

    def __init__(
        self,
        connection: StreamConnection,
        order: ClockGate,
        opened: StreamOpened,
        ask: threading.Event,
        troubles: Troubles,
    ) -> None:
        self._connection = connection
        self._order = order
        self._opened = opened
        self._ask = ask
        self._troubles = troubles
        self._ended = threading.Event()
        self._last = pylsl.local_clock()
        rate = opened.spec.rate * opened.origin.speed
        self._silent_s = max(SILENT_S, SILENT_SAMPLES / rate if rate > 0 else 0.0)
        self._elsewhere = ""

    @property
    def elsewhere(self) -> bool:
        """Whether it ended since another outlet replaced this one, which may still be there."""
        return bool(self._elsewhere)

    def end(self) -> None:
        """End the comparisons."""
        self._ended.set()
        self._ask.set()

    def pull(self, stopped: Callable[[], bool]) -> str:
        """Hand on samples until the connection ends; give the reason."""
        while not stopped():
            entry = self._connection.pull()
            if self._connection.was_replaced():
                self._order.give_up()
                return "liblsl connected to another outlet by itself" + self._without(
                    [entry] if entry else []
                )
            if entry is not None:
                self._last = entry.local
                self._order.received(entry)
            elif self._connection.is_lost():
                return self._take_last()
            elif self._elsewhere:
                return self._elsewhere
            if self._order.holding_for(pylsl.local_clock()) > HELD_MOST_S:
                self._order.give_up()
        self._order.give_up()
        return ""

    def _take_last(self) -> str:
        why = "the outlet closed, or the connection to it broke"
        while entries := self._connection.pull_last():
            if self._connection.was_replaced():
                why += self._without(entries)
                break
            for entry in entries:
                self._order.received(entry)
        if self._connection.discarded:
            why += (
                f"; {self._connection.discarded} samples that had arrived were lost with it, since liblsl "
                "keeps nothing of a stream without a source_id"
            )
        self._order.give_up()
        return why

    def _without(self, entries: Sequence[Received]) -> str:
        """What to say of samples that may be of either outlet; those that still wait are given up, too."""
        number = sum(len(entry.stamps) for entry in entries) + self._connection.waiting()
        return f"; {number} samples that may be of either were left out" if number else ""

    def compare(self, predicate: str) -> None:
        """Compare the clocks on our own schedule, and at once where that is asked for."""
        while not self._ended.is_set():
            asked = self._ask.wait(CLOCK_EVERY_S)
            self._ask.clear()
            if self._ended.is_set():
                return
            try:
                self._compare_once(fresh=asked)
                if pylsl.local_clock() - self._last > self._silent_s:
                    self._look_elsewhere(predicate)
                self._troubles.works(COMPARISONS)
            except Exception as error:  # noqa: BLE001 - it is reported, and tried again
                self._troubles.failed(COMPARISONS, error)
                self._order.give_up()

    def _compare_once(self, *, fresh: bool) -> None:
        if not fresh:
            # Without an answer the last offset holds; the stall itself is reported by the session's timer.
            with suppress(*GONE):
                self._order.measured(self._connection.measure(), fresh=False)
            return
        measured = self._connection.measure_afresh(HELD_MOST_S)
        if measured is None:
            self._order.give_up()
        else:
            self._order.measured(measured, fresh=True)

    def _look_elsewhere(self, predicate: str) -> None:
        """Whether another outlet replaced one that is silent; a frozen one is waited for."""
        ours = self._connection.found
        if not ours.source_id():
            return
        predicate = f"({predicate}) and {alike('source_id', ours.source_id())}"
        found = resolve(predicate, minimum=MANY, timeout=LOOK_S)
        same = {info.uid() for info in found if info.source_id() == ours.source_id()}
        # Ours may hang and still answer; when it was chosen, nothing else matched.
        if same - {ours.uid()}:
            self._elsewhere = "nothing came any more, and another outlet with the same source_id is there"
