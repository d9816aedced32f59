"""From a cohort and a recipe to samples: recordings replayed, windows labelled.

Nothing is computed here that the live session does not compute: windows come out of the core, and
a label is looked up for each.  What was lost on the way is counted for each recording.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np

from models.errors import HemostreamError, RecipeError, near_match
from offline.base.cohort import Cohort, CohortRow
from offline.base.progress import Tell, silent
from offline.base.remarks import Remark, lines_of, show
from offline.base.sample_table import SampleTable
from offline.base.spelling import canonical
from offline.base.together import parted, together_hints, units_of
from offline.base.window_store import KeptWindows, Windows
from offline.samples.blocks import LabelledWindows
from offline.samples.channels import choose_channels
from offline.samples.fingerprints import Fingerprint
from offline.samples.ignored_settings import ignored_settings
from offline.samples.labels import WindowLabels
from offline.samples.left_of_block import warnings_of
from offline.samples.montages import Montages, montages_of
from offline.samples.novelty import FeatureSummary, summarise
from offline.samples.reader import CohortReader
from offline.samples.recipe import Recipe
from offline.samples.replay import replay
from offline.samples.sample_account import SampleAccount, account_of
from offline.samples.span import Span, usable_within
from offline.samples.twice import same_files, same_signals
from offline.stats.traits import Traits, traits_of
from realtime.core import Plan
from realtime.pipeline import Pipeline
from realtime.signal import SignalSpec
from realtime.stages.montages import montage_of
from realtime.windows import Window

OF_SIDES = (
    "simple models (ridge, linear, memory and symmetry), their nulls, the map of channels and the audit are "
    "of the mean of each kind on each side of the head, for they would need one montage"
)


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
    behind : SignalSpec
        The channels of X: what the pipeline makes of them.
    feature_summary : FeatureSummary
        What all usable windows look like, those without a label too: a live session predicts them all.
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
    montages : Montages or None
        What each recording has, where each has its own channels (``input.montage = "own"``).
    """

    table: SampleTable
    X: Windows
    labels: tuple[str, ...]
    spec: SignalSpec
    behind: SignalSpec
    feature_summary: FeatureSummary
    delay_s: float
    accounts: tuple[SampleAccount, ...]
    remarks: tuple[str, ...]
    traits: Traits = field(default_factory=dict)
    unnamed: tuple[str, ...] = ()
    signals: tuple[Signal, ...] = ()
    shared: tuple[str, ...] = ()
    doubled: tuple[str, ...] = ()
    montages: Montages | None = None

    def __len__(self) -> int:
        return len(self.table)

    @property
    def rate(self) -> float:
        """Samples a second of X, Hz."""
        return self.behind.rate

    @property
    def names(self) -> tuple[str, ...]:
        """The channels of X."""
        return self.behind.names

    @property
    def places(self) -> tuple[int, ...]:
        """For each channel of X the number of its place on the head, from 0.

        Channels of one source and detector share it, for they are lost together; in another montage the same
        numbers are another place.
        """
        keys = [
            channel.name if None in channel.pair else (channel.pair, channel.position)
            for channel in self.behind.channels
        ]
        number = {key: i for i, key in enumerate(dict.fromkeys(keys))}
        return tuple(number[key] for key in keys)


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
        Called after every recording.

    Raises
    ------
    RecipeError
        Recordings share no channel, or a label has no window; the message counts what was lost to what.
    HemostreamError
        A recording cannot be read or replayed; the message names it.
    """
    tell = progress or silent
    rows = _rows(cohort, [canonical(person) for person in exclude_people])
    window_labels = WindowLabels(recipe.labels, cohort, rows)
    labels = window_labels.names
    names = _unique_names(rows)
    units = units_of(cohort, recipe.evaluation.together)
    reader = CohortReader(cohort, recipe.input, rows, names)
    of_files = same_files(cohort.rows)
    remarks = [*cohort.remarks, *of_files.remarks, *parted(units, exclude_people)]
    remarks += together_hints(cohort, recipe.evaluation.together, recipe.labels.column)
    specs, of_readers = reader.specs(tell)
    remarks += of_readers
    show(lines_of(remarks))  # at once: they may say why something else fails
    alike = same_signals(rows, reader.fingerprints, [its.rate for _, its in specs])
    montages = montages_of(specs, recipe) if recipe.input.montage == "own" else None
    if montages is None:
        spec, left_out = choose_channels(specs, recipe.input, recipe.kinds)
    else:
        spec, left_out = montages.taken[0], [montages.line, OF_SIDES]
    later = [Remark(text) for text in (*warnings_of(recipe), *ignored_settings(recipe))]
    later += [*alike.remarks, *(Remark(text) for text in left_out)]
    unlabelled: list[Remark] = []
    plan = plan_of(recipe, spec, labels)
    parts: list[tuple[SampleTable, KeptWindows]] = []
    accounts: list[SampleAccount] = []
    looks: list[FeatureSummary] = []
    behind = Pipeline(plan.pipeline, spec).spec_out if montages is None else montages.table
    delay_s = 0.0
    for done, (row, name) in enumerate(zip(rows, names, strict=True)):
        tell("replay", done, len(rows), name)
        with _told_of(name):
            own = plan if montages is None else replace(plan, spec=montages.taken[done])
            replayed = replay(reader.read(done), own)
            found = window_labels.of(done, name, replayed, span)
        delay_s = replayed.delay_s
        seen, sides = behind, None
        if montages is not None:
            seen = montages.seen[done]
            sides = montage_of(seen).sides
        usable = usable_within(replayed, span)
        looks.append(summarise(usable, seen.names, row.person, name, units, sides))
        accounts.append(account_of(name, row, replayed, found, labels))
        if found.windows:
            table = _table(name, row, found, units, blocks=recipe.labels.target == "event")
            kept = kept_of(found.windows, recipe.rate)
            parts.append((table, kept if montages is None else montages.scattered(kept, done)))
        else:
            unlabelled.append(window_labels.without_window(accounts[-1]))
    tell("replay", len(rows), len(rows), "")
    later += [*window_labels.spelt_otherwise(), *window_labels.overlaps]
    show(lines_of(later))
    window_labels.refuse_empty(accounts)  # which reports of each recording what was lost
    show(lines_of(unlabelled))
    remarks += [*later, *unlabelled]
    return Samples(
        table=SampleTable.concatenate([table for table, _ in parts]),
        X=KeptWindows.concatenate([X for _, X in parts]),
        labels=labels,
        spec=spec,
        behind=behind,
        feature_summary=FeatureSummary.concatenate(looks),
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
        montages=montages,
    )


def plan_of(recipe: Recipe, spec: SignalSpec, labels: tuple[str, ...]) -> Plan:
    """The live core's plan for these channels, as the recipe has it."""
    return Plan(
        spec=spec,
        pipeline=recipe.pipeline,
        length_s=recipe.window.length_s,
        step_s=recipe.window.step_s,
        labels=labels,
        policy=recipe.policy,
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
        raise RecipeError("Everyone in the cohort is to be left out; no one remains to train on.")
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


def _table(
    name: str, row: CohortRow, found: LabelledWindows, units: Mapping[str, str], *, blocks: bool
) -> SampleTable:
    n = len(found.windows)
    stop = np.array([window.end for window in found.windows])
    table = SampleTable(
        recording=np.full(n, name),
        person=np.full(n, row.person),
        session=np.full(n, row.session or name),
        site=np.full(n, row.site),
        start=np.array([window.start for window in found.windows]),
        stop=stop,
        target=np.array(found.targets, dtype=np.int64),
        together=np.full(n, units.get(row.person, row.person)) if units else None,
    )
    if not blocks:
        return table
    own = [found.blocks[number] for number in found.numbers]
    return replace(
        table,
        block=np.array(found.numbers, dtype=np.int64),
        event=np.array([block.event for block in own], dtype=np.str_),
        into_block=stop - np.array([block.start for block in own]),
    )


def kept_of(windows: Sequence[Window], rate: float) -> KeptWindows:
    """Usable windows of one recording, each sample once."""
    data = [window.data for window in windows if window.data is not None]
    return KeptWindows.of(data, [window.start for window in windows if window.data is not None], rate)
