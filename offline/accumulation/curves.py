"""What a running posterior is worth after so many seconds of recording; people are what is counted.

People whose recording is shorter drop out, and the count says so: two points of a curve may speak of
different people.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from offline.accumulation.trajectories import Trajectory, each_person_once
from offline.stats.calibration import calibration_intercept, calibration_slope, expected_calibration_error
from offline.stats.intervals import LEVEL, clopper_pearson
from offline.stats.metrics import auc, balanced_accuracy


def curve(posteriors: Sequence[Trajectory], seconds: Sequence[float]) -> list[dict[str, Any]]:
    """Figures at these seconds of recording, on the trajectories' own clock.

    Parameters
    ----------
    posteriors : sequence of Trajectory
        Running posterior log odds, (n_windows,) float64 each, of held-out people, from `accumulate`.

    Returns
    -------
    list of dict
        For each of the seconds, JSON types, None where the people don't determine it: ``n_people`` who were
        recorded for so long and have a posterior by then, and ``n_positive`` of them with the second label;
        ``accuracy``, ``balanced_accuracy`` and ``auc`` of people, the label predicted being the one with the
        higher posterior, with Clopper and Pearson's intervals (for the balanced one the mean of the ends of
        both labels' own, each wide enough for both to hold at once); ``log_loss``, of which log 2 is knowing
        nothing; calibration's ``slope`` (under 1 is too sure), ``intercept`` and ``calibration_error``.

    Raises
    ------
    HemostreamError
        A person has two trajectories.
    """
    each_person_once(posteriors)
    return [_point([t for t in posteriors if t.times[0] <= s <= t.times[-1]], s) for s in seconds]


def _point(posteriors: Sequence[Trajectory], seconds: float) -> dict[str, Any]:
    newest = [int(np.searchsorted(t.times, seconds, side="right")) - 1 for t in posteriors]
    posterior = np.array([t.log_odds[i] for t, i in zip(posteriors, newest, strict=True)], dtype=np.float64)
    positive = np.array([t.positive for t in posteriors], dtype=bool)
    right = (posterior > 0.0) == positive
    probability = np.asarray(expit(posterior))
    n = len(posteriors)
    return {
        "seconds": float(seconds),
        "n_people": n,
        "n_positive": int(positive.sum()),
        "accuracy": float(right.mean()) if n else None,
        "accuracy_interval": clopper_pearson(int(right.sum()), n),
        "balanced_accuracy": balanced_accuracy(
            positive.astype(np.int64), (posterior > 0).astype(np.int64), 2
        ),
        "balanced_accuracy_interval": _balanced_ends(right[positive], right[~positive]),
        "auc": auc(positive, posterior, np.array([t.round for t in posteriors], dtype=np.str_)),
        "log_loss": float(np.logaddexp(0.0, np.where(positive, -posterior, posterior)).mean()) if n else None,
        "slope": calibration_slope(positive, probability) if n else None,
        "intercept": calibration_intercept(positive, probability) if n else None,
        "calibration_error": expected_calibration_error(positive, probability),
    }


def _balanced_ends(*of_labels: npt.NDArray[np.bool_]) -> tuple[float, float] | None:
    # The labels' people are independent, so both intervals hold at once with the product of their coverages.
    level = float(np.sqrt(LEVEL))
    ends = [clopper_pearson(int(own.sum()), len(own), level=level) for own in of_labels]
    if ends[0] is None or ends[1] is None:
        return None
    return 0.5 * (ends[0][0] + ends[1][0]), 0.5 * (ends[0][1] + ends[1][1])
