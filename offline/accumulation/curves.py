"""What a running posterior is worth after so many seconds of recording; people are what is counted.

People whose recording is shorter drop out, and the count says so: two points of a curve may speak of
different people.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from offline.accumulation.trajectories import Trajectory, each_person_once
from offline.stats.calibration import calibration_intercept, calibration_slope, expected_calibration_error
from offline.stats.intervals import LEVEL, clopper_pearson
from offline.stats.metrics import Figure, auc, balanced_accuracy

Ends = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Point:
    """What was known after so many seconds; None where the people don't determine it.

    Parameters
    ----------
    seconds : float
        Of recording.
    n_people, n_positive : int
        Who were recorded for so long and have a posterior by then, and who of them has the second label.
    accuracy, balanced_accuracy, auc : float or None
        Of people, the label predicted being the one with the higher posterior.
    accuracy_interval, balanced_accuracy_interval : tuple of 2 float, or None
        Clopper and Pearson's; for the balanced one the mean of the ends of both labels' own, each wide
        enough for both to hold at once.
    log_loss : float or None
        Mean of minus the log probability of the truth; log 2 is knowing nothing.
    slope, intercept : float or None
        Of calibration; a slope under 1 is too sure.
    calibration_error : float or None
        Expected, by person; None under 100 people.
    """

    seconds: float
    n_people: int
    n_positive: int
    accuracy: Figure
    accuracy_interval: Ends | None
    balanced_accuracy: Figure
    balanced_accuracy_interval: Ends | None
    auc: Figure
    log_loss: Figure
    slope: Figure
    intercept: Figure
    calibration_error: Figure


def curve(
    posteriors: Sequence[Trajectory], seconds: Sequence[float], *, level: float = LEVEL
) -> tuple[Point, ...]:
    """Figures at these seconds.

    Parameters
    ----------
    posteriors : sequence of Trajectory
        Running posterior log odds, (n_windows,) float64 each, of held-out people, from `accumulate`.
    seconds : sequence of float
        Of recording, on the trajectories' own clock.
    level : float
        Coverage of the intervals, at least.

    Raises
    ------
    HemostreamError
        A person has two trajectories.
    """
    each_person_once(posteriors)
    return tuple(_point([t for t in posteriors if t.times[0] <= s <= t.times[-1]], s, level) for s in seconds)


def _point(posteriors: Sequence[Trajectory], seconds: float, level: float) -> Point:
    newest = [int(np.searchsorted(t.times, seconds, side="right")) - 1 for t in posteriors]
    posterior = np.array([t.log_odds[i] for t, i in zip(posteriors, newest, strict=True)], dtype=np.float64)
    positive = np.array([t.positive for t in posteriors], dtype=bool)
    right = (posterior > 0.0) == positive
    probability = np.asarray(expit(posterior))
    n = len(posteriors)
    return Point(
        seconds=float(seconds),
        n_people=n,
        n_positive=int(positive.sum()),
        accuracy=float(right.mean()) if n else None,
        accuracy_interval=clopper_pearson(int(right.sum()), n, level=level),
        balanced_accuracy=balanced_accuracy(positive.astype(np.int64), (posterior > 0.0).astype(np.int64), 2),
        balanced_accuracy_interval=_balanced_ends(right[positive], right[~positive], level),
        auc=auc(positive, posterior, np.array([t.round for t in posteriors], dtype=np.str_)),
        log_loss=float(np.logaddexp(0.0, np.where(positive, -posterior, posterior)).mean()) if n else None,
        slope=calibration_slope(positive, probability) if n else None,
        intercept=calibration_intercept(positive, probability) if n else None,
        calibration_error=expected_calibration_error(positive, probability),
    )


def _balanced_ends(
    of_positive: npt.NDArray[np.bool_], of_negative: npt.NDArray[np.bool_], level: float
) -> Ends | None:
    # The labels' people are independent, so both intervals hold at once with the product of their coverages.
    ends = [
        clopper_pearson(int(own.sum()), len(own), level=float(np.sqrt(level)))
        for own in (of_positive, of_negative)
    ]
    if ends[0] is None or ends[1] is None:
        return None
    return 0.5 * (ends[0][0] + ends[1][0]), 0.5 * (ends[0][1] + ends[1][1])
