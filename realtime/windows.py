"""Time-true windows: cut by the clock on a grid, with what is known of their measurement.

The grid is anchored at the session's first sample, and anew where a clock reset or another source makes
times start again.  Window ``k`` covers the grid columns ``k * step``
to ``k * step + length`` (exclusive): the half-open time interval ``[t - length, t)``.  Columns that
a long gap skipped are missing; windows that fell wholly into one leave together, once, with
their count.  Windows advance with data only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from models.bounds import MOST_S
from models.errors import RecipeError
from models.networks.parts.montage import Montage
from realtime.pipeline import Piece
from realtime.quality.policy import ChannelMeasurement, Reason, WindowMeasurement, measure_missing
from realtime.signal import SignalSpec
from realtime.stages.outline import check_memory


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """A stretch of the pipeline's output, usable or not.

    Parameters
    ----------
    sequence : int
        Index on the session's grid.
    count : int
        Windows this one stands for; more than 1 only where all fell wholly into a gap.
    start, end : float
        Stream time (s); covers ``[start, end)``.
    data : (n_channels, n_samples) float32, or None
        The network's input, 0 where missing; None where nothing at all was measured.
    measurement : WindowMeasurement
        Coverage and gaps.
    reasons : tuple of Reason
        Why it is not usable; empty where it is.
    rejected_channels : mapping of Reason to tuple of str
        Channels of the network's input that are bad, each under its first reason.  Where the window is
        usable all the same, their rows in the data are 0.
    quality : mapping of str to float or None
        What was measured of the signal behind it (`realtime.decision.Decision`); empty where nothing was.
    novelty : float or None
        How unlike the training it is; None where the bundle has no novelty.
    time_uncertainty_s : float
        Uncertainty of `start` and `end`, as far as the stamps show, s.
    channels : ChannelMeasurement or None
        What is known of each channel; None where the window fell wholly into a gap.
    cue : float or None
        Stream time (s) of the last event before its start that begins a block; None where none was heard
        of, or nothing is made of blocks.
    montage : Montage or None
        Where its channels are, for a model that must be told; None where they are those that it was trained
        on.
    """

    sequence: int
    count: int
    start: float
    end: float
    data: npt.NDArray[np.float32] | None
    measurement: WindowMeasurement
    reasons: tuple[Reason, ...]
    rejected_channels: Mapping[Reason, tuple[str, ...]] = field(default_factory=dict)
    quality: Mapping[str, float | None] = field(default_factory=dict)
    novelty: float | None = None
    time_uncertainty_s: float = 0.0
    channels: ChannelMeasurement | None = None
    cue: float | None = None
    montage: Montage | None = None

    @property
    def usable(self) -> bool:
        """Whether it may be predicted."""
        return not self.reasons


def whole_number(value: float, what: str, rate: float) -> int:
    """Samples in a duration (s) at a rate (Hz); an error that shows all three where it is no whole number."""
    n = round(value * rate)
    if n < 1 or abs(n - value * rate) > 1e-6:
        raise RecipeError(
            f"{what} is {value} s, which is {value * rate:g} samples at {rate:g} Hz; expected a whole number "
            f"of samples, 1 or more. Change it or the rate."
        )
    return n


def check_window(length_s: float, step_s: float, rate: float, n_channels: int = 1) -> None:
    """Refuse windows that are longer than anyone lies still, or that no memory holds.

    Parameters
    ----------
    length_s, step_s : float
        Window length and step, s.
    rate : float
        Of the pipeline's output, Hz.
    n_channels : int
        Of its channels.

    Raises
    ------
    RecipeError
        Says which.
    """
    for what, value in (("length", length_s), ("step", step_s)):
        if not 0.0 < value <= MOST_S:
            raise RecipeError(
                f"The window's {what} is {value!r} s; expected more than 0, at most {MOST_S:g} s."
            )
    # Four windows are held, of a float32 and a flag.
    check_memory(f"Windows of {length_s:g} s at {rate:g} Hz", 20.0 * length_s * rate * n_channels)


class Windows:
    """Cut pieces of the pipeline's output into overlapping windows.

    Parameters
    ----------
    spec : SignalSpec
        The pipeline's output; its rate is the grid's.
    length_s, step_s : float
        Window length and step, s; both a whole number of samples.

    Raises
    ------
    RecipeError
        Length or step is not a whole number of samples.
    """

    def __init__(self, spec: SignalSpec, *, length_s: float, step_s: float) -> None:
        check_window(length_s, step_s, spec.rate, len(spec))
        self.rate = spec.rate
        self.length = whole_number(length_s, "The window's length", spec.rate)
        self.step = whole_number(step_s, "The window's step", spec.rate)
        self._first_sequence = 0
        self.begin(spec)

    def begin(self, spec: SignalSpec) -> None:
        """Start over with these channels, of the same rate; sequence numbers go on."""
        self.spec = spec
        capacity = 4 * self.length
        self._data = np.zeros((len(spec), capacity), dtype=np.float32)
        self._missing = np.ones((len(spec), capacity), dtype=bool)
        self.restart()

    def restart(self) -> None:
        """Anchor the grid anew at the next column; sequence numbers go on."""
        self._anchor: float | None = None
        self._head = 0  # grid column after the last one held
        self._base = 0  # grid column of the buffer's first
        self._filled = 0  # columns in the buffer
        self._next = 0  # index (since the anchor) of the next window to give
        self._sequence_offset = self._first_sequence

    @property
    def next_start(self) -> float | None:
        """Start (s) of the next window to come; None before the grid is anchored."""
        return None if self._anchor is None else self._anchor + self._next * self.step / self.rate

    @property
    def next_end(self) -> float | None:
        """End (s) of the next window to come; None before the grid is anchored."""
        start = self.next_start
        return None if start is None else start + self.length / self.rate

    def process(self, piece: Piece) -> list[Window]:
        """Take a piece of output; give the windows it completes, in order."""
        chunk = piece.chunk
        if chunk.n_samples == 0:
            return []
        if self._anchor is None:
            self._anchor = piece.anchor
        first = round((float(chunk.times[0]) - self._anchor) * self.rate)
        given: list[Window] = []
        if first > self._head:
            given += self._skip_to(first, piece)
        done = 0
        while done < chunk.n_samples:
            # Only up to the end of the next window, so that the buffer stays small.
            wanted = self._next * self.step + self.length - self._head
            take = min(max(wanted, 1), chunk.n_samples - done)
            self._hold(chunk.data[:, done : done + take], chunk.missing[:, done : done + take])
            done += take
            given += self._complete(piece)
        return given

    def _skip_to(self, column: int, piece: Piece) -> list[Window]:
        """Columns up to (not including) this one were lost to a gap."""
        given: list[Window] = []
        lost_from = self._head
        # Windows that reach into the gap but began before it.
        while self._next * self.step < lost_from and self._next * self.step + self.length <= column:
            end = self._next * self.step + self.length
            self._hold_nothing(end - self._head)
            given += self._complete(piece)
        # Windows wholly inside it: one record for all.
        last = (column - self.length) // self.step
        if last >= self._next and self._next * self.step >= lost_from:
            given.append(self._in_gap(last - self._next + 1))
            self._next = last + 1
        if column > self._head:
            self._hold_nothing(column - self._head)
        return given

    def _in_gap(self, count: int) -> Window:
        assert self._anchor is not None
        sequence = self._sequence_offset + self._next
        self._first_sequence = sequence + count
        start = self._anchor + self._next * self.step / self.rate
        last = self._anchor + (self._next + count - 1) * self.step / self.rate
        length_s = self.length / self.rate
        lost = WindowMeasurement(0.0, 0.0, length_s)
        return Window(sequence, count, start, last + length_s, None, lost, (Reason.COVERAGE, Reason.GAP))

    def _hold_nothing(self, n: int) -> None:
        n_kept = min(n, self.length)  # older columns can belong to no window that is still to come
        if n > n_kept:
            self._head += n - n_kept
            self._base = self._head
            self._filled = 0
        channels = len(self.spec)
        self._hold(np.zeros((channels, n_kept)), np.ones((channels, n_kept), dtype=bool))

    def _hold(self, data: npt.NDArray[Any], missing: npt.NDArray[np.bool_]) -> None:
        n = data.shape[1]
        if self._filled + n > self._data.shape[1]:
            self._make_room(n)
        columns = slice(self._filled, self._filled + n)
        self._data[:, columns] = np.where(missing, 0.0, data) if missing.any() else data
        self._missing[:, columns] = missing
        self._filled += n
        self._head += n

    def _make_room(self, n: int) -> None:
        """Forget columns that no window to come can hold."""
        keep_from = max(min(self._next * self.step, self._head) - self._base, 0)
        kept = self._filled - keep_from
        if kept + n > self._data.shape[1]:
            capacity = 2 * (kept + n)
            self._data = np.concatenate(
                [self._data, np.zeros((len(self.spec), capacity), np.float32)], axis=1
            )
            self._missing = np.concatenate([self._missing, np.ones((len(self.spec), capacity), bool)], axis=1)
        self._data[:, :kept] = self._data[:, keep_from : self._filled].copy()
        self._missing[:, :kept] = self._missing[:, keep_from : self._filled].copy()
        self._base += keep_from
        self._filled = kept

    def _complete(self, piece: Piece) -> list[Window]:
        given: list[Window] = []
        while (first := self._next * self.step) + self.length <= self._head:
            given.append(self._cut(first - self._base, piece))
            self._next += 1
        return given

    def _cut(self, at: int, piece: Piece) -> Window:
        assert self._anchor is not None
        sequence = self._sequence_offset + self._next
        self._first_sequence = sequence + 1
        start = self._anchor + self._next * self.step / self.rate
        columns = slice(at, at + self.length)
        missing = self._missing[:, columns]
        measured, coverage, gaps = measure_missing(missing, self.rate)
        why = (Reason.WARMING_UP,) if self._warming_up(start, measured, piece) else ()
        end = start + self.length / self.rate
        data = None if measured.coverage == 0.0 else self._data[:, columns].copy()
        channels = ChannelMeasurement.of_pipeline(coverage, gaps)
        return Window(sequence, 1, start, end, data, measured, why, channels=channels)

    def _warming_up(self, start: float, measured: WindowMeasurement, piece: Piece) -> bool:
        """Inside the declared warm-up; after a gap, only as far as something really is missing."""
        end = start + self.length / self.rate
        if not piece.after_gap:
            return start < piece.warm_from - 0.25 / self.rate
        return measured.coverage < 1.0 and piece.started < end and start < piece.warm_from

    def state(self) -> dict[str, Any]:
        """Everything the future depends on: arrays and JSON values."""
        return {
            "anchor": self._anchor,
            "head": self._head,
            "base": self._base,
            "next": self._next,
            "first_sequence": self._first_sequence,
            "sequence_offset": self._sequence_offset,
            "data": self._data[:, : self._filled].copy(),
            "missing": self._missing[:, : self._filled].copy(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a `state`."""
        self._anchor = state["anchor"]
        self._head = state["head"]
        self._base = state["base"]
        self._next = state["next"]
        self._first_sequence = state["first_sequence"]
        self._sequence_offset = state["sequence_offset"]
        held = state["data"].shape[1]
        self._filled = held
        if held > self._data.shape[1]:
            self._data = np.zeros((len(self.spec), held), dtype=np.float32)
            self._missing = np.ones((len(self.spec), held), dtype=bool)
        self._data[:, :held] = state["data"]
        self._missing[:, :held] = state["missing"]
