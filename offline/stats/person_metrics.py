"""Figures of whole people, where the label is the person's: every figure but those of windows."""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from models.arrays import Floats
from offline.stats.calibration import calibration_intercept, calibration_slope, expected_calibration_error
from offline.stats.metrics import Figure, brier, matthews
from offline.stats.primary import Pairs, PersonScores

THRESHOLDS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Probabilities from which one would act."""
FALSE_POSITIVES = 0.2
"""The partial AUC looks at specificities from 1 down to 1 less this."""


def people_figures(scores: PersonScores, pairs: Pairs, prevalence: float | None) -> dict[str, Any]:
    """Figures by person: mean over the repeats, each of which predicts everybody once.

    Of what was predicted, the same compared, and the share of people with the second label where the
    classifier would be used.  JSON types; None for what is not determined.
    """
    second, first = scores.positive.astype(np.float64), (~scores.positive).astype(np.float64)
    sensitivity = _ratio(float(pairs.predicted @ second), float(pairs.evaluated @ second))
    specificity = _ratio(float((pairs.evaluated - pairs.predicted) @ first), float(pairs.evaluated @ first))
    predicted = scores.log_odds > 0
    there = np.isfinite(scores.log_odds)
    y = np.broadcast_to(scores.positive, predicted.shape)[there]
    probability = expit(scores.log_odds[there])
    # One repeat holds everybody once; more of them would count the same people as others.
    one = scores.probability
    return {
        "n": {"second": int(second.sum()), "first": int(first.sum())},
        "sensitivity": sensitivity,
        "specificity": specificity,
        "accuracy": float(np.mean(predicted[there] == y)),
        "mcc": matthews(y.astype(np.int64), predicted[there].astype(np.int64), 2),
        "partial_auc": partial_auc(scores),
        "brier": brier(y.astype(np.int64), np.stack([1.0 - probability, probability], axis=1)),
        "calibration": {
            "slope": calibration_slope(scores.positive, one),
            "intercept": calibration_intercept(scores.positive, one),
            "expected_error": expected_calibration_error(scores.positive, one),
        },
        "decision_curve": decision_curve(scores.positive, one, prevalence),
        "at_prevalence": predictive_values(sensitivity, specificity, prevalence),
    }


def decision_curve(
    positive: npt.NDArray[np.bool_], probability: Floats, prevalence: float | None = None
) -> list[dict[str, float]] | None:
    """Net benefit of acting on a probability, beside acting on everybody (on nobody it is 0).

    Vickers AJ, Elkin EB (2006). Decision curve analysis: a novel method for evaluating prediction models.
    Medical Decision Making 26:565-574.

    Of who has the second label, (n_people,) bool, and of what was predicted of each at the study's prevalence
    or about: only its order and its place about the threshold count.  ``prevalence`` is the share of people
    with the second label where it would be used; None takes the study's.

    Returns
    -------
    list of dict, or None
        ``threshold``, ``benefit``, ``everybody``: true positives a person; None where one label is absent.
    """
    if not positive.any() or positive.all():
        return None
    share = float(positive.mean()) if prevalence is None else prevalence
    out = []
    for threshold in THRESHOLDS:
        hits = float(np.mean(probability[positive] >= threshold)) * share
        alarms = float(np.mean(probability[~positive] >= threshold)) * (1.0 - share)
        price = threshold / (1.0 - threshold)
        out.append(
            {
                "threshold": threshold,
                "benefit": hits - price * alarms,
                "everybody": share - price * (1.0 - share),
            }
        )
    return out


def predictive_values(
    sensitivity: Figure, specificity: Figure, prevalence: float | None
) -> dict[str, Figure] | None:
    """PPV and NPV where the classifier would be used, which a balanced study does not show (Bayes)."""
    if prevalence is None or sensitivity is None or specificity is None:
        return None
    hit, alarm = sensitivity * prevalence, (1.0 - specificity) * (1.0 - prevalence)
    spared, missed = specificity * (1.0 - prevalence), (1.0 - sensitivity) * prevalence
    return {"prevalence": prevalence, "ppv": _ratio(hit, hit + alarm), "npv": _ratio(spared, spared + missed)}


def partial_auc(scores: PersonScores) -> Figure:
    """Area under the ROC curve up to a rate of false positives, so scaled that chance is one half.

    McClish DK (1989). Analyzing a portion of the ROC curve. Medical Decision Making 9:190-195.

    Curves are drawn within each round, and averaged by the pairs that they compare.
    """
    areas, pairs = [], []
    for row in scores.log_odds:
        here = np.isfinite(row)
        positive = scores.positive[here]
        if positive.any() and not positive.all():
            areas.append(roc_auc_score(positive, row[here], max_fpr=FALSE_POSITIVES))
            pairs.append(np.sum(positive) * np.sum(~positive))
    return float(np.average(areas, weights=pairs)) if areas else None


def _ratio(part: float, whole: float) -> Figure:
    return part / whole if whole > 0 else None
