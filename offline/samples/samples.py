"""From a cohort and a recipe to samples: recordings replayed, windows labelled.

Nothing is computed here that the live session does not compute: windows come out of the core, and
a label is looked up for each.  What was lost on the way is counted for each recording.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np

from models.errors import HemostreamError, RecipeError, near_match
from offline.base.cohort import Cohort, CohortRow
from offline.base.progress import Tell, silent
from offline.base.remarks import Remark, lines_of, remarks_of, show
from offline.base.sample_table import SampleTable
from offline.base.spelling import canonical
from offline.base.window_store import KeptWindows, Windows
from offline.recordings import read_recording
from offline.samples.channels import choose_channels
from offline.samples.fingerprints import Fingerprint, fingerprint_of_recording
from offline.samples.labels import Span, events_spelt_otherwise, fit_within, labelled, labels_of
from offline.samples.novelty import FeatureSummary, seen
from offline.samples.recipe import Recipe
from offline.samples.replay import replay
from offline.samples.sample_account import (
    SampleAccount,
    account_of,
    lost_words,
    outside_words,
    refuse_empty_labels,
)
from offline.samples.twice import same_files, same_signals
from offline.stats.traits import Traits, traits_of
from realtime.core import Plan
from realtime.signal import SignalSpec
from realtime.sources.recording import Recording
from realtime.windows import Window

KEPT_BYTES = 512 * 2**20
"""Recordings are read once to see their channels; so much of them stays in memory for the replay."""
LEAST_MEASURED = 0.5
"""A channel of which any recording measured less is left out for the whole cohort."""


@dataclass(frozen=True, eq=False)
class Signal:
    """By what a recording's signal is known again.

    Parameters
    ----------
    recording, person : str
        Which, whose.
    fingerprint : Fingerprint
        Its words (`Fingerprint.sketch`).
    """

    recording: str
    person: str
    fingerprint: Fingerprint


@dataclass(frozen=True, eq=False)
class Samples:
    """Labelled windows of a cohort.

    Parameters
    ----------
    table : SampleTable
        Whose each window is, when, and its label.
    X : (n, n_channels, n_samples) float32
        The windows, as the network sees them; `collect` keeps each sample once.
    labels : tuple of str
        What the table's targets stand for.
    spec : SignalSpec
        The channels that were taken from the recordings, in order.
    rate : float
        Samples a second of X, Hz.
    names : tuple of str
        The channels of X.
    places : tuple of int
        The place on the head of each (`offline.samples.replay.ReplayedWindows`).
    seen : Seen
        What all fit windows look like, those without a label too: a live session judges them all.
    delay_s : float
        Group delay of the pipeline, s.
    accounts : tuple of Account
        One a recording, in the cohort's order.
    remarks : tuple of str
        What a person should know: what readers remarked, channels left out, recordings without a labelled
        window (`offline.base.remarks`).
    unnamed : tuple of str
        The same without recordings' names, for a card.
    signals : tuple of Signal
        One a recording.
    shared : tuple of str
        Recordings of two people that are one file or hold the same signal; nothing may be learnt then
        (`offline.samples.twice.refuse_shared`).
    doubled : tuple of str
        Such recordings of one person (`offline.samples.twice.refuse_doubled`).
    traits : mapping of person to (age, sex)
        What the cohort tells of each.
    """

    table: SampleTable
    X: Windows
    labels: tuple[str, ...]
    spec: SignalSpec
    rate: float
    names: tuple[str, ...]
    places: tuple[int, ...]
    seen: FeatureSummary
    delay_s: float
    accounts: tuple[SampleAccount, ...]
    remarks: tuple[str, ...]
    traits: Traits = field(default_factory=dict)
    unnamed: tuple[str, ...] = ()
    signals: tuple[Signal, ...] = ()
    shared: tuple[str, ...] = ()
    doubled: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.table)


def collect(
    cohort: Cohort,
    recipe: Recipe,
    *,
    span: Span | None = None,
    exclude_people: Sequence[str] = (),
    progress: Tell | None = None,
) -> Samples:
    """Replay a cohort and label its windows.

    Parameters
    ----------
    cohort : Cohort
        Whose recordings.
    recipe : Recipe
        Channels, pipeline, window and labels.
    span : Span or None
        Take only windows wholly inside this part of each recording.  The pipeline still sees what
        comes before; what comes after it cannot see.
    exclude_people : sequence of str
        People who are ignored, unread.
    progress : callable or None
        Told of every recording.

    Raises
    ------
    RecipeError
        Recordings share no channel, or a label has no window; the message counts what was lost to what.
    HemostreamError
        A recording cannot be read or replayed; the message names it.
    """
    tell = progress or silent
    rows = _rows(cohort, [canonical(person) for person in exclude_people])
    labels, row_label = labels_of(rows, cohort, recipe)
    names = _unique_names(rows)
    reader = _Reader(cohort, recipe, rows, names)
    of_files = same_files(cohort.rows)
    remarks = [*cohort.remarks, *of_files.remarks]
    specs, of_readers = reader.specs(tell)
    remarks += of_readers
    show(lines_of(remarks))  # at once: they may say why something else fails
    alike = same_signals(rows, reader.fingerprints, [its.rate for _, its in specs])
    spec, left_out = choose_channels(specs, recipe)
    later = [*alike.remarks, *(Remark(text) for text in left_out)]
    plan = plan_of(recipe, spec, labels)
    parts: list[tuple[SampleTable, KeptWindows]] = []
    accounts: list[SampleAccount] = []
    looks: list[FeatureSummary] = []
    behind: tuple[str, ...] = ()
    places: tuple[int, ...] = ()
    delay_s = 0.0
    events: set[str] = set()
    far: list[str] = []
    for done, (row, name) in enumerate(zip(rows, names, strict=True)):
        tell("replay", done, len(rows), name)
        with _told_of(name):
            replayed = replay(reader.read(done), plan)
            kept, targets = labelled(replayed, recipe, labels, row_label[done], span)
        behind, places, delay_s = replayed.names, replayed.places, replayed.delay_s
        looks.append(seen(fit_within(replayed, span), behind, row.person, name))
        events |= {event.label for event in replayed.recording.events}
        outside = outside_words(name, replayed.recording, recipe)
        far += [outside] if outside else []
        accounts.append(account_of(name, row, replayed, targets, labels))
        if kept:
            parts.append((_table(name, row, kept, targets), kept_of(kept, recipe.rate)))
        else:
            lost = lost_words(accounts[-1])
            if outside:
                lost += f"; events outside the recording: {outside.removesuffix(f' in {name}')}"
            later.append(Remark(f"no labelled window ({lost})", name))
    tell("replay", len(rows), len(rows), "")
    later += events_spelt_otherwise(recipe, events)
    show(lines_of(later))
    remarks += later
    refuse_empty_labels(labels, accounts, recipe, events, far)
    return Samples(
        table=SampleTable.concatenate([table for table, _ in parts]),
        X=KeptWindows.concatenate([X for _, X in parts]),
        labels=labels,
        spec=spec,
        rate=recipe.rate,
        names=behind,
        places=places,
        seen=FeatureSummary.concatenate(looks),
        delay_s=delay_s,
        accounts=tuple(_with_remarks(account, remarks) for account in accounts),
        remarks=lines_of(remarks),
        unnamed=lines_of(remarks, named=False),
        # Files that are one hold one signal: each pair once, in the plainest words.
        shared=tuple(f"{whose} {what}" for whose, what in (alike.people | of_files.people).items()),
        doubled=tuple(f"{whose} {what}" for whose, what in (alike.person | of_files.person).items()),
        signals=tuple(
            Signal(name, row.person, words)
            for name, row, words in zip(names, rows, reader.fingerprints, strict=True)
        ),
        traits=traits_of(rows),
    )


def plan_of(recipe: Recipe, spec: SignalSpec, labels: tuple[str, ...]) -> Plan:
    """The live core's plan for these channels, as the recipe has it."""
    return Plan(
        spec=spec,
        pipeline=recipe.pipeline,
        length_s=recipe.window.length_s,
        step_s=recipe.window.step_s,
        labels=labels,
        policy=recipe.quality_policy(),
        memory_s=recipe.evidence.memory_s,
    )


class _Reader:
    """Reads the recordings of a cohort, keeping the first ones so that they are not read twice."""

    def __init__(
        self, cohort: Cohort, recipe: Recipe, rows: Sequence[CohortRow], names: Sequence[str]
    ) -> None:
        self._rows = rows
        self._names = names
        self._layout = None if recipe.input.layout is None else cohort.path.parent / recipe.input.layout
        self._input = recipe.input
        self._kept: dict[int, Recording] = {}
        self.fingerprints: list[Fingerprint] = []

    def specs(self, tell: Tell) -> tuple[list[tuple[str, SignalSpec]], list[Remark]]:
        """Name and channels of every recording, what its reader remarked, and what was hardly measured.

        Every window needs every channel, so one that is hardly measured would cost all of them.
        """
        found: list[tuple[str, SignalSpec]] = []
        remarks: list[Remark] = []
        size = 0
        for i, name in enumerate(self._names):
            tell("read", i, len(self._names), name)
            recording = self._read(i)
            remarks += remarks_of(recording, name, self._rows[i].recording)
            self.fingerprints.append(fingerprint_of_recording(recording).sketch())
            measured = 1.0 - recording.missing.mean(axis=1) if recording.missing.size else np.ones(0)
            found.append((name, recording.spec.pick(np.flatnonzero(measured >= LEAST_MEASURED).tolist())))
            if dead := [recording.spec.names[k] for k in np.flatnonzero(measured < LEAST_MEASURED)]:
                said = f"hardly measured {len(dead)} channels: {', '.join(dead[:8])}"
                remarks.append(Remark(said, name))
            size += recording.data.nbytes + recording.missing.nbytes
            if size <= KEPT_BYTES:
                self._kept[i] = recording
        tell("read", len(self._names), len(self._names), "")
        return found, remarks

    def read(self, i: int) -> Recording:
        """A recording, once more or for the last time."""
        kept = self._kept.pop(i, None)
        return self._read(i) if kept is None else kept

    def _read(self, i: int) -> Recording:
        return read_recording(
            self._rows[i].recording,
            layout=self._layout,
            length_unit=self._input.length_unit,
            haemoglobin_unit=self._input.haemoglobin_unit,
            repetition_time=self._input.repetition_time,
            stream=self._input.stream,
            events=self._input.events,
            allow_damaged=self._input.allow_damaged,
        )


@contextmanager
def _told_of(name: str) -> Iterator[None]:
    """Put a recording's name in front of what went wrong with it."""
    try:
        yield
    except HemostreamError as error:
        raise type(error)(f"Recording {name}: {error}") from error


def _with_remarks(account: SampleAccount, remarks: Sequence[Remark]) -> SampleAccount:
    own = [remark.text for remark in remarks if remark.recording == account.recording]
    return replace(account, remarks=tuple(own))


def _rows(cohort: Cohort, exclude_people: Sequence[str]) -> list[CohortRow]:
    for person in exclude_people:
        if person not in cohort.people:
            raise RecipeError(
                f"{person!r} is to be left out, but is not in the cohort. {near_match(person, cohort.people)}"
            )
    rows = [row for row in cohort.rows if row.person not in exclude_people]
    if not rows:
        raise RecipeError("Everybody in the cohort is to be left out; nobody remains to train on.")
    return rows


def _unique_names(rows: Sequence[CohortRow]) -> list[str]:
    """Short names of the recordings: the file's, with person and session where two share it."""
    plain = Counter(row.recording.name for row in rows)
    names = [
        row.recording.name
        if plain[row.recording.name] == 1
        else "/".join(part for part in (row.person, row.session, row.recording.name) if part)
        for row in rows
    ]
    counts = Counter(names)
    return [name if counts[name] == 1 else f"{name} ({i + 1})" for i, name in enumerate(names)]


def _table(name: str, row: CohortRow, kept: Sequence[Window], targets: Sequence[int]) -> SampleTable:
    n = len(kept)
    return SampleTable(
        recording=np.full(n, name),
        person=np.full(n, row.person),
        session=np.full(n, row.session or name),
        site=np.full(n, row.site),
        start=np.array([window.start for window in kept]),
        stop=np.array([window.end for window in kept]),
        target=np.array(targets, dtype=np.int64),
    )


def kept_of(windows: Sequence[Window], rate: float) -> KeptWindows:
    """Fit windows of one recording, each sample once."""
    data = [window.data for window in windows if window.data is not None]
    return KeptWindows.of(data, [window.start for window in windows if window.data is not None], rate)
