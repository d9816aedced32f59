"""What a session made of samples whose truth is known.

The journal is fed to a core again, as `classify` feeds it, and what the core's clock makes of each sample is
held against the moment at which it was really measured.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.bundle import read_bundle
from realtime.core import Plan
from realtime.log import Received, StreamOpened
from realtime.sinks.journal.reader import read_decisions, read_journal_entries, read_losses
from tools.soak.second.plan import Device, Life
from tools.soak.second.source import A_LIFE, PUSH_ROW, SAMPLE_ROW
from tools.soak.second.sums import BedSums
from tools.soak.second.times import Pushed, Times, overheard

CONNECTS_WITHIN_S = 20.0
"""Longest that a session may take to hear a new outlet, s; what is sent before that reaches no session."""
WITH_THE_KILLED_S = 1.0
"""What an outlet was given so short before it was killed may have died with it, s."""
_PUSHED = np.dtype([(name, np.float64) for name in ("push", "sample", "true", "stamp", "value", "pushed_at")])


def read_truth(path: Path) -> Pushed:
    """What a bed's outlets wrote down, (n_pushed_samples,) array of records."""
    return np.atleast_1d(np.genfromtxt(path, delimiter=",", dtype=_PUSHED))


def account(
    *, device: Device, lives: Sequence[Life], truth: Pushed, journal: Path, bundle: Path, model_hash: str
) -> BedSums:
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
    sums = BedSums()
    plan = Plan.from_card(read_bundle(bundle, model_hash).card)
    times = Times(plan, truth, device, sums)
    decisions = {}
    for text in read_decisions(journal):
        values = json.loads(text)
        decisions[values["run"], values["sequence"]] = values
    rows: list[npt.NDArray[np.float64]] = []
    with overheard() as heard:
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


def _samples(
    sums: BedSums,
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
