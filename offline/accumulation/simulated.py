"""Simulated trajectories that follow the law exactly: for tests, and for checking a rule on fresh people."""

import numpy as np
from scipy.signal import lfilter

from models.errors import HemostreamError
from models.evidence.accumulation import Law
from offline.accumulation.trajectories import Trajectory


def simulate_trajectories(
    n_people: int,
    law: Law,
    *,
    seed: int,
    seconds: float | tuple[float, float] = 300.0,
    step: float = 1.0,
    share_positive: float = 0.5,
    share_missing: float = 0.0,
) -> list[Trajectory]:
    """People whose windows are an Ornstein-Uhlenbeck process around their own mean.

    Parameters
    ----------
    n_people, law : int, Law
        How many, two at least, and the truth.
    seconds : float or tuple of 2 float
        From a person's first window to the last, s; a pair is drawn from evenly.
    step : float
        From window to window, s.
    share_positive, share_missing : float
        Who has the second label (one person of each at least); windows that are missing, in runs of 20.

    Raises
    ------
    HemostreamError
        Under two people, seconds that fall, or a step that is not above 0.
    """
    shortest, longest = seconds if isinstance(seconds, tuple) else (seconds, seconds)
    if n_people < 2 or shortest < 0 or longest < shortest or step <= 0:
        raise HemostreamError(
            f"{n_people} people, {shortest} to {longest} s and a step of {step} s were asked for; expected "
            "two people or more, seconds that do not fall and a step above 0."
        )
    rng = np.random.default_rng(seed)
    n_positive = min(max(round(n_people * share_positive), 1), n_people - 1)
    positive = rng.permutation(np.arange(n_people) < n_positive)
    n_windows = np.floor(rng.uniform(shortest, longest, n_people) / step).astype(np.int64) + 1
    offset = law.centre + np.where(positive, law.mu, -law.mu) + law.between * rng.normal(size=n_people)
    kept = float(np.exp(-step / law.tau))
    noise = rng.normal(size=(n_people, int(n_windows.max())))
    noise[:, 1:] *= np.sqrt(1.0 - kept**2)  # the first stays: the process starts at its own variance
    wander = law.within * np.asarray(lfilter([1.0], [1.0, -kept], noise, axis=1))
    times = np.arange(noise.shape[1]) * step
    out = []
    for i, n in enumerate(n_windows.tolist()):
        measured = np.repeat(rng.random(n // 20 + 1) >= share_missing, 20)[:n]
        measured[0] = True
        log_odds = (offset[i] + wander[i, :n])[measured]
        out.append(Trajectory(f"s{i:05d}", bool(positive[i]), times[:n][measured], log_odds))
    return out
