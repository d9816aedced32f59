"""Lone cells that were not measured are bridged: one channel, one sample, both its neighbours there."""

import numpy as np

from models.arrays import Bools, Floats
from realtime.signal import Chunk, SignalSpec
from realtime.stages import settings
from realtime.stages.base import Reset, State
from realtime.stages.cells import rows_where, usable
from realtime.stages.outline import Outline

NAME = "bridge"


class Bridge:
    """A lone missing cell lies on the line between the samples before and behind it.

    Of region series a cell is lost now and then (a region outside the field of view in one volume); at some
    seconds a volume that is much of a window.  A cell is bridged if its channel was measured at the sample
    before and is measured at the next one.  A sample of which more than `lost` of the channels are missing
    was lost as a whole (a scrubbed volume) and stays missing, and so does a stretch of two samples.

    A sample with such a cell leaves when the next one has come, all others at once.  At a gap a sample that
    still waits goes; it cannot be known.

    Parameters
    ----------
    spec_in : SignalSpec
        The incoming signal.
    lost : float
        Share of channels, 0 to 1.

    Raises
    ------
    RecipeError
        If `lost` is no share.
    SignalError
        If there is no channel.
    """

    delay_s = 0.0
    warmup_s = 0.0

    def __init__(self, spec_in: SignalSpec, *, lost: float = 0.5) -> None:
        self.check(Outline.of(spec_in), lost=lost)
        rows_where(NAME, spec_in, lambda _: True, "any kind")
        self._lost = float(lost)
        self.spec_in = spec_in
        self.spec_out = spec_in
        self._forget()

    @staticmethod
    def check(before: Outline, *, lost: float = 0.5) -> Outline:
        """What comes out of a signal of which only this is known (`realtime.stages.outline`)."""
        settings.number(NAME, "lost", lost, at_least=0, at_most=1)
        return before

    def _forget(self) -> None:
        n = len(self.spec_in)
        # Behind the last sample that left: its time, values and which were measured; then who waits, if any.
        self._times: Floats = np.zeros(0)
        self._data: Floats = np.zeros((n, 0))
        self._measured: Bools = np.zeros((n, 0), dtype=np.bool_)
        self._left = 0  # how many of these have left: 0 or 1

    def process(self, chunk: Chunk) -> Chunk:
        """Give the samples of which every lone cell's neighbours are known."""
        if chunk.n_samples == 0:
            return Chunk.empty(self.spec_out)
        times = np.concatenate([self._times, chunk.times])
        measured = np.concatenate([self._measured, usable(chunk)], axis=1)
        data = np.concatenate([self._data, np.where(usable(chunk), chunk.data, 0.0)], axis=1)
        whole = (~measured).mean(axis=0) <= self._lost
        lone = ~measured & whole
        lone[:, 1:] &= measured[:, :-1]
        lone[:, 0] = False
        waits = bool(lone[:, -1].any())
        lone[:, :-1] &= measured[:, 1:]
        stop = len(times) - waits
        out, there = data.copy(), measured | lone
        if lone[:, :stop].any():
            rows, at = np.nonzero(lone[:, :stop])
            share = (times[at] - times[at - 1]) / (times[at + 1] - times[at - 1])
            out[rows, at] = data[rows, at - 1] + share * (data[rows, at + 1] - data[rows, at - 1])
        leaving = slice(self._left, stop)
        out[~there] = np.nan
        given = Chunk(self.spec_out, out[:, leaving], times[leaving], ~there[:, leaving])
        kept = slice(max(stop - 1, 0), None)
        self._left = min(stop, 1)
        self._times, self._data, self._measured = times[kept], data[:, kept].copy(), measured[:, kept].copy()
        return given

    def reset(self, reason: Reset) -> None:
        """What was before says nothing about what comes behind a gap."""
        self._forget()

    def state(self) -> State:
        """The last sample that left, and one that waits."""
        return {
            "times": self._times.copy(),
            "data": self._data.copy(),
            "measured": self._measured.copy(),
            "left": self._left,
        }

    def restore(self, state: State) -> None:
        """Continue from the samples of a `state`."""
        self._times = np.array(state["times"], dtype=np.float64)
        self._data = np.array(state["data"], dtype=np.float64)
        self._measured = np.array(state["measured"], dtype=np.bool_)
        self._left = int(state["left"] or 0)
