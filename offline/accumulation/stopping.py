"""When to stop and say a label: the first passage of the running posterior, and nothing sooner or later.

A threshold that is right window by window is wrong for stopping.  Of all windows beyond it most are far
beyond, and much surer than it says; whoever stops catches each person just as the threshold is passed,
and people who wander past it once and would have come back as well.  So what is counted here is people,
over whole recordings: who was stopped at the first passage, and who of them was given the wrong label.

Setting a threshold looks at many.  They are tested in an order fixed beforehand, from the strictest down,
and a threshold is accepted where the upper end of the one-sided interval (Clopper and Pearson 1934,
Biometrika 26:404-413) of its error rate among those stopped is at most alpha.  In a fixed sequence each test
may use the whole allowance, since one goes on only while nothing failed; but the strictest thresholds stop
so few that one error ends it all.  Hence Wiens's fallback (2003, Pharmaceutical Statistics 2:211-215): the
allowance is dealt out to `STARTS` thresholds down the sequence, an accepted one hands what it had to the
next, and a failed one forfeits only that; with one start it is the fixed sequence.  The chance that any
accepted threshold is worse than alpha stays within the allowance, so the lowest accepted may be taken
("learn then test": Angelopoulos, Bates, Candes, Jordan and Lei 2021, arXiv:2110.01052).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import beta

from models.arrays import Floats
from models.errors import HemostreamError
from models.evidence.accumulation import Rule
from offline.accumulation.trajectories import Trajectory, each_person_once
from offline.stats.intervals import LEVEL, clopper_pearson

N_THRESHOLDS, STARTS = 24, 4
"""Thresholds tried, and how many of them have an allowance of their own."""


@dataclass(frozen=True, slots=True)
class Passage:
    """Where a person was stopped: seconds of recording, on the trajectory's own clock, and the label.

    Positive is the second label.
    """

    seconds: float
    positive: bool


@dataclass(frozen=True, slots=True)
class Setting:
    """The rule that was set, or why no threshold does it.

    Parameters
    ----------
    confidence : float or None
        With which the rule is kept on people like these; None where only the plain rate was looked at.
    """

    rule: Rule | None
    reason: str | None
    confidence: float | None


def first_passage(rule: Rule, posterior: Trajectory) -> Passage | None:
    """Where the rule stops a person, by the running posterior of `accumulate`; None where it abstains."""
    beyond = (posterior.log_odds >= rule.upper) | (posterior.log_odds <= rule.lower)
    first = int(np.argmax(beyond))
    if not beyond[first]:
        return None
    return Passage(float(posterior.times[first]), bool(posterior.log_odds[first] >= rule.upper))


def stopping_figures(passages: Sequence[tuple[Passage | None, bool]]) -> dict[str, Any]:
    """What a rule, fixed beforehand, did to people it was not set on.

    Parameters
    ----------
    passages : sequence of (Passage or None, bool)
        Where each person was stopped (`first_passage`), and whether the second label is theirs.

    Returns
    -------
    dict
        ``people``, ``stopped`` of them, ``wrong`` of those with their ``wrong_share_interval`` (Clopper and
        Pearson's), and ``median_seconds`` to the passage; JSON types, None where no one was stopped.
    """
    stopped = [(passage, positive) for passage, positive in passages if passage is not None]
    wrong = sum(passage.positive != positive for passage, positive in stopped)
    ends = clopper_pearson(wrong, len(stopped))
    return {
        "people": len(passages),
        "stopped": len(stopped),
        "wrong": wrong,
        "wrong_share_interval": None if ends is None else list(ends),
        "median_seconds": float(np.median([passage.seconds for passage, _ in stopped])) if stopped else None,
    }


def set_rule(
    posteriors: Sequence[Trajectory],
    *,
    alpha: float,
    confidence: float | None = LEVEL,
    thresholds: Sequence[float] | None = None,
) -> Setting:
    """The lowest threshold that keeps the error rate among stopped people, over whole recordings.

    With too few people for any guarantee (not even if not one of them were wrong), or without a
    ``confidence``, the plain rate is what must be at most ``alpha``, from the strictest threshold down
    until it is not; the setting then claims no confidence, and about every other time fresh people will see
    a little more than ``alpha``.

    Parameters
    ----------
    posteriors : sequence of Trajectory
        Running posterior log odds, (n_windows,) float64 each, one a person, of held-out people.
    alpha : float
        Wanted error rate, above 0 and below 0.5.
    confidence : float or None
        With which it is to be kept on people like these.
    thresholds : sequence of float or None
        Tried for both labels alike, log odds, fixed before looking at these people; None takes
        `default_thresholds`.

    Raises
    ------
    HemostreamError
        Alpha, the confidence or a threshold is out of its range, or a person has two trajectories.
    """
    if not 0.0 < alpha < 0.5 or not (confidence is None or 0.0 < confidence < 1.0):
        raise HemostreamError(
            f"An error rate of {alpha!r} with confidence {confidence!r} was asked for; expected one above 0 "
            "and below 0.5, and a confidence above 0 and below 1, or none."
        )
    tried = default_thresholds(alpha) if thresholds is None else np.sort(np.asarray(thresholds, float))[::-1]
    if not len(tried) or not tried[-1] > 0.0:
        raise HemostreamError(f"The thresholds are {tried.tolist()}; expected some, all above 0.")
    each_person_once(posteriors)
    n_stopped, n_wrong = _passages(posteriors, tried)
    fewest = int(np.ceil(1.0 / alpha))
    if confidence is not None and (1.0 - alpha) ** len(posteriors) > 1.0 - confidence:
        confidence = None
    if confidence is None:
        # Of fewer than this many one error is already too many, so that none says nothing.
        accepted = (n_stopped < fewest) | (n_wrong <= alpha * n_stopped)
        going = np.logical_and.accumulate(accepted) & (n_stopped >= fewest)
        chosen = int(np.flatnonzero(going)[-1]) if going.any() else None
    else:
        chosen = _fallback(n_stopped, n_wrong, alpha, 1.0 - confidence)
    if chosen is None:
        how = "the plain rate" if confidence is None else f"a confidence of {confidence:g}"
        n = len(posteriors)
        reason = f"no threshold keeps an error rate of {alpha:g} by {how} on {n} people: not reachable"
        return Setting(None, reason, confidence)
    return Setting(Rule(upper=float(tried[chosen]), lower=-float(tried[chosen])), None, confidence)


def default_thresholds(alpha: float) -> Floats:
    """Thresholds around the one that a calibrated posterior would want, strictest first.

    Log odds, (n_thresholds,) float64: from a tenth of ``alpha`` to three times it, and short of even odds.
    """
    wrong = np.geomspace(0.1 * alpha, min(3.0 * alpha, 0.45), N_THRESHOLDS)
    return np.asarray(np.log1p(-wrong) - np.log(wrong))


def _passages(
    posteriors: Sequence[Trajectory], thresholds: Floats
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """How many are stopped, and wrongly, at each threshold: (n_thresholds,) int64 each."""
    stopped = np.zeros(len(thresholds), dtype=np.int64)
    wrong = np.zeros(len(thresholds), dtype=np.int64)
    for each in posteriors:
        furthest = np.maximum.accumulate(np.abs(each.log_odds))
        first = np.searchsorted(furthest, thresholds, side="left")
        passed = first < len(furthest)
        stopped += passed
        predicted = each.log_odds[np.minimum(first, len(furthest) - 1)] > 0.0
        wrong += passed & (predicted != each.positive)
    return stopped, wrong


def _fallback(
    n_stopped: npt.NDArray[np.int64], n_wrong: npt.NDArray[np.int64], alpha: float, allowance: float
) -> int | None:
    """The last accepted of the sequence, or None."""
    n = len(n_stopped)
    starts = set(np.unique(np.arange(min(STARTS, n)) * n // min(STARTS, n)).tolist())
    own, handed_on, chosen = allowance / len(starts), 0.0, None
    for i, (stopped, wrong) in enumerate(zip(n_stopped.tolist(), n_wrong.tolist(), strict=True)):
        level = handed_on + (own if i in starts else 0.0)
        handed_on = 0.0
        # The p value of "worse than alpha": as few wrong or fewer, at a rate of alpha.  beta.sf is binom.cdf.
        if level > 0.0 and stopped > wrong and beta.sf(alpha, wrong + 1, stopped - wrong) <= level:
            handed_on, chosen = level, i
    return chosen
