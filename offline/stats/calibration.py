"""Whether probabilities mean what they say: slope, intercept and expected calibration error.

Pure functions of who has the label, ``positive``, (n,) bool, and of predicted probabilities, (n,) float64.
Slope and intercept are Cox's (1958, Biometrika 45, 562-565): of a logistic regression of the label on the log
odds.  A slope under 1 means that the probabilities are too sure of themselves; an intercept above 0 (at slope
1) that they are too low.
"""

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from models.probabilities import SUREST
from offline.stats.metrics import Figure

STEPS, STEEPEST = 50, 50.0
"""Newton's steps, and the slope beyond which the labels are separated: then no slope is determined."""
BINS = 10
FEWEST_FOR_ERROR = 100
"""Under so many samples the expected calibration error is mostly that of its bins."""


def calibration_slope(positive: npt.NDArray[np.bool_], probability: npt.NDArray[np.float64]) -> Figure:
    """Slope of the label's log odds over those that were predicted; 1 is right.

    Of who has the label, (n,) bool, and predicted probabilities, (n,) float64.  None where it isn't
    determined: one label only, one probability only, or labels that the probabilities separate.
    """
    odds = _odds(probability)
    if not _two(positive) or np.ptp(odds) == 0.0:
        return None
    beta = np.zeros(2)
    design = np.column_stack([np.ones_like(odds), odds])
    for _ in range(STEPS):
        predicted = expit(design @ beta)
        information = design.T @ (design * (predicted * (1.0 - predicted))[:, np.newaxis])
        try:
            step = np.linalg.solve(information, design.T @ (positive - predicted))
        except np.linalg.LinAlgError:
            return None
        beta = beta + step
        if not np.isfinite(beta).all() or abs(beta[1]) > STEEPEST:
            return None
        if np.abs(step).max() < 1e-9:
            return float(beta[1])
    return None


def calibration_intercept(positive: npt.NDArray[np.bool_], probability: npt.NDArray[np.float64]) -> Figure:
    """What the predicted log odds lack on average (slope held at 1); 0 is right, None is one label only.

    Of who has the label, (n,) bool, and predicted probabilities, (n,) float64.
    """
    if not _two(positive):
        return None
    odds, shift = _odds(probability), 0.0
    for _ in range(STEPS):
        predicted = expit(odds + shift)
        step = float((positive - predicted).sum() / np.maximum((predicted * (1.0 - predicted)).sum(), 1e-12))
        shift += float(np.clip(step, -2.0, 2.0))  # far from the answer Newton leaps over it
        if abs(step) < 1e-10:
            break
    return shift


def expected_calibration_error(
    correct: npt.NDArray[np.bool_], probability: npt.NDArray[np.float64]
) -> Figure:
    """Mean distance of predictions from outcomes, (n,) bool each, in bins of equally many samples.

    None under `FEWEST_FOR_ERROR` samples.
    """
    if len(correct) < FEWEST_FOR_ERROR:
        return None
    order = np.argsort(probability, kind="stable")
    gaps = [
        abs(float(np.sum(correct[part]) - np.sum(probability[part]))) for part in np.array_split(order, BINS)
    ]
    return sum(gaps) / len(correct)


def _odds(probability: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(logit(np.clip(probability, SUREST, 1.0 - SUREST)))


def _two(positive: npt.NDArray[np.bool_]) -> bool:
    return bool(positive.any() and not positive.all())
