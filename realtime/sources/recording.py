"""A recording in memory: what every reader gives and everything that replays takes.

`entries` turns one into the same ordered log that a live session writes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from models.arrays import Bools, Floats
from models.errors import RecordingError
from models.outside import LONGEST_LABEL, printable
from realtime.input_guards.stamps import on_a_clock
from realtime.log import ClockMeasured, Entry, EventReceived, Origin, OriginKind, Received, StreamOpened
from realtime.signal import SignalSpec

if TYPE_CHECKING:
    import mne


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened during a recording.

    Parameters
    ----------
    onset : float
        Seconds, on the recording's clock (that of `Recording.times`).
    label : str
        What happened.
    duration : float
        Seconds; 0 where the file gives none.
    """

    onset: float
    label: str
    duration: float = 0.0

    def __post_init__(self) -> None:
        # Labels of all files come through here, as those of live streams through `lsl.events`.
        object.__setattr__(self, "label", printable(self.label, LONGEST_LABEL))


@dataclass(frozen=True, eq=False)
class Recording:
    """A recorded signal with its events.

    Parameters
    ----------
    name : str
        Short name for messages, usually the file's stem.
    spec : SignalSpec
        Channels, units and nominal rate, as the file declares them.
    data : (n_channels, n_samples) float64
        As measured, in each channel's unit; nothing filtered.
    times : (n_samples,) float64
        Seconds as stamped, **raw**: dejittering is the clock's work, live and offline alike.
    missing : (n_channels, n_samples) bool
        True where the file holds no usable value (NaN, non-positive intensity).
    events : tuple of Event
        In order of onset.
    start_utc : float or None
        Seconds since 1970 at ``times == 0``, where the file says so.
    notes : mapping
        What else the reader learnt (device, terms), JSON types only.  ``remarks``: sentences that a person
        must see; ``lost_share``: part of what the file holds or declares that could not be read, 0 to 1.
    time_uncertainty_s : float, or (n_samples,) float64
        How wrong the comparison of the source's clock with the recorder's may have left all times, or
        each, s.
    pushed : bool
        Whether the stamps came over a wire, where a program may have pushed chunks with one stamp each;
        else each is the file's own.
    """

    name: str
    spec: SignalSpec
    data: Floats
    times: Floats
    missing: Bools
    events: tuple[Event, ...] = ()
    start_utc: float | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)
    time_uncertainty_s: float | Floats = 0.0
    pushed: bool = False

    def __post_init__(self) -> None:
        expected = (len(self.spec), len(self.times))
        if self.data.shape != expected or self.missing.shape != expected:
            raise RecordingError(
                f"Recording {self.name!r} has data {self.data.shape} and missing {self.missing.shape}; "
                f"expected both {expected}: channels by samples."
            )
        if (claims := np.shape(self.time_uncertainty_s)) not in ((), expected[1:]):
            raise RecordingError(
                f"Recording {self.name!r} has time uncertainties {claims}; expected one, or {expected[1]}."
            )

    @property
    def duration(self) -> float:
        """Seconds from the first stamp to the last."""
        return float(self.times[-1] - self.times[0]) if len(self.times) else 0.0

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the reader found wrong or took for granted (``notes["remarks"]``), in its order."""
        found = self.notes.get("remarks", ())
        return tuple(map(str, found)) if isinstance(found, list | tuple) else (str(found),)

    def to_raw(self) -> "mne.io.RawArray":
        """MNE's ``Raw`` of it: see `realtime.sources.mne_raw.to_raw`."""
        from realtime.sources.mne_raw import to_raw

        return to_raw(self)

    @staticmethod
    def from_raw(raw: "mne.io.BaseRaw", *, name: str = "raw") -> "Recording":
        """A recording of MNE's ``Raw``: see `realtime.sources.mne_raw.from_raw`."""
        from realtime.sources.mne_raw import from_raw

        return from_raw(raw, name=name)

    def remarked(self, remarks: Sequence[str]) -> "Recording":
        """The recording with more remarks in its notes, each once."""
        if not remarks:
            return self
        every = list(dict.fromkeys([*self.notes.get("remarks", []), *remarks]))
        return replace(self, notes={**self.notes, "remarks": every})


def entries(recording: Recording, *, chunk_samples: int = 256) -> Iterator[Entry]:
    """The recording as the log of a session that received it.

    Parameters
    ----------
    recording : Recording
        Its clock becomes both the local and the stream's clock.
    chunk_samples : int
        Samples an entry; by the law of chunk invariance it changes nothing but speed.

    Yields
    ------
    Entry
        The stream's opening, then samples and events, and a comparison of the clocks wherever its uncertainty
        changes.  An event comes before the samples of its time, as if it were heard of at once, whatever the
        size of chunks.
    """
    start = float(recording.times[0]) if len(recording.times) and on_a_clock(recording.times[0]) else 0.0
    yield StreamOpened(
        local=start,
        spec=recording.spec,
        origin=Origin(OriginKind.REPLAYED),
        name=recording.name,
        measured=not recording.pushed,
        arrivals=False,
    )
    data = np.where(recording.missing, np.nan, recording.data)
    events = list(recording.events)
    now = start
    n = len(recording.times)
    claims = np.broadcast_to(np.asarray(recording.time_uncertainty_s, dtype=np.float64), (n,))
    changes = [0, *(np.flatnonzero(np.diff(claims)) + 1).tolist()]
    for first, stop in pairwise(sorted({*range(0, n, chunk_samples), *changes, n})):
        if first in changes:
            yield ClockMeasured(now, 0.0, recording.start_utc, float(claims[first]))
        last = float(recording.times[stop - 1])
        until = last if on_a_clock(last) else now
        while events and events[0].onset <= until:
            event = events.pop(0)
            now = max(now, event.onset)
            yield EventReceived(now, event.onset, event.label)
        now = until
        yield Received(now, recording.times[first:stop], data[:, first:stop])
