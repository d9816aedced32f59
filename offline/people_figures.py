"""What an arm says of whole people, where the label is the person's: every figure but those of windows."""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from offline.calibration import calibration_intercept, calibration_slope, expected_calibration_error
from offline.metrics import Figure, brier, matthews
from offline.primary import Pairs, PersonScores

Floats = npt.NDArray[np.float64]
FALSE_POSITIVES = 0.2
"""The partial AUC looks at specificities from 1 down to 1 less this."""


def people_figures(scores: PersonScores, pairs: Pairs, prevalence: float | None) -> dict[str, Any]:
    """Figures by person: mean over the repeats, each of which judges everybody once.

    Parameters
    ----------
    scores : PersonScores
        What was said.
    pairs : Pairs
        The same, compared.
    prevalence : float or None
        Share of people with the second label where the classifier would be used.

    Returns
    -------
    dict
        JSON types; None for what is not determined.
    """
    second, first = scores.positive.astype(np.float64), (~scores.positive).astype(np.float64)
    sensitivity = _ratio(float(pairs.said @ second), float(pairs.judged @ second))
    specificity = _ratio(float((pairs.judged - pairs.said) @ first), float(pairs.judged @ first))
    said = scores.log_odds > 0
    there = np.isfinite(scores.log_odds)
    y = np.broadcast_to(scores.positive, said.shape)[there]
    probability = expit(scores.log_odds[there])
    # One repeat holds everybody once; more of them would count the same people as others.
    one: Floats = np.asarray(expit(np.nanmean(scores.log_odds, axis=0)))
    return {
        "n": {"second": int(second.sum()), "first": int(first.sum())},
        "sensitivity": sensitivity,
        "specificity": specificity,
        "accuracy": float(np.mean(said[there] == y)),
        "mcc": matthews(y.astype(np.int64), said[there].astype(np.int64), 2),
        "partial_auc": partial_auc(scores),
        "brier": brier(y.astype(np.int64), np.stack([1.0 - probability, probability], axis=1)),
        "calibration": {
            "slope": calibration_slope(scores.positive, one),
            "intercept": calibration_intercept(scores.positive, one),
            "expected_error": expected_calibration_error(scores.positive, one),
        },
        "at_prevalence": predictive_values(sensitivity, specificity, prevalence),
    }


def predictive_values(
    sensitivity: Figure, specificity: Figure, prevalence: float | None
) -> dict[str, Figure] | None:
    """PPV and NPV where the classifier would be used, which a balanced study does not show (Bayes).

    Parameters
    ----------
    sensitivity, specificity : float or None
        By person.
    prevalence : float or None
        Share of people with the second label; None says nothing.
    """
    if prevalence is None or sensitivity is None or specificity is None:
        return None
    hit, alarm = sensitivity * prevalence, (1.0 - specificity) * (1.0 - prevalence)
    spared, missed = specificity * (1.0 - prevalence), (1.0 - sensitivity) * prevalence
    return {"prevalence": prevalence, "ppv": _ratio(hit, hit + alarm), "npv": _ratio(spared, spared + missed)}


def partial_auc(scores: PersonScores, most: float = FALSE_POSITIVES) -> Figure:
    """Area under the ROC curve up to a rate of false positives, so scaled that chance is one half.

    McClish DK (1989). Analyzing a portion of the ROC curve. Medical Decision Making 9:190-195.

    Parameters
    ----------
    scores : PersonScores
        Curves are drawn within each round, and averaged by the pairs that they compare.
    most : float
        Highest rate of false positives.
    """
    area, weight = 0.0, 0
    for row in scores.log_odds:
        here = np.isfinite(row)
        positive, negative = row[here & scores.positive], row[here & ~scores.positive]
        if len(positive) and len(negative):
            area += len(positive) * len(negative) * _area_up_to(positive, negative, most)
            weight += len(positive) * len(negative)
    if not weight:
        return None
    least, full = 0.5 * most * most, most
    return float(0.5 * (1.0 + (area / weight - least) / (full - least)))


def _area_up_to(positive: Floats, negative: Floats, most: float) -> float:
    cuts = np.concatenate([[np.inf], np.sort(np.concatenate([positive, negative]))[::-1]])
    hits = np.array([np.mean(positive >= cut) for cut in cuts])
    alarms = np.array([np.mean(negative >= cut) for cut in cuts])
    at = float(np.interp(most, alarms, hits)) if alarms[-1] > most else hits[-1]
    within = alarms <= most
    x, y = np.append(alarms[within], most), np.append(hits[within], at)
    return float(np.sum(np.diff(x) * 0.5 * (y[1:] + y[:-1])))


def _ratio(part: float, whole: float) -> Figure:
    return part / whole if whole > 0 else None
