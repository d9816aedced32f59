"""Reference to the cue: every channel against what it was just before the last event.

A slow drift, or a level that differs from person to person, hides a response that is small beside it; a
high-pass near the length of a block takes the response away with the drift.  What a channel was in the
seconds before a cue is known when the cue comes, so a live session can subtract it.
"""

from bisect import bisect_left
from collections.abc import Sequence
from math import ceil

import numpy as np

from models.arrays import Bools, Floats
from models.bounds import MOST_S
from models.outside import canonical
from realtime.signal import Chunk, SignalSpec
from realtime.stages import settings
from realtime.stages.base import Reset, State
from realtime.stages.baseline import FrozenBaseline
from realtime.stages.cells import grid_rate, rows_where, usable
from realtime.stages.outline import Outline, check_memory

NAME = "cue_reference"
LATEST_S = 5.0
"""A cue of which is heard later than this is not taken: its past is no longer held."""
MOST_WAITING = 65_536
"""Cues that are announced for times to come; more are not kept."""
LEAST_SHARE = 0.5
"""So much of the seconds before a cue must have been measured, or the channel is missing until the next."""


class CueReference:
    """``x - mean over [t - before_s, t)``, where ``t`` is the last cue.

    The session's first ``before_s`` seconds stand for a first cue, so a session without events is referred
    to how it began; a cue within them is not taken, for its seconds before were not recorded.  A cue counts
    from its own time on; one that is heard late (a marker comes by another stream), from the next sample
    on, with the reference that it would have given in time.  Channels keep kinds and units.

    A gap keeps the reference; any other reset drops it.

    Parameters
    ----------
    spec_in : SignalSpec
        The incoming signal, on a uniform grid.
    before_s : float
        Seconds before a cue.
    events : sequence of str
        What counts as a cue, compared as the events of labels are (`models.outside.canonical`); empty: every
        event.

    Raises
    ------
    RecipeError
        If a setting is wrong.
    SignalError
        If the signal has no rate or no channel.
    """

    delay_s = 0.0

    def __init__(self, spec_in: SignalSpec, *, before_s: float = 5.0, events: Sequence[str] = ()) -> None:
        self.check(Outline.of(spec_in), before_s=before_s, events=events)
        rows_where(NAME, spec_in, lambda _: True, "any kind")
        self.rate = grid_rate(NAME, spec_in)
        self._held = ceil((float(before_s) + LATEST_S) * self.rate) + 1
        check_memory(f"Stage {NAME!r} with before_s = {before_s:g}", 9.0 * self._held * len(spec_in))
        self._before_s, self.warmup_s = float(before_s), float(before_s)
        self._events = frozenset(map(canonical, events))
        self.spec_in = spec_in
        self.spec_out = spec_in
        self._forget()

    @staticmethod
    def check(before: Outline, *, before_s: float = 5.0, events: Sequence[str] = ()) -> Outline:
        """What comes out of a signal of which only this is known (`realtime.stages.outline`)."""
        seconds = settings.number(NAME, "before_s", before_s, above=0, at_most=MOST_S)
        if events:
            settings.strings(NAME, "events", events)
        return before.warmed(seconds)

    def _forget(self) -> None:
        n = len(self.spec_in)
        self._first = FrozenBaseline(
            n, self._before_s, max(1, round(LEAST_SHARE * self._before_s * self.rate))
        )
        self._begin: float | None = None  # of the first sample
        self._cue_time: float | None = None  # of the last cue
        self._reference: Floats = np.full(n, np.nan)  # of the last cue; NaN where it could not be measured
        self._waiting: list[float] = []  # times of cues that no sample has reached
        self._past_times: Floats = np.empty(0)
        self._past: Floats = np.empty((n, 0))  # NaN where missing

    def event(self, time: float, label: str) -> None:
        """Hear of an event.

        Parameters
        ----------
        time : float
            When it was, stream time (s).
        label : str
            What it was.
        """
        if self._events and canonical(label) not in self._events:
            return
        if len(self._past_times) and time < self._past_times[-1] - LATEST_S:
            return
        if self._cue_time is not None and time <= self._cue_time:  # heard of after a later one, or twice
            return
        at = bisect_left(self._waiting, time)
        if at < len(self._waiting) and self._waiting[at] == time:
            return
        self._waiting.insert(at, time)
        del self._waiting[MOST_WAITING:]

    def process(self, chunk: Chunk) -> Chunk:
        """Refer the next samples to the cue before them."""
        if chunk.n_samples == 0:
            return Chunk.empty(self.spec_out)
        if self._begin is None:
            self._begin = float(chunk.times[0])
        measured = usable(chunk)
        data = np.where(measured, chunk.data, np.nan)
        after_first = np.zeros_like(measured)
        if self._cue_time is None:
            after_first = self._first.learn(chunk.times, data, measured)
        out = np.empty_like(data)
        start = 0
        # A cue takes effect at the first sample at or after it, or at the first after it was heard of.
        while start < chunk.n_samples:
            stop = chunk.n_samples
            if self._waiting:
                stop = int(np.searchsorted(chunk.times, self._waiting[0], side="left"))
            if stop > start:
                here = slice(start, min(stop, chunk.n_samples))
                out[:, here] = data[:, here] - self._now(after_first[:, here])
                self._hold(chunk.times[here], data[:, here])
                start = here.stop
            else:
                self._cue(self._waiting.pop(0))
        return Chunk(self.spec_out, out, chunk.times, np.isnan(out))

    def _now(self, after_first: Bools) -> Floats:
        """What is subtracted, (n_channels, n_samples); NaN where it is not known."""
        if self._cue_time is not None:
            return self._reference[:, None]
        return np.where(after_first, self._first.mean[:, None], np.nan)

    def _hold(self, times: Floats, data: Floats) -> None:
        self._past_times = np.concatenate([self._past_times, times])[-self._held :]
        self._past = np.concatenate([self._past, data], axis=1)[:, -self._held :]

    def _cue(self, time: float) -> None:
        if self._begin is None or time - self._before_s < self._begin - 0.5 / self.rate:
            return
        first, stop = np.searchsorted(self._past_times, [time - self._before_s, time], side="left")
        before = self._past[:, first:stop]
        there = ~np.isnan(before)
        count = there.sum(axis=1)
        mean = np.where(there, before, 0.0).sum(axis=1) / np.maximum(count, 1)
        enough = count >= max(1.0, LEAST_SHARE * self._before_s * self.rate)
        self._reference = np.where(enough, mean, np.nan)
        self._cue_time = time

    def reset(self, reason: Reset) -> None:
        """Keep the reference at a gap; drop it at any other reset."""
        if reason != Reset.GAP:
            self._forget()
        else:
            self._first.restart_unfinished()

    def state(self) -> State:
        """The reference, the seconds before, and the cues to come."""
        return {
            **{f"first_{name}": value for name, value in self._first.state().items()},
            "begin": self._begin,
            "cue_time": self._cue_time,
            "reference": self._reference.copy(),
            "waiting": np.array(self._waiting, dtype=np.float64),
            "past_times": self._past_times.copy(),
            "past": self._past.copy(),
        }

    def restore(self, state: State) -> None:
        """Continue from a `state`."""
        self._first.restore({name.removeprefix("first_"): value for name, value in state.items()})
        begin, cue_time = state["begin"], state["cue_time"]
        self._begin = None if begin is None else float(begin)
        self._cue_time = None if cue_time is None else float(cue_time)
        self._reference = np.array(state["reference"], dtype=np.float64)
        self._waiting = np.array(state["waiting"], dtype=np.float64).tolist()
        self._past_times = np.array(state["past_times"], dtype=np.float64)
        self._past = np.array(state["past"], dtype=np.float64)
