"""How correlated windows of one person add up, and what is to be thought of the person so far.

Given the label, the running mean of a person's window log odds is taken for Gaussian: around
``centre + mu`` or ``centre - mu``, with variance ``between**2 + within**2 / n_eff(t)``.  The first part is
the person's own offset and never averages out, so the evidence saturates however long one listens; the
second shrinks with the *effective* number of windows (Bayley and Hammersley 1946, Supplement to the Journal
of the Royal Statistical Society 8:184-197), here for a correlation that falls exponentially with elapsed
time.  Summing log odds as if windows were independent is the case ``between = 0, n_eff = n``: far too sure.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

import numpy as np

from models.arrays import Floats
from models.errors import BundleError, HemostreamError
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

    def variance(self, n_eff: float | Floats) -> Floats:
        """Variance of the running mean given the label, (n,) float64 like ``n_eff``, or one number."""
        return np.asarray(self.between**2 + self.within**2 / n_eff)

    def saturation(self, mean: float) -> float:
        """Posterior log odds (even prior) that a lasting running mean of log odds tends to.

        Parameters
        ----------
        mean : float
            Of the window log odds.
        """
        if self.between == 0:
            return math.copysign(math.inf, mean - self.centre) if self.mu and mean != self.centre else 0.0
        return 2.0 * self.mu * (mean - self.centre) / self.between**2

    def to_json(self) -> dict[str, float]:
        """All numbers by name, for a bundle's card."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Undo `to_json`.

        Raises
        ------
        BundleError
            A number is missing or unknown.
        HemostreamError
            A number is out of its range.
        """
        names = {each.name for each in fields(cls)}
        if set(values) != names:
            raise BundleError(
                f"The law of accumulation has {sorted(values)}; expected {sorted(names)}. Train again."
            )
        return cls(**values)


class Running:
    """The posterior log odds of one person, window by window, at the same cost for each.

    With ``r`` the correlations of the newest window with all before it, summed, the next window's are
    ``(r + 1) exp(-elapsed / tau)``; with ``c`` the sum of all ``r`` so far, ``n_eff = n / (1 + 2 c / n)``.
    So what `accumulate` gives for a whole recording is computed live, from five numbers of memory.

    Parameters
    ----------
    law : Law
        How windows add up.
    prior_log_odds : float
        Of the second label, before any window.
    """

    def __init__(self, law: Law, prior_log_odds: float = 0.0) -> None:
        self.law = law
        self.prior_log_odds = prior_log_odds
        self.n_windows = 0
        self._sum = 0.0
        self._newest = 0.0
        self._correlated = 0.0
        self._last: float | None = None

    def push(self, time: float, log_odds: float) -> float:
        """Take a window.

        Parameters
        ----------
        time : float
            Its end, s; only differences count.
        log_odds : float
            Of the second label, of this window alone.

        Returns
        -------
        float
            Posterior log odds of the second label.

        Raises
        ------
        HemostreamError
            The window ends before the last one did, or a value is no finite number: nothing is taken then.
        """
        if not (math.isfinite(time) and math.isfinite(log_odds)):
            raise HemostreamError(
                f"A window at {time!r} s has log odds {log_odds!r}; expected finite numbers."
            )
        if self._last is not None:
            if time < self._last:
                raise HemostreamError(
                    f"A window ends at {time!r} s, before the last ({self._last!r} s); expected their order."
                )
            self._newest = (self._newest + 1.0) * math.exp(-(time - self._last) / self.law.tau)
        self._last = time
        self._correlated += self._newest
        self._sum += log_odds
        self.n_windows += 1
        return self.log_odds

    @property
    def n_eff(self) -> float:
        """Effective number of windows so far."""
        return self.n_windows / (1.0 + 2.0 * self._correlated / self.n_windows) if self.n_windows else 0.0

    @property
    def log_odds(self) -> float:
        """Posterior log odds of the second label so far; the prior's before the first window."""
        if not self.n_windows:
            return self.prior_log_odds
        apart = self._sum / self.n_windows - self.law.centre
        return self.prior_log_odds + 2.0 * self.law.mu * apart / float(self.law.variance(self.n_eff))


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


def accumulate(law: Law, trajectory: Trajectory, prior_log_odds: float = 0.0) -> Trajectory:
    """The running posterior of a person, after each window.

    Parameters
    ----------
    law : Law
        How windows add up, from other people.
    trajectory : Trajectory
        Log odds of each window alone, (n_windows,) float64.
    prior_log_odds : float
        Of the second label, before any window.

    Returns
    -------
    Trajectory
        With the posterior log odds of all windows so far, (n_windows,) float64.
    """
    mean = np.cumsum(trajectory.log_odds) / np.arange(1.0, len(trajectory.log_odds) + 1.0)
    variance = law.variance(effective_windows(trajectory.times, law.tau))
    posterior = prior_log_odds + 2.0 * law.mu * (mean - law.centre) / variance
    return Trajectory(trajectory.person, trajectory.positive, trajectory.times, posterior, trajectory.round)
