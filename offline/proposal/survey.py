"""What a cohort's recordings hold: events and their spacing, rate, channels, lengths."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.errors import RecipeError, SignalError
from offline.base.cohort import Cohort
from offline.base.progress import Tell
from offline.base.remarks import lines_of, show
from offline.base.spelling import canonical
from offline.samples.reader import CohortReader
from offline.samples.recipe_sections import Input
from realtime.signal import Kind, SignalSpec
from realtime.sources.recording import Event, Recording
from realtime.stages.homologues import homologous_pairs


@dataclass(frozen=True)
class EventSurvey:
    """One kind of event.

    Parameters
    ----------
    label : str
        Its name.
    count, recordings, people : int
        How often, in how many recordings, of how many people.
    duration_s : float
        Median of the durations that the files give, s; 0 where they give none.
    spacing_s : float
        Median time from one to the next event of any kind, s; NaN where none follows.
    closest_s : float
        Time to the next event of another kind that nine in ten keep, s; NaN where none follows.
    first_s : float
        Median time of the first from a recording's start, s.
    """

    label: str
    count: int
    recordings: int
    people: int
    duration_s: float
    spacing_s: float
    closest_s: float
    first_s: float


@dataclass(frozen=True)
class Survey:
    """What a cohort's recordings hold.

    Parameters
    ----------
    people, recordings : int
        Numbers of both.
    shortest_s, median_s : float
        Length of recordings, s.
    rate : float
        The least of their measured rates, Hz.
    kinds : mapping of Kind to int
        Channels that all recordings share, by kind.
    distances : tuple of float
        Of these, sorted, m; empty where none is known.
    mirrored : bool
        Whether some of these mirror each other at the midline.
    events : tuple of EventSurvey
        By first appearance.
    columns : mapping of str to tuple of str
        The table's own columns, and their values.
    """

    people: int
    recordings: int
    shortest_s: float
    median_s: float
    rate: float
    kinds: Counter[Kind]
    distances: tuple[float, ...]
    mirrored: bool
    events: tuple[EventSurvey, ...]
    columns: dict[str, tuple[str, ...]]


def survey(cohort: Cohort, wanted: Input, tell: Tell) -> Survey:
    """Read every recording of a cohort once.

    Parameters
    ----------
    cohort : Cohort
        Whose recordings.
    wanted : Input
        How they are read.
    tell : callable
        Takes the progress.

    Raises
    ------
    HemostreamError
        A recording cannot be read, or none has a sample.
    """
    names = [row.recording.name for row in cohort.rows]
    reader = CohortReader(cohort, wanted, cohort.rows, names)
    specs, remarks = reader.specs(tell)
    show(lines_of([*cohort.remarks, *remarks]))
    recordings = [reader.read(i) for i in range(len(names))]
    rates = [_rate(recording) for recording in recordings]
    known = [rate for rate in rates if rate > 0.0]
    if not known:
        raise RecipeError(
            "No recording has two samples, so there is no rate; expected recordings of minutes."
        )
    shared = _shared([spec for _, spec in specs])
    distances = sorted(c.distance for c in shared.channels if c.distance is not None)
    lengths = [recording.duration for recording in recordings]
    return Survey(
        people=len(cohort.people),
        recordings=len(names),
        shortest_s=min(lengths),
        median_s=float(np.median(lengths)),
        rate=min(known),
        kinds=Counter(channel.kind for channel in shared.channels),
        distances=tuple(distances),
        mirrored=_mirrored(shared),
        events=_events(recordings, [row.person for row in cohort.rows]),
        columns=_columns(cohort),
    )


def _rate(recording: Recording) -> float:
    steps = np.diff(recording.times)
    return float(1.0 / np.median(steps)) if len(steps) and np.median(steps) > 0.0 else 0.0


def _shared(specs: Sequence[SignalSpec]) -> SignalSpec:
    first = specs[0]
    names = set.intersection(*(set(spec.names) for spec in specs))
    return first.pick([i for i, name in enumerate(first.names) if name in names])


def _mirrored(spec: SignalSpec) -> bool:
    try:
        return len(spec) > 0 and bool(homologous_pairs(spec, 0.015))
    except SignalError:
        return False


def _events(recordings: Sequence[Recording], people: Sequence[str]) -> tuple[EventSurvey, ...]:
    found: dict[str, list[tuple[int, Event, float, float]]] = {}
    for i, recording in enumerate(recordings):
        for at, event in enumerate(recording.events):
            later = recording.events[at + 1 :]
            after = later[0].onset - event.onset if later else np.nan
            other = next((e for e in later if canonical(e.label) != canonical(event.label)), None)
            until = np.nan if other is None else other.onset - event.onset
            found.setdefault(canonical(event.label), []).append((i, event, after, until))
    out = []
    for label, its in found.items():
        durations = [event.duration for _, event, *_ in its if event.duration > 0.0]
        others = [until for *_, until in its if until > 0.0]
        gaps = [gap for _, _, gap, _ in its if gap > 0.0]
        starts = {i: event.onset - float(recordings[i].times[0]) for i, event, *_ in reversed(its)}
        out.append(
            EventSurvey(
                label=label,
                count=len(its),
                recordings=len(starts),
                people=len({people[i] for i in starts}),
                duration_s=float(np.median(durations)) if len(durations) > len(its) / 2 else 0.0,
                spacing_s=float(np.median(gaps)) if gaps else np.nan,
                closest_s=float(np.quantile(others, 0.1)) if others else np.nan,
                first_s=float(np.median(list(starts.values()))),
            )
        )
    return tuple(out)


def _columns(cohort: Cohort) -> dict[str, tuple[str, ...]]:
    """Columns with at least two values, each of two people or more."""
    out = {}
    for name in dict.fromkeys(name for row in cohort.rows for name in row.values):
        of: dict[str, set[str]] = {}
        for row in cohort.rows:
            if value := row.values.get(name, ""):
                of.setdefault(value, set()).add(row.person)
        if 2 <= len(of) <= 10 and all(len(people) >= 2 for people in of.values()):
            out[name] = tuple(sorted(of))
    return out
