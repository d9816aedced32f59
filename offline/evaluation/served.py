"""What a bundle of this recipe would show of people whom it has not seen: which labels, and which evidence.

Both are learnt from the evaluation's own predictions of unseen people, and stand on the card of a bundle
that is trained with the report: from which confidence on a label is shown (`label_threshold`), and how a
person's (or a block's) windows add up, with the rule when to stop (`evidence_law`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

from models.arrays import Floats
from models.evidence.accumulation import Law
from models.evidence.unseen import ALWAYS
from offline.accumulation import Trajectory, accumulate, fit, set_rule
from offline.base.predictions import Predictions
from offline.base.sample_table import SampleTable
from offline.base.spelling import canonical
from offline.evaluation.fit_and_predict import BASELINES, MAJORITY
from offline.evaluation.over_time import ALPHA, log_odds_of, trajectories_of
from offline.samples.recipe import Recipe
from offline.samples.recipe_labels import Labels
from offline.stats.calibration import calibration_slope, expected_calibration_error
from offline.stats.metrics import FEWEST_FOR_OTHERS

STEP = 0.05
"""Between thresholds that are tried."""
SURE = 0.95
"""With which confidence (one-sided, over people) labels must be right more often than the majority."""
SLACK_S = 1e-6


def served(
    own: Predictions, table: SampleTable, recipe: Recipe, conditions: Mapping[str, Any]
) -> dict[str, Any] | None:
    """What a bundle of this recipe would show; JSON types.

    Parameters
    ----------
    own : Predictions
        What the recipe's own model predicted of held-out people.
    table : SampleTable
        All samples.
    recipe : Recipe
        Its labels, and who was held out.
    conditions : mapping
        Figures of every condition (`offline.evaluation.summary`).

    Returns
    -------
    dict or None
        ``windows``, ``labels`` (`label_threshold`), ``evidence`` (`evidence_law`) and ``comparison``, the
        best simple model's name and primary figure; None where no whole people were held out.
    """
    if recipe.evaluation.by != "people":
        return None
    first = own.rows(own.repeat == 0)
    return {
        "windows": len(first),
        "labels": label_threshold(own),
        "evidence": evidence_law(first, table, recipe.labels),
        "comparison": _best_simple(conditions, own.conditions[0], recipe.evaluation.metric),
    }


def _best_simple(conditions: Mapping[str, Any], own: str, metric: str) -> dict[str, Any] | None:
    """The best of all simple models that were evaluated beside it, the clock included."""
    values = {
        name: value
        for name in BASELINES
        if name not in (own, MAJORITY)
        and name in conditions
        and (value := conditions[name]["by_person"][metric]["value"]) is not None
    }
    if not values:
        return None
    best = max(values, key=lambda name: values[name])
    return {"name": best, "value": values[best]}


def label_threshold(own: Predictions) -> dict[str, Any]:
    """The smallest confidence from which on labels were right more often than the majority, by a bound.

    A window's confidence is the probability of its likeliest label.  Thresholds are tried from 0 (every label
    is shown) upwards; each person counts the same, however long the recording.  One is taken where the lower
    end (one-sided 95 %, from how people differ; Student's t) of the share of right labels, among the windows
    that reach it, lies above what always the most frequent label would have right.

    Returns
    -------
    dict
        ``min_confidence``, ``right``, ``majority`` and ``share`` (`models.evidence.unseen.LabelThreshold`);
        the first is None, with a ``reason``, where no threshold does it.
    """
    people, whose = np.unique(own.person, return_inverse=True)
    confidence = own.scores.max(axis=1)
    right = np.argmax(own.scores, axis=1) == own.y
    weight = 1.0 / np.bincount(whose)[whose]  # of a person's windows together 1
    majority = min(float(np.bincount(own.y, weight).max() / len(people)), 1.0)
    out: dict[str, Any] = {"min_confidence": None, "majority": majority, "reason": None}
    if len(people) < FEWEST_FOR_OTHERS:
        out["reason"] = f"{len(people)} people; expected {FEWEST_FOR_OTHERS} or more"
        return out
    for threshold in _tried(len(own.labels)):
        shown = confidence >= threshold
        counted = np.bincount(whose, weight * shown, minlength=len(people))
        if np.count_nonzero(counted) < FEWEST_FOR_OTHERS:
            break
        good = np.bincount(whose, weight * (shown & right), minlength=len(people))
        if lower_end(good, counted, majority) > majority:
            found = {"right": good.sum() / counted.sum(), "share": counted.mean()}
            # Sums of weights: rounding may lead past 1.
            return out | {"min_confidence": threshold, **{k: min(float(v), 1.0) for k, v in found.items()}}
    out["reason"] = "at no confidence were labels right more often than always the most frequent one"
    return out


def _tried(n_labels: int) -> list[float]:
    """Thresholds, rising: every label, then what is beyond guessing."""
    beyond = np.arange(1, round(1 / STEP)) * STEP
    return [ALWAYS, *(round(float(each), 2) for each in beyond if each > 1.0 / n_labels + SLACK_S)]


def lower_end(good: npt.NDArray[Any], counted: npt.NDArray[Any], majority: float) -> float:
    """The lower end of a share over people: a ratio, each person's part of it being one draw.

    One more person is counted in who is right as often as the majority, so that a few people who were never
    wrong do not pass for certainty.

    Parameters
    ----------
    good, counted : (n_people,) float64
        What each person has right, and has at all; people with nothing count for none.
    majority : float
        What always the most frequent label has right.
    """
    there = counted > 0
    good, counted = good[there], counted[there]
    good = np.append(good, majority * counted.mean())
    counted = np.append(counted, counted.mean())
    n, share = len(counted), float(good.sum() / counted.sum())
    apart = good - share * counted
    sd = float(np.sqrt(n / (n - 1) * (apart @ apart)) / counted.sum())
    return share - float(student.ppf(SURE, n - 1)) * sd


def evidence_law(own: Predictions, table: SampleTable, labels: Labels) -> dict[str, Any] | None:
    """How windows of unseen people add up, and when one may stop; each person predicted once.

    Of a label that changes within a recording a block is what a person is otherwise: windows that follow one
    event.  The law is learnt from all held-out people; ``checked`` says what laws from the other folds'
    people were worth at the end of each, beside adding up windows as if they were independent.

    Returns
    -------
    dict or None
        JSON types; None where there are more than two labels, or nothing says where blocks begin.
    """
    if len(own.labels) != 2:
        return None
    block = None if labels.target == "person" else block_of(labels)
    if labels.target != "person" and block is None:
        return None
    found: list[Trajectory] = []
    for fold in sorted(set(own.fold.tolist())):
        rows = own.rows(own.fold == fold)
        its = table.rows(rows.sample.astype(np.intp))
        divide = trajectories_of if block is None else blocks_of
        found += divide(its, rows.scores, fold)
    people = len(set(own.person.tolist()))
    out: dict[str, Any] = {
        "of": "person" if block is None else "block",
        "people": people,
        "units": len(found),
        "block": block,
        "law": None,
        "rule": None,
        "reason": None,
        "remarks": [],
        "checked": None,
    }
    if people < FEWEST_FOR_OTHERS:
        return out | {"reason": f"{people} people; expected {FEWEST_FOR_OTHERS} or more"}
    learnt = fit(found)
    out |= {"reason": learnt.reason, "remarks": list(learnt.remarks)}
    if learnt.law is None:
        return out
    posteriors = [accumulate(learnt.law, each) for each in found]
    # Blocks of one person are no independent trials: no confidence is claimed of them.
    how = {} if block is None else {"confidence": None}
    setting = set_rule(posteriors, alpha=ALPHA, **how)
    return out | {
        "law": learnt.law.model_dump(),
        "rule": None if setting.rule is None else setting.rule.model_dump(),
        "reason": setting.reason,
        "confidence": setting.confidence,
        "checked": _checked(found),
    }


def block_of(labels: Labels) -> dict[str, Any] | None:
    """Which events begin a block, and which of the seconds after one belong to it whatever its label.

    None where labels are told apart by time after one event rather than by which event it is: then an event
    says nothing about where the evidence for one label begins.
    """
    intervals = list(labels.intervals.values())
    names = [canonical(event) for interval in intervals for event in interval.events]
    if not intervals or len(set(names)) < len(names):
        return None
    first = max(interval.delay_s for interval in intervals)
    last = min(interval.delay_s + interval.duration_s for interval in intervals)
    if first < 0.0 or last <= first:
        return None
    events = [event for interval in intervals for event in interval.events]
    return {"events": events, "first_s": first, "last_s": last}


def blocks_of(table: SampleTable, probability: Floats, round_: str) -> list[Trajectory]:
    """One trajectory a block: as the table has it, else windows of one label without a gap as long as one.

    Parameters
    ----------
    table : SampleTable
        Of the predicted samples.
    probability : (n, 2) float64
        What was predicted of each.
    round_ : str
        Which round predicted them.
    """
    order = np.lexsort((table.start, table.recording))
    start, stop, target = table.start[order], table.stop[order], table.target[order]
    recording = table.recording[order]
    odds = log_odds_of(probability[order, 1])
    new = np.ones(len(order), dtype=bool)
    if table.block is not None:
        apart = np.diff(table.block[order]) != 0
    else:
        apart = (target[1:] != target[:-1]) | (np.diff(start) >= (stop - start)[:-1] - SLACK_S)
    new[1:] = (recording[1:] != recording[:-1]) | apart
    out = []
    for k, rows in enumerate(np.split(np.arange(len(order)), np.flatnonzero(new)[1:])):
        if len(rows):
            name = f"{table.person[order[rows[0]]]} {recording[rows[0]]} {k}"
            times = stop[rows] - start[rows[0]]
            out.append(Trajectory(name, bool(target[rows[0]] == 1), times, odds[rows], round_))
    return out


def _checked(found: Sequence[Trajectory]) -> dict[str, Any] | None:
    """At the end of each person or block, by laws of the other folds' people; None where none had a law."""
    by_law: list[float] = []
    naive: list[float] = []
    positive: list[bool] = []
    for fold in sorted({each.round for each in found}):
        law: Law | None = fit([each for each in found if each.round != fold]).law
        if law is None:
            continue
        for each in (each for each in found if each.round == fold):
            by_law.append(float(accumulate(law, each).log_odds[-1]))
            naive.append(float(each.log_odds.sum()))
            positive.append(each.positive)
    if not by_law:
        return None
    y = np.array(positive)
    return {
        "units": len(y),
        "by_law": _calibration(y, np.array(by_law)),
        "as_if_independent": _calibration(y, np.array(naive)),
    }


def _calibration(positive: Any, log_odds: Floats) -> dict[str, Any]:
    """Share right, log loss (nats), and calibration's slope and error."""
    probability = 0.5 * (1.0 + np.tanh(0.5 * log_odds))
    return {
        "accuracy": float(np.mean((log_odds > 0.0) == positive)),
        "log_loss": float(np.logaddexp(0.0, np.where(positive, -log_odds, log_odds)).mean()),
        "slope": calibration_slope(positive, probability),
        "calibration_error": expected_calibration_error(positive, probability),
    }
