"""What is to be thought of a person so far, from windows that correlate (`models.evidence.accumulation`)."""

from dataclasses import replace

import numpy as np

from models.arrays import Floats
from models.evidence.accumulation import Accumulation, Law
from offline.accumulation.trajectories import Trajectory


def effective_windows(times: Floats, tau: float) -> Floats:
    """How many independent windows the mean of the first 1, 2, ... windows is worth.

    Between 1 and the number of windows.  It grows with every window of an even recording; a crowd of windows
    after a long gap may lower it, since a plain mean then leans on one moment.

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
    running, posterior = Accumulation(law), []
    for log_odds, end in zip(trajectory.log_odds.tolist(), trajectory.times.tolist(), strict=True):
        running.add(log_odds, end)
        posterior.append(running.log_odds)
    return replace(trajectory, log_odds=np.array(posterior))
