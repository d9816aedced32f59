"""How correlated windows of one person add up, and what is to be thought of the person so far.

Given the label, the running mean of a person's window log odds is taken for Gaussian: around
``centre + mu`` or ``centre - mu``, with variance ``between**2 + within**2 / n_eff(t)``.  The first part is
the person's own offset and never averages out, so the evidence saturates however long one listens; the
second shrinks with the *effective* number of windows (Bayley and Hammersley 1946, Supplement to the Journal
of the Royal Statistical Society 8:184-197), here for a correlation that falls exponentially with elapsed
time.  Summing log odds as if windows were independent is the case ``between = 0, n_eff = n``: far too sure.
"""

import math
from dataclasses import asdict, dataclass, replace

import numpy as np

from models.arrays import Floats
from models.errors import HemostreamError
from offline.accumulation.trajectories import Trajectory


@dataclass(frozen=True, slots=True)
class Law:
    """How windows add up: five plain numbers, all but the last in units of log odds.

    Parameters
    ----------
    centre : float
        Midway between the two labels' means.
    mu : float
        Half the distance of the labels' means; 0 says that nothing was found.
    between : float
        SD of people's own offsets.
    within : float
        SD of a window around its person's own mean.
    tau : float
        Time constant of the correlation within a person, s.

    Raises
    ------
    HemostreamError
        A number is not finite, negative where it must not be, or nothing varies.
    """

    centre: float
    mu: float
    between: float
    within: float
    tau: float

    def __post_init__(self) -> None:
        values = asdict(self)
        finite = all(isinstance(v, int | float) and math.isfinite(v) for v in values.values())
        if not finite or min(self.mu, self.between, self.within) < 0 or self.tau <= 0:
            raise HemostreamError(
                f"The law of accumulation is {values}; expected finite numbers, tau above 0 and mu, between "
                "and within not below it. Fit it again."
            )
        if self.between == self.within == 0:
            raise HemostreamError("The law of accumulation has no variance at all; expected one above 0.")


def effective_windows(times: Floats, tau: float) -> Floats:
    """How many independent windows the mean of the first 1, 2, ... windows is worth.

    Between 1 and the number of windows.  It grows with every window of an even recording; a crowd of windows
    after a long gap may lower it, since a plain mean then leans on one moment.  With ``r`` the newest
    window's correlations with all before it, summed, the next one's are ``(r + 1) exp(-elapsed / tau)``;
    with ``c`` the sum of all ``r`` so far, ``n_eff = n / (1 + 2 c / n)``.

    Parameters
    ----------
    times : (n_windows,) float64
        Their ends, s, never falling.
    tau : float
        Time constant of their correlation, s.

    Returns
    -------
    (n_windows,) float64
    """
    kept = np.exp(-np.diff(times) / tau).tolist()
    with_earlier = [0.0]
    for each in kept:
        with_earlier.append((with_earlier[-1] + 1.0) * each)
    n = np.arange(1.0, len(times) + 1.0)
    return np.asarray(n / (1.0 + 2.0 * np.cumsum(with_earlier) / n))


def accumulate(law: Law, trajectory: Trajectory) -> Trajectory:
    """The running posterior of a person: log odds (even prior) of all windows so far, (n_windows,) float64.

    Parameters
    ----------
    law : Law
        How windows add up, from other people.
    trajectory : Trajectory
        Log odds of each window alone, (n_windows,) float64.
    """
    mean = np.cumsum(trajectory.log_odds) / np.arange(1.0, len(trajectory.log_odds) + 1.0)
    variance = law.between**2 + law.within**2 / effective_windows(trajectory.times, law.tau)
    return replace(trajectory, log_odds=2.0 * law.mu * (mean - law.centre) / variance)
