"""What a journal holds of one run, counted: the figures of a session's page.

One pass over the log and one over the decisions; nothing of it grows with the session but one number a
decision and one a volume.
"""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np

from models.arrays import Floats
from models.errors import JournalError, StreamError
from realtime.channels.stream_xml import read_stream_xml
from realtime.decision import Decision
from realtime.log import (
    ClockMeasured,
    EventReceived,
    Received,
    SessionStarted,
    SourceTrouble,
    StreamLost,
    StreamOpened,
    StreamReset,
)
from realtime.signal import CONFOUNDS, Kind
from realtime.sinks.journal.format import Loss
from realtime.sinks.journal.reader import journal_runs, read_decisions, read_journal_entries, read_losses

GAP_PERIODS = 1.5
"""Samples that lie further apart than so many of their usual periods have others missing between them."""


@dataclass(eq=False)
class SessionData:
    """One run.

    Parameters
    ----------
    started : SessionStarted
        Who, and with which bundle.
    streams : list of StreamOpened
        In order.
    stamps : (n_samples,) float64
        Of all samples, s on the source's clock.
    restarts : list of int
        Samples that came before each opening or reset.
    missing_cells, cells : int
        Of the regions or optical channels.
    motion : dict of Kind to (n_samples,) float64
        Head motion beside the signal: at each sample the largest size of that kind's channels, SI units; NaN
        where it is not known.
    offsets : list of float
        Offsets between the clocks, s.
    lost, resets, troubles, events : Counter
        How often, by reason or label.
    losses : tuple of Loss
        What the journal declares not to hold.
    decisions : list of Decision
        In order.
    """

    started: SessionStarted
    streams: list[StreamOpened] = field(default_factory=list)
    stamps: Floats = field(default_factory=lambda: np.empty(0))
    restarts: list[int] = field(default_factory=list)
    missing_cells: int = 0
    cells: int = 0
    motion: dict[Kind, Floats] = field(default_factory=dict)
    offsets: list[float] = field(default_factory=list)
    lost: Counter[str] = field(default_factory=Counter)
    resets: Counter[str] = field(default_factory=Counter)
    troubles: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    losses: tuple[Loss, ...] = ()
    decisions: list[Decision] = field(default_factory=list)

    @property
    def period(self) -> float | None:
        """Usual time between samples, s: the median; None of fewer than two."""
        steps = self._steps()
        return float(np.median(steps)) if len(steps) else None

    @property
    def gaps(self) -> list[tuple[float, int]]:
        """Each gap's length (s) and how many samples are missing in it."""
        period = self.period
        if not period:
            return []
        steps = self._steps()
        return [(float(step), round(step / period) - 1) for step in steps[steps > GAP_PERIODS * period]]

    def _steps(self) -> Floats:
        """Steps of the source's clock, without those over an opening or a reset."""
        steps = np.diff(self.stamps)
        over = [i - 1 for i in self.restarts if 0 < i <= len(steps)]
        return np.delete(steps, over)

    @property
    def fmri(self) -> bool:
        """Whether the signal is of regions."""
        return bool(self.streams) and self.streams[-1].spec.signal_kinds == (Kind.BOLD,)

    @property
    def scanner(self) -> dict[str, str]:
        """What the stream says of how its regions came about; empty where it says nothing."""
        if not self.streams or not self.streams[-1].declared:
            return {}
        try:
            node = read_stream_xml(self.streams[-1].declared).find("desc/hemostream/scanner")
        except (StreamError, ET.ParseError):
            return {}
        return {} if node is None else {child.tag: (child.text or "").strip() for child in node}

    @property
    def labels(self) -> Counter[str]:
        """Windows by label; abstentions are not among them."""
        return Counter(each.label for each in self.decisions if not each.abstained)

    @property
    def reasons(self) -> Counter[str]:
        """Windows that abstained, by each reason."""
        found: Counter[str] = Counter()
        for each in self.decisions:
            for reason in each.reasons:
                found[reason] += each.count
        return found

    @property
    def windows(self) -> int:
        """Windows that were decided or abstained."""
        return sum(each.count for each in self.decisions)


def read_session(path: Path, run: int | None = None) -> SessionData:
    """Count one run of a journal: the last, where none is named.

    Raises
    ------
    JournalError
        It is no journal, is damaged, or has no such run or none at all.
    """
    runs = journal_runs(path)
    if not runs:
        raise JournalError(f"The journal {path} holds no run; expected one that a session has written to.")
    wanted = runs[-1].run if run is None else run
    session: SessionData | None = None
    stamps: list[Floats] = []
    beside: dict[Kind, list[Floats]] = {}
    for entry in read_journal_entries(path, wanted):
        if isinstance(entry, SessionStarted):
            session = SessionData(entry)
        if session is None:
            raise JournalError(f"Run {wanted} of {path} does not begin with the start of a session.")
        if isinstance(entry, StreamOpened):
            session.streams.append(entry)
        if isinstance(entry, StreamOpened | StreamReset):
            session.restarts.append(sum(map(len, stamps)))
        if isinstance(entry, Received):
            stamps.append(entry.stamps)
            _measure(session, entry, beside)
        elif isinstance(entry, ClockMeasured):
            session.offsets.append(entry.offset)
        elif isinstance(entry, StreamLost):
            session.lost[entry.reason] += 1
        elif isinstance(entry, StreamReset):
            session.resets[entry.reason] += 1
        elif isinstance(entry, SourceTrouble) and entry.reason:
            session.troubles[f"{entry.part}: {entry.reason}"] += max(entry.count, 1)
        elif isinstance(entry, EventReceived):
            session.events[entry.label] += 1
    if session is None:
        raise JournalError(f"Run {wanted} of {path} is empty.")
    session.stamps = np.concatenate([np.empty(0), *stamps])
    session.motion = {kind: np.concatenate(parts) for kind, parts in beside.items()}
    session.losses = read_losses(path, wanted)
    session.decisions = [Decision.from_json(text) for text in read_decisions(path, wanted)]
    return session


def _measure(session: SessionData, entry: Received, beside: dict[Kind, list[Floats]]) -> None:
    """What is missing of the signal, and what travels beside it."""
    opened = session.streams[-1]
    rows = np.array(opened.rows or range(len(opened.spec)), dtype=np.intp)
    scales = np.array(opened.scales or [1.0] * len(rows))
    kinds = np.array([channel.kind for channel in opened.spec.channels])
    signal = rows[[kind not in CONFOUNDS for kind in kinds]]
    session.cells += len(signal) * len(entry.stamps)
    session.missing_cells += int(np.count_nonzero(~np.isfinite(entry.data[signal])))
    for kind in CONFOUNDS - {Kind.PHYSIOLOGY}:
        where = np.flatnonzero(kinds == kind)
        if len(where):
            values = np.abs(entry.data[rows[where]].astype(np.float64) * scales[where, None])
            beside.setdefault(kind, []).append(np.fmax.reduce(values, axis=0))


def furthest(values: Floats) -> float | None:
    """The largest size of what is known; None where nothing is.

    Parameters
    ----------
    values : (n_samples,) float64
        In whatever unit; NaN where it is not known.
    """
    known = values[np.isfinite(values)]
    return float(np.abs(known).max()) if known.size else None
