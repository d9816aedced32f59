"""Samples and comparisons of the clocks, put into the one order in which the log may hold them.

The offset between the clocks is compared every few seconds, so a clock that jumps is found out after
samples of it have come.  What a jump does at once is this: samples seem to arrive far sooner or later
after they were stamped than any before.  So do samples of a device that was frozen.  Only a fresh comparison
distinguishes the two, and until it is there such samples are held back: none is ever put on an offset of
another clock.  A comparison that shows a jump may be wildly wrong itself: it is believed where the samples
jumped as it says, or once a fresh one agrees; until then samples are held back too.  Nothing here reads
a clock or waits.

Stamps that no clock gives, and single ones that leap by hours (`realtime.input_guards.stamps`), are passed on
as they are: the core rejects them, and they show nothing of what is usual.
"""

import math
import threading
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from models.arrays import Floats
from realtime.input_guards.stamps import BELIEVED, LATEST_S, LEAP_S
from realtime.log import ClockMeasured, Entry, Origin, Received, StreamReset
from realtime.stages.base import Reset

SUSPECT_S = 0.5
"""How far a sample's lateness must jump, and leave what was usual, to be suspected, local s.

No computer's clock jumps by less: what makes a monotonic clock jump is sleep, or another machine.
"""
FORGET_S = 60.0
"""Time in which what was usual is forgotten, local s."""
JUMP_S = 0.1
"""An offset that changes by more than this between two comparisons, beyond drift, is another clock's, s.

Comparisons are good to 0.2 ms on a wire and some 10 ms over bad wireless."""
DRIFT = 2e-3
"""Most that two clocks drift apart, seconds a second: twice the worst oscillators."""


class ClockGate:
    """The gate between a connection's threads and the log; may be called from any of them.

    Parameters
    ----------
    emit : callable of Entry
        Takes what may be logged, in order.
    ask : callable
        Asks for a fresh comparison of the clocks; must not block.
    origin : Origin
        How the stream's clock runs.
    first : ClockMeasured
        The comparison at the opening; already logged.
    """

    def __init__(
        self,
        emit: Callable[[Entry], None],
        ask: Callable[[], None],
        *,
        origin: Origin,
        first: ClockMeasured,
    ) -> None:
        self._emit = emit
        self._ask = ask
        self._origin = origin
        self._offset = first
        self._lock = threading.Lock()
        self._unconfirmed: ClockMeasured | None = None  # shows a jump that nothing else confirms
        self._held: list[Received] = []
        self._held_since = 0.0
        self._early = False
        self._closed = False
        self._forget_usual()

    def _forget_usual(self) -> None:
        self._low, self._high = math.inf, -math.inf
        self._last = math.nan
        self._at = 0.0
        self._far = 0  # samples in a row that leapt by hours

    @property
    def holding(self) -> bool:
        """Whether samples wait for a comparison."""
        return bool(self._held)

    def holding_for(self, local: float) -> float:
        """Local seconds for which the oldest of them has waited."""
        with self._lock:
            return local - self._held_since if self._held else 0.0

    def received(self, entry: Received) -> None:
        """Take samples; they are logged now, or behind the next fresh comparison."""
        with self._lock:
            if self._held:
                self._held.append(entry)
                return
            if self._unconfirmed is not None:
                self._early = False
                self._held_since = entry.local
                self._held.append(entry)
                return
            late = self._late(entry)
            at = self._suspect(late) if len(late) > 1 else self._suspect_one(float(late[0]))
            if at is None:
                self._learn(late, entry.local)
                self._emit(entry)
                return
            if at:
                self._learn(late[:at], entry.local)
                self._emit(replace(entry, stamps=entry.stamps[:at], data=entry.data[:, :at]))
            self._early = bool(late[at] < self._low)
            self._held_since = entry.local
            self._held.append(replace(entry, stamps=entry.stamps[at:], data=entry.data[:, at:]))
        self._ask()

    def measured(self, entry: ClockMeasured, *, fresh: bool) -> None:
        """Take a comparison; `fresh` where it was made after it was asked for."""
        with self._lock:
            if self._closed:
                return
            before, self._unconfirmed = self._unconfirmed, None
            jumped = _jumped(self._offset, entry)
            confirmed = fresh and before is not None and not _jumped(before, entry)
            if not jumped or confirmed or self._samples_jumped(entry):
                self._take(entry, jumped=jumped, fresh=fresh)
                return
            self._unconfirmed = entry
        self._ask()

    def _take(self, entry: ClockMeasured, *, jumped: bool, fresh: bool) -> None:
        self._offset = entry
        if jumped:
            self._emit(StreamReset(entry.local, Reset.CLOCK))
            self._forget_usual()
        self._emit(entry)
        if fresh or jumped:
            self._let_go()

    def _samples_jumped(self, entry: ClockMeasured) -> bool:
        """Whether the samples that are held come as late as usual by this comparison, and not by the last."""
        if not self._held or not math.isfinite(self._low):
            return False
        late = float(self._late(self._held[0], entry)[0])
        return self._low - JUMP_S <= late <= self._high + JUMP_S

    def give_up(self) -> None:
        """No comparison is to be had: log what is held back.

        Samples that came late can only have been delayed.  Those that came sooner than any sample
        can are of another clock, or of a device that lies; nothing is joined with them.
        """
        with self._lock:
            self._unconfirmed = None
            if self._held and self._early:
                self._emit(StreamReset(self._held_since, Reset.CLOCK))
            self._let_go()

    def close(self) -> None:
        """Log what is held back; a comparison that comes later is of a connection that is gone."""
        self.give_up()
        with self._lock:
            self._closed = True

    def _let_go(self) -> None:
        if self._far >= BELIEVED:
            self._forget_usual()
        held, self._held = self._held, []
        for entry in held:
            self._learn(self._late(entry), entry.local)
            self._emit(entry)

    def _late(self, entry: Received, by: ClockMeasured | None = None) -> Floats:
        """How long after its stamp each sample came, (n_samples,) local s, by the last comparison or another
        one; NaN where that is no stamp."""
        stream = self._origin
        offset = (by or self._offset).offset
        anchor = stream.anchor + offset
        stamps = entry.stamps + offset
        late: Floats = entry.local - (anchor + (stamps - anchor) / stream.speed)
        late[~(np.abs(stamps) <= LATEST_S)] = np.nan
        return late

    def _suspect(self, late: Floats) -> int | None:
        """The first sample whose lateness jumps out of what was usual; None where none does."""
        if not math.isfinite(self._last):
            return None
        last = self._last
        for i, each in enumerate(late.tolist()):
            if self._is_suspect(each, last):
                return i
            if self._far == 0 and math.isfinite(each):
                last = each
        return None

    def _is_suspect(self, late: float, last: float) -> bool:
        step = abs(late - last)
        if step > LEAP_S:
            self._far += 1
            return self._far >= BELIEVED
        if math.isfinite(step):
            self._far = 0
        return step > SUSPECT_S and (late > self._high + SUSPECT_S or late < self._low - SUSPECT_S)

    def _suspect_one(self, late: float) -> int | None:
        """The same of a single sample, which is what comes at these rates, without arrays: much faster."""
        return 0 if self._is_suspect(late, self._last) else None

    def _learn(self, late: Floats, local: float) -> None:
        if len(late) > 1:
            late = late[np.isfinite(late)]
        if math.isfinite(self._last):
            late = late[np.abs(late - self._last) <= LEAP_S]
        if not len(late) or not math.isfinite(late[-1]):
            return
        self._last = float(late[-1])
        fade = math.exp(-max(local - self._at, 0.0) / FORGET_S)
        lowest, highest = (
            (float(late.min()), float(late.max())) if len(late) > 1 else (self._last, self._last)
        )
        self._low = min(lowest, lowest + (self._low - lowest) * fade if math.isfinite(self._low) else lowest)
        self._high = max(
            highest, highest + (self._high - highest) * fade if math.isfinite(self._high) else highest
        )
        self._at = local


def _jumped(before: ClockMeasured, after: ClockMeasured) -> bool:
    """Whether two comparisons are of different clocks, or one of them is wrong."""
    allowed = JUMP_S + DRIFT * abs(after.local - before.local)
    return abs(after.offset - before.offset) > allowed
