"""A causal filter with carried state for many channels, each started by itself.

Second-order sections, started in the steady state of a channel's first measured sample: to the
filter, the channel has always had that value.  Where nothing is measured, the last value is held;
a channel that was away for too long is started afresh when it comes back.
"""

from collections.abc import Mapping
from itertools import pairwise
from math import inf
from typing import Any

import numpy as np
from scipy.signal import sosfilt, sosfilt_zi

from models.arrays import Bools, Floats
from models.bounds import MOST_S
from models.errors import RecipeError, SignalError

MOST_SAMPLES = 2**22
"""So many samples of a filter's answer are computed at most."""
NEVER = 2**40
"""Samples since a channel was measured, where it never was."""


class CarriedFilter:
    """Second-order sections over many channels.

    Parameters
    ----------
    sos : (n_sections, 6) float64, dimensionless
        As scipy designs them.
    n_channels : int
        Number of channels.
    hold : int
        Missing samples in a row that are bridged with the last value; after more the channel is
        started afresh.
    warmup : int
        Samples after each start of a channel that are declared missing.
    """

    def __init__(self, sos: Floats, n_channels: int, *, hold: int, warmup: int) -> None:
        self._sos = np.ascontiguousarray(sos)
        self._coefficients = self._sos.tolist()
        self._steady = sosfilt_zi(self._sos)  # (n_sections, 2), for a constant 1
        self._hold = hold
        self._warmup = warmup
        self._n_channels = n_channels
        self.restart()

    def restart(self) -> None:
        """Forget everything: each channel starts at its next measured sample."""
        n = self._n_channels
        self._memory: Floats = np.zeros((len(self._sos), 2, n))
        self._last: Floats = np.zeros(n)
        self._lost = np.full(n, NEVER, dtype=np.int64)  # samples in a row without a measurement
        self._age = np.zeros(n, dtype=np.int64)  # samples since the start, as far as the warm-up

    def process(self, data: Floats, measured: Bools) -> tuple[Floats, Bools]:
        """Filter the next samples.

        Parameters
        ----------
        data : (n_channels, n_samples) float64, each channel's unit
            What is not measured is not looked at.
        measured : (n_channels, n_samples) bool
            Cells that may be used.

        Returns
        -------
        filtered : (n_channels, n_samples) float64, each channel's unit
            Without meaning where `missing`.
        missing : (n_channels, n_samples) bool
            Not measured, or within the channel's warm-up.
        """
        if data.shape[1] == 1:
            return self._one(data, measured)
        n_samples = data.shape[1]
        columns = np.arange(n_samples)
        # The last measured column up to each column, -1 where the chunk has none.
        seen = np.maximum.accumulate(np.where(measured, columns, -1), axis=1)
        before = np.concatenate([np.full((len(data), 1), -1), seen[:, :-1]], axis=1)
        lost = np.where(before >= 0, columns - 1 - before, self._lost[:, None] + columns)
        starts = measured & (lost > self._hold)
        held = np.take_along_axis(np.concatenate([self._last[:, None], data], axis=1), seen + 1, axis=1)

        filtered = np.empty_like(held)
        cuts = np.flatnonzero(starts.any(axis=0))
        for begin, end in pairwise(np.unique(np.concatenate([[0], cuts, [n_samples]]))):
            self._start(starts[:, begin], held[:, begin])
            filtered[:, begin:end], memory = sosfilt(
                self._sos, held[:, begin:end], axis=1, zi=self._memory.swapaxes(1, 2)
            )
            self._memory = np.ascontiguousarray(memory.swapaxes(1, 2))

        begun = np.maximum.accumulate(np.where(starts, columns, -1), axis=1)
        age = np.where(begun >= 0, columns - begun, self._age[:, None] + columns)
        missing = ~measured | (age < self._warmup)
        self._age = np.minimum(age[:, -1] + 1, self._warmup)
        self._lost = np.where(
            seen[:, -1] >= 0, n_samples - 1 - seen[:, -1], np.minimum(self._lost + n_samples, NEVER)
        )
        self._last = held[:, -1].copy()
        return filtered, missing

    def _one(self, data: Floats, measured: Bools) -> tuple[Floats, Bools]:
        """`process` for a single sample, as a live stream sends them: the same, with less to set up."""
        here = measured[:, 0]
        self._last = np.where(here, data[:, 0], self._last)
        starts = here & (self._lost > self._hold)
        if starts.any():
            self._start(starts, self._last)
            self._age = np.where(starts, 0, self._age)
        filtered = self._step(self._last)
        missing = ~here | (self._age < self._warmup)
        self._age = np.minimum(self._age + 1, self._warmup)
        self._lost = np.where(here, 0, np.minimum(self._lost + 1, NEVER))
        return filtered[:, None], missing[:, None]

    def _step(self, values: Floats) -> Floats:
        """One step of the transposed direct form, section by section: sosfilt takes longer to call."""
        for (b0, b1, b2, _, a1, a2), memory in zip(self._coefficients, self._memory, strict=True):
            out = values * b0 + memory[0]
            memory[0] = values * b1 - out * a1 + memory[1]
            memory[1] = values * b2 - out * a2
            values = out
        return values

    def _start(self, channels: Bools, values: Floats) -> None:
        """Put channels into the steady state of a value."""
        if channels.any():
            self._memory[:, :, channels] = self._steady[:, :, None] * values[channels]

    def state(self) -> dict[str, Any]:
        """Everything it holds, copied: arrays."""
        return {
            "memory": self._memory.copy(),
            "last": self._last.copy(),
            "lost": self._lost.copy(),
            "age": self._age.copy(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Undo `state`."""
        self._memory = np.array(state["memory"], dtype=np.float64)
        self._last = np.array(state["last"], dtype=np.float64)
        self._lost = np.array(state["lost"], dtype=np.int64)
        self._age = np.array(state["age"], dtype=np.int64)


def check_edge(stage: str, setting: str, edge: float, rate: float) -> None:
    """Refuse an edge (Hz) that no filter at this rate (Hz) can have, or that would take hours to follow.

    Raises
    ------
    RecipeError
        It is too low, whatever the signal.
    SignalError
        The signal comes too slowly for it, or declares no rate.
    """
    if edge < 1.0 / MOST_S:
        raise RecipeError(
            f"Stage {stage!r}: {setting} = {edge!r} Hz; expected {1.0 / MOST_S:.2g} Hz or more: below it a "
            f"single period takes more than {MOST_S:g} s."
        )
    if edge >= rate / 2:
        raise SignalError(
            f"Stage {stage!r} has {setting} = {edge:g} Hz, but its signal comes at {rate:g} Hz; expected an "
            f"edge below half of that, {rate / 2:g} Hz."
        )


def group_delay(sos: Floats, frequency: float, rate: float) -> float:
    """Group delay of second-order sections at one frequency.

    Parameters
    ----------
    sos : (n_sections, 6) float64, dimensionless
        The filter.
    frequency, rate : float
        Hertz.

    Returns
    -------
    float
        Seconds.
    """
    steps = np.arange(3)
    turns = np.exp(-2j * np.pi * frequency / rate * steps)
    # The delay of a polynomial in 1/z is the mean of its powers, weighted by its terms.
    tops, bottoms = sos[:, :3] * turns, sos[:, 3:] * turns
    delays = (tops @ steps) / tops.sum(axis=1) - (bottoms @ steps) / bottoms.sum(axis=1)
    return float(delays.real.sum() / rate)


def settling_time(sos: Floats, rate: float, residue: float = 0.05) -> float:
    """Seconds after a step of one until the filter's answer stays within `residue` of where it ends.

    Parameters
    ----------
    sos : (n_sections, 6) float64, dimensionless
        The filter.
    rate : float
        Hertz.
    residue : float
        Share of the step.

    Returns
    -------
    float
        Seconds; infinite where it would show only after more than `MOST_SAMPLES` samples, or never.
    """
    poles = np.concatenate([np.roots(section) for section in sos[:, 3:]])
    slowest = float(np.abs(poles).max())
    # Thirty times the slowest pole's time constant leaves 1e-13 of it.
    wanted = 30 / -np.log(slowest) if 0 < slowest < 1 else 0.0 if slowest == 0 else np.inf
    if not wanted < MOST_SAMPLES:
        return inf
    n_samples = int(np.ceil(wanted)) + 2
    answer = sosfilt(sos, np.ones(n_samples))
    final = np.prod(sos[:, :3].sum(axis=1) / sos[:, 3:].sum(axis=1))
    outside = np.flatnonzero(np.abs(answer - final) > residue)
    return float((outside[-1] + 1) / rate) if len(outside) else 0.0
