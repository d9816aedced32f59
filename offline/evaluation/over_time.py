"""What a person's windows are worth together, after so many seconds: learnt inside each fold.

How windows add up (`offline.accumulation`) and when one may stop are learnt from training people whom an
inner fit had not seen, and tried on the held-out people of the outer fold.  Beside it stands what windows
would claim if they were independent, which they are not.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from models.arrays import Floats
from models.probabilities import SUREST
from offline.accumulation import (
    Law,
    Passage,
    Rule,
    Trajectory,
    accumulate,
    curve,
    first_passage,
    fit,
    set_rule,
    stopping_figures,
)
from offline.base.predictions import Predictions
from offline.base.sample_table import SampleTable
from offline.base.splits import Fold

SECONDS = (10.0, 20.0, 30.0, 60.0, 120.0, 240.0, 480.0, 960.0)
"""Of recording since the first judged window, at which figures are told."""
ALPHA = 0.1
"""Wanted share of wrong labels among those who are told one early."""


def log_odds_of(probability: Floats) -> Floats:
    """Log odds of probabilities, (n,) float64, each kept away from 0 and 1: (n,) float64."""
    p = np.clip(probability, SUREST, 1.0 - SUREST)
    return np.asarray(np.log(p / (1.0 - p)))


def trajectories_of(table: SampleTable, probability: Floats, round_: str) -> list[Trajectory]:
    """One trajectory a person: the first of their recordings, since its first judged window.

    Parameters
    ----------
    table : SampleTable
        Of the judged samples.
    probability : (n, 2) float64
        What was said of each.
    round_ : str
        Who judged.
    """
    log_odds = log_odds_of(probability[:, 1])
    out = []
    for person in table.people:
        own = table.person == person
        rows = np.flatnonzero(own & (table.recording == min(table.recording[own].tolist())))
        rows = rows[np.argsort(table.stop[rows], kind="stable")]
        times = table.stop[rows] - table.start[rows[0]]
        out.append(Trajectory(person, bool(table.target[rows[0]] == 1), times, log_odds[rows], round_))
    return out


def learn(table: SampleTable, inner: Sequence[Fold], judged: Callable[[Fold], Floats]) -> dict[str, Any]:
    """How windows add up and when to stop, from people whom inner fits had not seen.

    Parameters
    ----------
    table : SampleTable
        All samples.
    inner : sequence of Fold
        Divisions of the training people.
    judged : callable
        Fits to an inner fold's training side and gives probabilities of the other, (n, 2) float64.

    Returns
    -------
    dict
        ``law``, ``rule`` (each None with a ``reason`` where these people do not determine it) and
        ``remarks``; JSON types.
    """
    found = [t for fold in inner for t in trajectories_of(table.rows(fold.test), judged(fold), fold.name)]
    learnt = fit(found)
    out: dict[str, Any] = {
        "people": learnt.n_people,
        "law": None if learnt.law is None else learnt.law.model_dump(),
        "rule": None,
        "reason": learnt.reason,
        "remarks": list(learnt.remarks),
    }
    if learnt.law is not None:
        setting = set_rule([accumulate(learnt.law, t) for t in found], alpha=ALPHA)
        out["rule"] = None if setting.rule is None else setting.rule.model_dump()
        out["reason"] = setting.reason
        out["confidence"] = setting.confidence
    return out


def over_time(
    own: Predictions, table: SampleTable, learnt: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any] | None:
    """What held-out people's evidence was worth over time, each by its own fold's law.

    Parameters
    ----------
    own : Predictions
        Rows of one condition.
    table : SampleTable
        All samples.
    learnt : mapping of str to mapping
        By fold, what `learn` gave.

    Returns
    -------
    dict or None
        JSON types; None where no fold has a law.
    """
    by_law: list[Trajectory] = []
    naive: list[Trajectory] = []
    passages: list[tuple[Passage | None, bool]] = []
    first = own.rows(own.repeat == 0)
    for fold in sorted(set(first.fold.tolist())):
        its = learnt.get(fold, {})
        if not its.get("law"):
            continue
        rows = first.rows(first.fold == fold)
        law = Law(**its["law"])
        for trajectory in trajectories_of(table.rows(rows.sample.astype(np.intp)), rows.scores, fold):
            posterior = accumulate(law, trajectory)
            by_law.append(posterior)
            sums = np.cumsum(trajectory.log_odds)
            naive.append(Trajectory(trajectory.person, trajectory.positive, trajectory.times, sums, fold))
            if its["rule"] is not None:
                passages.append((first_passage(Rule(**its["rule"]), posterior), trajectory.positive))
    if not by_law:
        return None
    longest = max(float(t.times[-1]) for t in by_law)
    seconds = [s for s in SECONDS if s <= longest]
    return {
        "since": "the first judged window, after the warm-up",
        "people": len(by_law),
        "laws": {fold: its["law"] for fold, its in sorted(learnt.items())},
        "by_law": curve(by_law, seconds),
        "as_if_independent": curve(naive, seconds),
        "stopping": {"wanted": ALPHA, **stopping_figures(passages)} if passages else None,
    }
