"""What a marker means, whatever brought it: one meaning for LSL, XDF and every file format.

A marker is an *event*: something began, at a time, under a label.  Streams of markers come in two forms.
An irregular stream sends a sample whenever something happens, so every sample is an event.  A *line* is
sampled all the time and held while something lasts, so only its rising edges are events: samples at which
a value rises to one above zero (as MNE's ``find_events`` has it).

- A stream with a nominal rate is a line.  What is up at its first sample is no event: it began earlier, and
  when is not known (`Marks.up_at_start`).  The onset matrix ``s`` of Homer is a list of marks on the grid of
  the samples, so there the first sample may be one.
- A numeric stream without a rate is read sample by sample, but what repeats the sample before it within
  `SOON_S`, or goes back to rest (zero), is the same event, not another; and once it has stayed at rest for
  two samples it is known as a line.  A text is a line only in a stream with a rate.
- The label is all values of the sample, each without line ends, NULs and blanks around it, joined by a
  space; a whole number is written without decimals (``1``, not ``1.0``).
- Numbers below zero mark what was rejected (Homer writes -1 or -2) and are left out, counted.
- A duration that the source does not give is 0.
"""

import re
from collections.abc import Iterable, Sequence
from math import inf, isfinite
from typing import Any

import numpy as np
import numpy.typing as npt

from models.arrays import Floats

SOON_S = 0.25
"""A numeric stream without a rate that says the same again within this time (s) is held, not sent anew: no
experiment presents two events of one kind so fast, and no trigger line is polled more slowly."""
_SOON_PERIODS = 3.0
"""Of a stream with a rate: samples no more than so many periods from each other are in sequence."""
_LEAST_SOON_S = 1.0
"""... or than this, s."""

_MOST_WHOLE, _MOST_SINGLE = 1e16, 3e38  # above, Python itself writes a power of ten
_AROUND = re.compile(r"^[\s\0\ufeff]+|[\s\0\ufeff]+$")
_WHOLE = re.compile(r"([+-]?[0-9]+)\.0+")


def label_of(values: Iterable[Any]) -> str:
    """The label that a marker's values make.

    Parameters
    ----------
    values : iterable of str or number
        All values of one sample, or the one name that a file gives.

    Returns
    -------
    str
        Empty where none of them says anything (empty texts, NaN).
    """
    return " ".join(text for value in values if (text := _text(value)))


def duration_of(seconds: float) -> float:
    """A duration (s); 0 where what a file holds in its place is none (NaN, below zero)."""
    return float(seconds) if isfinite(seconds) and seconds > 0 else 0.0


class Marks:
    """The events of one marker stream, whose samples may come all at once or one by one.

    Parameters
    ----------
    rate : float
        Nominal rate, Hz; 0 or less for an irregular stream.
    from_rest : bool
        Whether what is up at the first sample of a line began there.
    """

    def __init__(self, rate: float = 0.0, *, from_rest: bool = False) -> None:
        self._regular = rate > 0
        self._soon_s = max(_LEAST_SOON_S, _SOON_PERIODS / rate) if self._regular else SOON_S
        self._line = False  # whether it is known to be held between events
        self._last: Floats | None = np.zeros(1) if from_rest else None
        self._last_label, self._numbered = "", 0  # of texts
        self._last_time = -inf
        self._waiting: tuple[float, str] | None = None  # the first sample, until the second is there
        self.rejected = 0
        """Onsets that were marked as rejected, so far."""
        self.up_at_start = ""
        """What a line held at its first sample, which had begun before; empty where it was at rest."""

    def take(
        self, rows: Sequence[Sequence[Any]] | npt.NDArray[Any], times: Floats
    ) -> list[tuple[float, str]]:
        """Onset (s) and label of the events in the next samples.

        Parameters
        ----------
        rows : sequence of n_samples rows of texts or numbers, or (n_samples, n_channels) array
            The samples, in the order of arrival.
        times : (n_samples,) float64
            Their stamps, s.
        """
        if not len(rows) or not len(rows[0]):
            return []
        text = isinstance(rows[0][0], str)
        kept = np.isfinite(times)
        if not text:
            values = np.asarray(rows, dtype=np.float64)
            kept &= np.isfinite(values).any(axis=1)  # NaN is no word of the sender's
        else:
            values = self._coded([label_of(row) for row in rows])
        numbers = np.flatnonzero(kept)
        if not len(numbers):
            return []
        values, times = np.nan_to_num(values[numbers]), times[numbers]
        found = self._first(label_of(rows[numbers[0]]), values, times) if self._regular else []
        onsets = values[:, 0] > 0 if text and not self._regular else self._onsets(values, times)
        found += [(float(times[i]), label_of(rows[numbers[i]])) for i in np.flatnonzero(onsets)]
        return [(time, label) for time, label in found if label]

    def _first(self, label: str, values: Floats, times: Floats) -> list[tuple[float, str]]:
        """The first sample of a stream with a rate: an event only if the second does not follow at once.

        Then the stream has no rate, whatever it says.
        """
        unseen = self._last is None
        if unseen and np.any(values[0] > 0):
            self._waiting = (float(times[0]), label)
        if self._waiting is None or len(times) <= unseen:
            return []
        first, self._waiting = self._waiting, None
        if times[int(unseen)] - first[0] > self._soon_s:
            return [first]
        self.up_at_start = first[1]
        return []

    def _coded(self, labels: Sequence[str]) -> Floats:
        """Texts as numbers (n_samples, 1): 0 where there is none, higher wherever another one begins.

        On a line a text of 0 is rest, as the number is.
        """
        resting = ("", "0") if self._regular else ("",)
        values = []
        for label in labels:
            self._numbered += label != self._last_label
            self._last_label = label
            values.append(0.0 if label in resting else float(self._numbered))
        return np.array(values)[:, None]

    def _onsets(self, values: Floats, times: Floats) -> npt.NDArray[np.bool_]:
        """Which samples (n_samples, n_channels) begin something: (n_samples,) bool."""
        unseen = self._last is None
        last = values[0] if self._last is None else np.broadcast_to(self._last, values[0].shape)
        before = np.concatenate([last[None], values[:-1]])
        soon = np.diff(times, prepend=self._last_time) <= self._soon_s
        self._last, self._last_time = values[-1], float(times[-1])
        up, down = np.any(values > 0, axis=1), np.any(values < 0, axis=1)
        resting = ~up & ~down
        rising = np.any((values > before) & (values > 0), axis=1)
        falling = np.any((values < before) & (values < 0), axis=1) & ~rising
        held = soon & (resting | np.all(values == before, axis=1))
        is_known = soon if self._regular else soon & resting & ~np.any(before, axis=1)
        line = np.logical_or.accumulate(np.concatenate([[self._line], is_known]))[1:]
        self._line = bool(line[-1])
        alone = ~held & (up if self._regular else up | resting)
        onsets: npt.NDArray[np.bool_] = np.where(line, rising, alone)
        rejected = np.where(line, falling, ~held & down & ~up)
        if self._regular and unseen:
            onsets[0] = rejected[0] = False
        self.rejected += int(np.count_nonzero(rejected))
        return onsets


def _text(value: Any) -> str:
    """One value, as a label holds it."""
    if isinstance(value, str):
        text = _AROUND.sub("", value)
        return whole[1] if (whole := _WHOLE.fullmatch(text)) else text
    number = value.item() if isinstance(value, np.generic) else value
    if not isinstance(number, float):
        return str(number)
    if not isfinite(number):
        return ""
    if number == int(number) and abs(number) < _MOST_WHOLE:
        return str(int(number))
    # What was sent as float32 is shown with the digits that it had.
    single = np.float32(number) if abs(number) < _MOST_SINGLE else None
    return str(single) if single is not None and float(single) == number else repr(number)
