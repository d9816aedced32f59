"""What a session made of samples whose truth is known.

The journal is fed to a core again, as `classify` feeds it, and what the core's clock makes of each sample is
held against the moment at which it was really measured.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.bundle import read_bundle
from models.errors import HemostreamError
from realtime.clock import Clock
from realtime.core import Core, Plan
from realtime.log import Received, StreamOpened, StreamReset
from realtime.sinks.journal_reader import read_decisions, read_journal_entries, read_losses
from realtime.windows import Window
from tools.soak.second.plan import Device, Life
from tools.soak.second.source import A_LIFE, PUSH_ROW, SAMPLE_ROW

CONNECTS_WITHIN_S = 20.0
"""Longest that a session may take to hear a new outlet, s; what is sent before that is sent to nobody."""
WITH_THE_KILLED_S = 1.0
"""What an outlet was given so short before it was killed may have died with it, s."""
OFFSET_S = 5e-4
"""How well LSL compares two clocks, s: no claim made of stamps alone can be held to less."""
SET_S = 10.0
"""A stamp so far off its true time is of a clock that was set: only its age tells, and no claim counts, s."""
KEPT_S = 120.0
"""How long samples are remembered for the windows to come, s of their own time."""

Pushed = npt.NDArray[np.void]
_PUSHED = np.dtype([(name, np.float64) for name in ("push", "sample", "true", "stamp", "value", "pushed_at")])


@dataclass(slots=True)
class Account:
    """The sums of one bed.

    Parameters
    ----------
    pushed, journaled : int
        Samples that the device sent, those sent again included, and those that the journal holds.
    before_connected, with_the_killed : int
        Explained: sent to nobody, or shortly before the outlet was killed.
    lost : int
        Not explained.
    changed, disordered, foreign : int
        Journaled with another value or stamp (of those that are sent), out of the order of sending or twice,
        or never sent.
    missing_entries : int
        Entries that the journal itself says it lacks.
    lives, opened : int
        Outlets that the session can have heard, and streams that the journal says were opened.
    windows, labelled : int
        Decided (windows inside a gap each counted), and given a label.
    abstained : dict of str to int
        By their reasons.
    wrong_labels : int
        Labels on windows that hold a sample whose time is wrong by more than a period.
    worst_labelled_s, worst_s : float
        Largest error of a time in a labelled window, and in any, s.
    covered_labelled, covered : float
        Share of windows (with a label; all) whose every time is within the claimed uncertainty.
    beyond_claim_labelled_s : float
        By how much the claim of a labelled window was exceeded at most, s.
    samples_claimed, samples_covered : int
        Samples of which the clock said how wrong they may be; of these within that.  Those that were stamped
        by a clock that had been set (`SET_S`) are left out here and in the shares of windows.
    classify_equal, published_equal : bool
        Whether `classify` gives the journal's decisions, and whether what was published is just these.
    wrong : list of str
        The wrong labels, a line each.
    violations : list of str
        What must not be.
    """

    pushed: int = 0
    journaled: int = 0
    before_connected: int = 0
    with_the_killed: int = 0
    lost: int = 0
    changed: int = 0
    disordered: int = 0
    foreign: int = 0
    missing_entries: int = 0
    lives: int = 0
    opened: int = 0
    windows: int = 0
    labelled: int = 0
    abstained: dict[str, int] = field(default_factory=dict)
    wrong_labels: int = 0
    worst_labelled_s: float = 0.0
    worst_s: float = 0.0
    covered_labelled: float = 1.0
    covered: float = 1.0
    beyond_claim_labelled_s: float = 0.0
    samples_claimed: int = 0
    samples_covered: int = 0
    classify_equal: bool = False
    published_equal: bool = False
    wrong: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self)


def read_truth(path: Path) -> Pushed:
    """What a bed's outlets wrote down, (n_pushed_samples,) array of records."""
    return np.atleast_1d(np.genfromtxt(path, delimiter=",", dtype=_PUSHED))


def account(
    *, device: Device, lives: Sequence[Life], truth: Pushed, journal: Path, bundle: Path, model_hash: str
) -> Account:
    """Add up one bed.

    Parameters
    ----------
    device : Device
        Whose samples they are.
    lives : sequence of Life
        What was planned; those that never began are left out.
    truth : (n_pushed_samples,) array of records
        As `read_truth` gives it.
    journal : Path
        Of the session, closed.
    bundle : Path
        The classifier.
    model_hash : str
        It must be this one.
    """
    sums = Account()
    plan = Plan.from_card(read_bundle(bundle, model_hash).card)
    times = _Times(plan, truth, device, sums)
    decisions = {}
    for text in read_decisions(journal):
        values = json.loads(text)
        decisions[values["run"], values["sequence"]] = values
    rows: list[npt.NDArray[np.float64]] = []
    with _overheard() as heard:
        for entry in read_journal_entries(journal):
            if isinstance(entry, StreamOpened):
                sums.opened += 1
            if isinstance(entry, Received):
                rows.append(np.vstack([entry.data[[PUSH_ROW, SAMPLE_ROW, 0]], entry.stamps[np.newaxis]]))
            times.feed(entry, heard, decisions)
    _samples(sums, device, lives, truth, np.concatenate(rows, axis=1) if rows else np.empty((4, 0)))
    sums.missing_entries = sum(loss.missing for loss in read_losses(journal))
    times.close()
    return sums


@contextmanager
def _overheard() -> Iterator[list[tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]]]:
    """What every clock gives while the context lasts; the core's own is not to be touched otherwise."""
    heard: list[tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]] = []
    process = Clock.process

    def overheard(self: Clock, *args: Any, **named: Any) -> Any:
        given = process(self, *args, **named)
        heard.append((np.array(given[0]), np.array(given[1])))
        return given

    setattr(Clock, "process", overheard)  # noqa: B010 - not an assignment that mypy should bless
    try:
        yield heard
    finally:
        setattr(Clock, "process", process)  # noqa: B010


class _Times:
    """Follows a journal with a core, and holds the times it gives against the truth.

    Times run backwards where everything starts over: each such stretch is an epoch of its own.
    """

    def __init__(self, plan: Plan, truth: Pushed, device: Device, sums: Account) -> None:
        self._core = Core(plan)
        self._true = dict(zip(truth["sample"].tolist(), truth["true"].tolist(), strict=True))
        was_set = np.abs(truth["stamp"] - truth["true"]) > SET_S
        self._was_set = set(truth["sample"][was_set].tolist())
        self._device = device
        self._sums = sums
        self._epoch = 0
        self._held = np.empty((4, 0))  # epoch, time, error, whether a claim counts
        self._firsts: dict[int, float] = {}
        self._last = -np.inf
        self._abstained: Counter[str] = Counter()
        self._with_samples: Counter[bool] = Counter()  # windows, by whether they have a label
        self._covered: Counter[bool] = Counter()

    def feed(self, entry: Any, heard: list[Any], decisions: dict[tuple[int, int], dict[str, Any]]) -> None:
        if isinstance(entry, StreamOpened | StreamReset):
            self._epoch, self._last = self._epoch + 1, -np.inf
        heard.clear()
        windows = self._core.feed(entry)
        if isinstance(entry, Received):
            times = np.concatenate([one[0] for one in heard]) if heard else np.empty(0)
            kept = np.concatenate([one[1] for one in heard]) if heard else np.empty(0, dtype=bool)
            if len(kept) != len(entry.stamps) or len(times) != np.count_nonzero(kept):
                raise HemostreamError(
                    f"The clock was given {len(entry.stamps)} samples and spoke of {len(kept)}, of which it "
                    f"gave {len(times)} times; Clock.process is not what this account expects."
                )
            self._hold(times, entry.data[SAMPLE_ROW, kept])
        for window in windows:
            self._window(window, decisions.get((self._core.run, window.sequence)))

    def _hold(self, times: npt.NDArray[np.float64], samples: npt.NDArray[np.float64]) -> None:
        new = np.empty((4, len(times)))
        for i, (time, sample) in enumerate(zip(times.tolist(), samples.tolist(), strict=True)):
            if time <= self._last:
                self._epoch += 1
            self._last = time
            self._firsts.setdefault(self._epoch, time)
            error = time - self._true.get(sample, np.nan)
            new[:, i] = self._epoch, time, error, sample not in self._was_set
        doubts: npt.NDArray[np.float64] = np.asarray(getattr(self._core.clock, "doubts", ()))
        if len(doubts) == len(times):
            counts = new[3] != 0.0
            self._sums.samples_claimed += int(np.count_nonzero(counts))
            within = np.abs(new[2]) <= doubts + OFFSET_S
            self._sums.samples_covered += int(np.count_nonzero(within & counts))
        held = np.concatenate([self._held, new], axis=1)
        recent = (held[0] == self._epoch) & (held[1] > self._last - KEPT_S) | (held[0] == self._epoch - 1)
        self._held = held[:, recent]

    def _inside(self, window: Window) -> npt.NDArray[np.float64]:
        """Samples whose times lie in a window, of the newest epoch that reaches from its start to its end."""
        period = self._device.period
        for epoch in (self._epoch, self._epoch - 1):
            mine = self._held[:, self._held[0] == epoch]
            reaches = mine.shape[1] and mine[1, -1] >= window.end - 2.0 * period
            if reaches and self._firsts[epoch] <= window.start + 0.5 * period:
                break
        inside = (mine[1] >= window.start) & (mine[1] < window.end)
        held: npt.NDArray[np.float64] = mine[:, inside]
        return held

    def _window(self, window: Window, decision: dict[str, Any] | None) -> None:
        sums = self._sums
        if decision is None:
            return  # the session was asked to end between the window and its decision
        sums.windows += window.count
        labelled = decision["label"] != "abstain"
        sums.labelled += labelled
        if not labelled:
            self._abstained[" and ".join(decision["reasons"])] += window.count
        inside = self._inside(window)
        errors = np.abs(inside[2])
        if not len(errors):
            return
        worst, claim = float(errors.max()), float(decision["time_uncertainty_s"])
        if inside[3].all():
            self._with_samples[labelled] += 1
            self._covered[labelled] += worst <= claim + OFFSET_S
        sums.worst_s = max(sums.worst_s, worst)
        if not labelled:
            return
        sums.worst_labelled_s = max(sums.worst_labelled_s, worst)
        sums.beyond_claim_labelled_s = max(sums.beyond_claim_labelled_s, worst - claim)
        if not worst <= self._device.period + OFFSET_S:  # NaN is wrong too
            sums.wrong_labels += 1
            wrong = int(np.count_nonzero(~(errors <= self._device.period + OFFSET_S)))
            sums.wrong.append(
                f"window {window.sequence}, {window.start:.3f} to {window.end:.3f} s: {wrong} of "
                f"{len(errors)} times wrong, the worst by {worst:.3f} s (claimed {claim:.3f} s)"
            )

    def close(self) -> None:
        self._sums.abstained = dict(self._abstained.most_common())
        both = self._with_samples.total()
        if both:
            self._sums.covered = self._covered.total() / both
        if self._with_samples[True]:
            self._sums.covered_labelled = self._covered[True] / self._with_samples[True]


def _samples(
    sums: Account,
    device: Device,
    lives: Sequence[Life],
    truth: Pushed,
    rows: npt.NDArray[np.float64],
) -> None:
    """Which samples are there, and why others are not; rows are push, sample, value and stamp."""
    sums.pushed, sums.journaled = len(truth), rows.shape[1]
    sent = {(push, sample): i for i, (push, sample) in enumerate(_pairs(truth["push"], truth["sample"]))}
    order = np.array([sent.get(pair, -1) for pair in _pairs(rows[0], rows[1])], dtype=np.intp)
    sums.foreign = int(np.count_nonzero(order < 0))
    known = order >= 0
    sums.disordered = int(np.count_nonzero(np.diff(order[known]) <= 0))
    sums.changed = int(np.count_nonzero(truth["value"][order[known]] != rows[2, known]))
    if device.chunk == 1:  # of a chunk only the last stamp is sent
        sums.changed += int(np.count_nonzero(truth["stamp"][order[known]] != rows[3, known]))
    there = np.zeros(len(truth), dtype=bool)
    there[order[known]] = True
    life_of = (truth["push"] // A_LIFE).astype(int)
    for life in lives:
        mine = np.flatnonzero(life_of == life.number)
        if not len(mine):
            continue
        heard = mine[there[mine]]
        at = truth["pushed_at"]
        if not len(heard):
            if at[mine[-1]] - at[mine[0]] > CONNECTS_WITHIN_S:
                sums.violations.append(f"outlet {life.number + 1} was never heard")
            sums.before_connected += len(mine)
            continue
        sums.lives += 1
        before = mine[mine < heard[0]]
        sums.before_connected += len(before)
        if len(before) and at[heard[0]] - at[mine[0]] > CONNECTS_WITHIN_S:
            seconds = at[heard[0]] - at[mine[0]]
            sums.violations.append(f"outlet {life.number + 1} was heard after {seconds:.1f} s only")
        lacking = mine[(mine > heard[0]) & ~there[mine]]
        died = life.killed & (lacking > heard[-1]) & (at[mine[-1]] - at[lacking] <= WITH_THE_KILLED_S)
        sums.with_the_killed += int(np.count_nonzero(died))
        sums.lost += int(np.count_nonzero(~died))


def _pairs(
    pushes: npt.NDArray[np.float64], samples: npt.NDArray[np.float64]
) -> Iterator[tuple[float, float]]:
    return zip(pushes.tolist(), samples.tolist(), strict=True)


def find_violations(sums: Account, *, least_coverage: float) -> None:
    """Put down what must not be.

    Parameters
    ----------
    sums : Account
        Is completed.
    least_coverage : float
        Least share of the samples whose time is within the claim, 0 to 1.
    """
    for count, what in (
        (sums.lost, "samples are lost"),
        (sums.changed, "samples were changed"),
        (sums.disordered, "samples stand in another order, or twice"),
        (sums.foreign, "samples were never sent"),
        (sums.missing_entries, "entries are missing by the journal's own account"),
        (sums.wrong_labels, "labels stand on windows whose times are wrong by more than a period"),
    ):
        if count:
            sums.violations.append(f"{count} {what}")
    if sums.opened < sums.lives:
        sums.violations.append(f"{sums.lives} outlets were heard, but {sums.opened} openings declared")
    if sums.samples_covered < least_coverage * sums.samples_claimed:
        share = sums.samples_covered / sums.samples_claimed
        sums.violations.append(f"{share:.2%} of the times are within their claim, not {least_coverage:.0%}")
    if not sums.classify_equal:
        sums.violations.append("classify gives other decisions than the session made")
    if not sums.published_equal:
        sums.violations.append("what was published is not what the journal holds")
    if not sums.labelled:
        sums.violations.append("no window was given a label: nothing is shown")
