"""What a source meets, reported in the log: each part at most once a second, with a count.

A sender of ten thousand markers a second that are no text must not fill the journal with reports of it.
"""

import threading
from collections.abc import Callable
from dataclasses import replace

import pylsl

from models.outside import printable
from realtime.log import Entry, SourceTrouble

REPORT_EVERY_S = 1.0
"""Local seconds between two entries of one part."""


class Troubles:
    """Collects and reports; may be called from any thread.

    Parameters
    ----------
    emit : callable of Entry
        Takes what is reported.
    clock : callable
        The local clock, s.
    """

    def __init__(self, emit: Callable[[Entry], None], clock: Callable[[], float] = pylsl.local_clock) -> None:
        self._emit = emit
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: dict[str, SourceTrouble] = {}
        self._reported: dict[str, float] = {}
        self._failing: dict[str, str] = {}

    def rejected(self, part: str, reason: str, count: int = 1) -> None:
        """Something that came could not be taken."""
        now = self._clock()
        with self._lock:
            before = self._waiting.get(part)
            known = before.count if before else 0
            self._waiting[part] = SourceTrouble(now, part, printable(reason), known + count)
        self.report()

    def report(self, *, all_of_it: bool = False) -> None:
        """Report what waits, as far as it is time."""
        now = self._clock()
        with self._lock:
            due = [
                part
                for part in self._waiting
                if all_of_it or now - self._reported.get(part, -REPORT_EVERY_S) >= REPORT_EVERY_S
            ]
            for part in due:
                self._reported[part] = now
                self._emit(replace(self._waiting.pop(part), local=now))

    def failed(self, part: str, error: Exception) -> None:
        """A part of the source raised an unexpected error; it is tried again."""
        reason = printable(f"{type(error).__name__}: {error}", 300)
        with self._lock:
            if self._failing.get(part) == reason:
                return
            self._failing[part] = reason
            self._emit(SourceTrouble(self._clock(), part, reason, 0, failing=True))

    def works(self, part: str) -> None:
        """A part of the source works."""
        with self._lock:
            if self._failing.pop(part, None) is not None:
                self._emit(SourceTrouble(self._clock(), part, "", 0))
