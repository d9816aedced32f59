"""Learning how windows add up, from people whom the classifier had not seen.

In two steps, and in both each person weighs the same, however long the recording:

within people, from how much two windows of one person differ as a function of the time between them (the
variogram: half the mean squared difference, which a person's own offset cancels out of);

between people, from the mean of each person, one number a person.

With few people every choice errs towards too little certainty: the distance of the labels' means is shrunk
by what chance would give (James and Stein 1961, Proc. 4th Berkeley Symposium 1:361-379), the variance is
enlarged so that its reciprocal is unbiased, and the spread between people is never put lower than so many
people could tell from none.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar

from models.arrays import Floats
from models.evidence.accumulation import Law
from offline.accumulation.effective import effective_windows
from offline.accumulation.trajectories import Trajectory, each_person_once
from offline.stats.metrics import FEWEST_FOR_OTHERS

FEWEST_OF_A_LABEL = 3
"""Under so many people of a label its mean is a guess."""
FEWEST_WINDOWS = 4
"""Under so many windows a person says nothing about how windows of a person differ."""
LAGS, BINS = 48, 16
"""Distances between windows that are looked at, and groups of alike ones; both closer where short."""
LONGEST_LAG = 0.5
"""As a part of the median recording: beyond it too few pairs of windows are left (Journel and Huijbregts
1978, Mining Geostatistics: half of the longest distance)."""
SHORTEST_TAU = 0.2
"""As a part of the step: what is shorter cannot be told from independent windows."""


@dataclass(frozen=True, slots=True)
class Fit:
    """What was learned from how many people; no law, and why not, where these don't determine it.

    ``remarks`` say what was kept at a bound.
    """

    law: Law | None
    reason: str | None
    remarks: tuple[str, ...]
    n_people: int


def fit(trajectories: Sequence[Trajectory]) -> Fit:
    """Learn the law from held-out people, each weighing the same.

    They are people whom the classifier that predicted them had not seen, none of them among those that are
    evaluated with the law later.  The law is None, with a reason, under `FEWEST_FOR_OTHERS` people, under
    `FEWEST_OF_A_LABEL` of a label, where too few have `FEWEST_WINDOWS` windows, and where nothing varies.

    Raises
    ------
    HemostreamError
        A person has two trajectories.
    """
    each_person_once(trajectories)
    n = len(trajectories)
    positive = np.array([t.positive for t in trajectories], dtype=bool)
    fewest = min(int(positive.sum()), int((~positive).sum()))
    if n < FEWEST_FOR_OTHERS or fewest < FEWEST_OF_A_LABEL:
        reason = (
            f"{n} people, {fewest} of the rarer label; expected {FEWEST_FOR_OTHERS} and {FEWEST_OF_A_LABEL}"
        )
        return Fit(None, reason, (), n)
    long = [t for t in trajectories if len(t.times) >= FEWEST_WINDOWS and t.times[-1] > t.times[0]]
    if len(long) < FEWEST_FOR_OTHERS:
        reason = f"{len(long)} people have {FEWEST_WINDOWS} windows or more; expected {FEWEST_FOR_OTHERS}"
        return Fit(None, reason, (), n)
    remarks: list[str] = []
    within, tau = _within(long, remarks)
    own_mean = np.array([t.log_odds.mean() for t in trajectories])
    from_within = np.array([within**2 / effective_windows(t.times, tau)[-1] for t in trajectories])
    means = own_mean[positive].mean(), own_mean[~positive].mean()
    freedom = n - 2
    residual = own_mean - np.where(positive, *means)
    total = float(residual @ residual) / freedom
    if total <= 0.0 and within <= 0.0:
        return Fit(None, "log odds vary neither within people nor between people of a label", (), n)
    # Posterior odds divide by the variance, and 1 / variance from so few is too large by this on average.
    between2 = total * freedom / (freedom - 2) - float(from_within.mean())
    smallest = total * np.sqrt(2.0 / freedom)
    if between2 < smallest:
        between2 = smallest
        remarks.append("between is kept at the least that so many people can tell from none")
    mu = 0.5 * (means[0] - means[1])
    by_chance = 0.25 * total * (1.0 / positive.sum() + 1.0 / (~positive).sum())
    if mu <= 0.0 or mu**2 <= by_chance:
        remarks.append(
            "the labels' means are no further apart than by chance: mu is 0, and no evidence adds up"
        )
        mu = 0.0
    else:
        mu *= 1.0 - by_chance / mu**2
    law = Law(
        centre=float(0.5 * (means[0] + means[1])),
        mu=float(mu),
        between=float(np.sqrt(between2)),
        within=within,
        tau=tau,
    )
    return Fit(law, None, tuple(remarks), n)


def variogram(trajectories: Sequence[Trajectory], longest: float) -> tuple[Floats, Floats, Floats]:
    """Half the mean squared difference of two windows of one person, by the time between them.

    Returns
    -------
    lag, value, people : (n_lags,) float64
        Mean time between the windows (s), the mean of people's own values, and how many people have one.
    """
    shortest = float(np.median([np.median(np.diff(t.times)) for t in trajectories]))
    edges = np.geomspace(max(0.5 * shortest, 1e-9 * longest), longest * (1 + 1e-9), BINS + 1)
    lag, value, people = np.zeros(BINS), np.zeros(BINS), np.zeros(BINS)
    for each in trajectories:
        times, x = each.times, each.log_odds
        steps = np.unique(np.round(np.geomspace(1, len(x) - 1, LAGS)).astype(np.int64))
        apart = np.concatenate([times[k:] - times[:-k] for k in steps])
        half_square = np.concatenate([0.5 * (x[k:] - x[:-k]) ** 2 for k in steps])
        here = (apart >= edges[0]) & (apart < edges[-1])
        which = np.searchsorted(edges, apart[here], side="right") - 1
        pairs = np.bincount(which, minlength=BINS)
        some = pairs > 0
        lag[some] += np.bincount(which, apart[here], minlength=BINS)[some] / pairs[some]
        value[some] += np.bincount(which, half_square[here], minlength=BINS)[some] / pairs[some]
        people += some
    some = people > 0
    return lag[some] / people[some], value[some] / people[some], people[some]


def _within(trajectories: Sequence[Trajectory], remarks: list[str]) -> tuple[float, float]:
    """SD and time constant within people: the best ``within**2 * (1 - exp(-lag / tau))``."""
    step = float(np.median([np.median(np.diff(t.times)) for t in trajectories]))
    duration = float(np.median([t.times[-1] - t.times[0] for t in trajectories]))
    longest = max(LONGEST_LAG * duration, 1.5 * step)
    lag, value, people = variogram(trajectories, longest)
    least = max(SHORTEST_TAU * step, 1e-6 * duration)
    if not len(lag) or value.max() <= 0.0:
        return 0.0, least
    weight = people / people.sum()

    def misfit(log_tau: float) -> float:
        # Errors grow with the value itself, hence a ratio; this one stays unbiased however noisy the values.
        rise = -np.expm1(-lag / np.exp(log_tau))
        return float(np.log(weight @ (value / rise)) + weight @ np.log(rise))

    low, high = np.log(least), np.log(max(longest, 2.0 * least))
    tried = np.linspace(low, high, 40)
    best = int(np.argmin([misfit(each) for each in tried]))
    between = (tried[max(best - 1, 0)], tried[min(best + 1, len(tried) - 1)])
    tau = float(np.exp(minimize_scalar(misfit, bounds=between, method="bounded").x))
    if tau > 0.98 * np.exp(high):
        remarks.append(
            "tau is kept at its longest: what wanders more slowly counts as the person's own offset"
        )
    return float(np.sqrt(weight @ (value / -np.expm1(-lag / tau)))), tau
