"""The offset between two clocks over a whole recording, from all comparisons that were made of them.

Noise model: the offset drifts at a rate that itself wanders (an integrated Wiener process of intensity
``wander ** 2``), each comparison is wrong by an independent normal error of standard deviation ``noise``,
and one in two hundred by anything up to a second.  Neither `noise` nor `wander` is known beforehand: a grid
of both is followed by Kalman filters side by side, each weighed by how likely it makes the comparisons, and
what the smoothers of the likely ones say is averaged.  So few comparisons, noisy ones and a wandering clock
all end in a larger uncertainty, and good ones in a small one, by the same rule.  A live session sees only
the past and has a rule of its own (`realtime.clock.comparisons`).
"""

from dataclasses import dataclass

import numpy as np

from models.arrays import Bools, Floats
from realtime.clock.comparisons import DRIFT

SURE = 4.0
"""Standard errors within which the offset is claimed to be known."""
NOISES = np.geomspace(1e-5, 0.1, 14)
"""Standard deviations of a comparison that are tried, s ..."""
LIKELY_NOISE_S, NOISE_SPREAD = 5e-4, 4.0
"""... most likely about this before any is seen, within this factor: LSL's are good to 0.2 ms on a wire and
some 10 ms over bad wireless."""
WANDERS = np.geomspace(1e-7, 0.03, 12)
"""By how much a drift changes in a second that are tried, seconds a second ..."""
STEADY, UNLIKELY = 1e-6, 1.0
"""... and beyond the first, ten times as much is less likely by so many powers of ten."""
WILD_SHARE, WILD_S = 0.005, 1.0
"""Share of comparisons that are wrong by anything, and by how much, s ..."""
MOST_WILD = 0.25
"""... where more than this share (and than one) would be, it is noise."""
NEVER = 1e6
"""Less likely by this (natural logarithm) than all else."""
FEW = 3.0
"""From few comparisons their noise is unknown: from n, ``1 + FEW (n - 1) / n ** 2`` times as much is
claimed."""
LEAST_WEIGHT = 1e-3
"""What is less likely than the likeliest by this factor is ignored."""
WANDERED_S = 60.0
"""How long a drift that wanders had done so before, s."""
FIRST = 5
"""Comparisons whose median begins the filters, so that a wrong first one does not lead them."""
KNOT_S = 1.25
"""Spacing of the times at which the smoothers are evaluated, s ..."""
MOST_KNOTS = 6_000
"""... but no more than these in all."""


@dataclass(frozen=True, eq=False)
class Offsets:
    """What to add to a stamp made then, and how wrong that is claimed to be at most (s), at ascending knots.

    Knots, (n_knots,) as the others, are s on the source's clock.
    """

    knots: Floats
    offset: Floats
    uncertainty: Floats

    def at(self, stamps: Floats) -> tuple[Floats, Floats]:
        """Offset and uncertainty of stamps, (n_samples,) float64 s on the source's clock; interpolated."""
        return np.interp(stamps, self.knots, self.offset), np.interp(stamps, self.knots, self.uncertainty)


@dataclass(eq=False)
class _Filters:
    """Kalman filters of offset and drift, one for each pair of noise and wander."""

    noise: Floats  # (n_filters,)
    wander: Floats  # (n_filters,)
    mean: Floats  # (n_filters, 2): offset and drift
    covariance: Floats  # (n_filters, 2, 2), of these
    wild: Floats  # (n_filters,): how many comparisons were not believed

    def pass_time(self, dt: float) -> None:
        """Let time go by (s)."""
        moved = np.array([[1.0, dt], [0.0, 1.0]])
        wandered = np.array([[dt**3 / 3.0, dt**2 / 2.0], [dt**2 / 2.0, dt]])
        self.mean = self.mean @ moved.T
        self.covariance = moved @ self.covariance @ moved.T + self.wander[:, None, None] ** 2 * wandered

    def compare(self, offset: float) -> Floats:
        """Take a comparison (s); its log likelihood, (n_filters,)."""
        variance = self.covariance[:, 0, 0] + self.noise**2
        away = offset - self.mean[:, 0]
        likely = np.log(1.0 - WILD_SHARE) - 0.5 * (np.log(2 * np.pi * variance) + away**2 / variance)
        wild: Bools = likely < np.log(WILD_SHARE / WILD_S)
        gain = np.where(wild, 0.0, self.covariance[:, :, 0].T / variance)  # (2, n_filters)
        self.wild = self.wild + wild
        self.mean = self.mean + (gain * away).T
        self.covariance = self.covariance - gain.T[:, :, None] * self.covariance[:, :1]
        return np.maximum(likely, np.log(WILD_SHARE / WILD_S))


def fit_offsets(at: Floats, offsets: Floats, first: float, last: float) -> Offsets:
    """Learn the offset from comparisons, one at least; it is asked for from `first` to `last`, s, at least.

    When each was made, (n_comparisons,) float64 s on the source's clock, and what to add there, s.
    """
    order = np.argsort(at, kind="stable")
    middle = float(np.median(offsets))
    at, found = at[order], offsets[order] - middle
    first, last = min(first, float(at[0])), max(last, float(at[-1]))
    noise, wander = (grid.ravel() for grid in np.meshgrid(NOISES, WANDERS))
    weight = _prior(noise, wander)
    filters = _begin(at, found, float(at[0]), noise, wander)
    for dt, offset in zip(np.diff(at, prepend=at[0]).tolist(), found.tolist(), strict=True):
        filters.pass_time(dt)
        weight = weight + filters.compare(offset)
    weight[filters.wild > max(MOST_WILD * len(found), 1.0)] -= NEVER
    likely = weight > weight.max() + np.log(LEAST_WEIGHT)
    share = np.exp(weight[likely] - weight.max())
    share /= share.sum()
    knots, compared = _knots(at, first, last)
    filters = _begin(at, found, float(knots[0]), noise[likely], wander[likely])
    mean, variance = _smooth(filters, knots, compared, found)
    offset = mean @ share
    error = np.sqrt(variance @ share + (mean - offset[:, None]) ** 2 @ share)
    claim = SURE * (1.0 + FEW * (len(found) - 1) / len(found) ** 2) * error
    claim += np.interp(knots, at, _on_one_side(found - np.interp(at, knots, offset)))
    return Offsets(knots, middle + offset, claim)


def _on_one_side(residuals: Floats) -> Floats:
    """By how much neighbouring comparisons are off together, beyond their noise, s."""
    if len(residuals) < 3:
        return np.zeros(len(residuals))
    padded = np.concatenate([residuals[1:2], residuals, residuals[-2:-1]])
    three = np.stack([padded[:-2], residuals, padded[2:]])
    bent = np.abs(residuals - 0.5 * (three[0] + three[2]))[1:-1]
    noise = 1.4826 / np.sqrt(1.5) * float(np.median(bent))
    return np.maximum(np.abs(np.median(three, axis=0)) - noise, 0.0)


def _prior(noise: Floats, wander: Floats) -> Floats:
    """Log probabilities before anything is seen, but for a constant."""
    by_noise = -0.5 * (np.log(noise / LIKELY_NOISE_S) / np.log(NOISE_SPREAD)) ** 2
    return by_noise - UNLIKELY * np.log(10.0) * np.maximum(np.log10(wander / STEADY), 0.0)


def _begin(at: Floats, found: Floats, start: float, noise: Floats, wander: Floats) -> _Filters:
    """Filters at a time before the first comparison, s."""
    few = found[:FIRST]
    middle = float(np.median(few))
    spread = float(np.median(np.abs(few - middle)))
    ahead = float(at[min(FIRST, len(at)) - 1]) - start
    wide = 10.0 * (noise + spread + DRIFT * ahead) + wander * ahead**1.5
    zero = np.zeros(len(noise))
    mean = np.stack([zero + middle, zero], axis=1)
    covariance = np.stack([wide**2, zero, zero, DRIFT**2 + WANDERED_S * wander**2], axis=1)
    return _Filters(noise, wander, mean, covariance.reshape(-1, 2, 2), zero)


def _knots(at: Floats, first: float, last: float) -> tuple[Floats, list[int]]:
    """Times to evaluate at, s, and which comparison is made at each; -1 where none is."""
    step = max(KNOT_S, (last - first) / MOST_KNOTS)
    between = np.linspace(first, last, int(np.ceil((last - first) / step)) + 1)
    knots = np.concatenate([at, between])
    order = np.argsort(knots, kind="stable")
    return knots[order], np.where(order < len(at), order, -1).tolist()


def _smooth(filters: _Filters, knots: Floats, compared: list[int], found: Floats) -> tuple[Floats, Floats]:
    """Mean and variance of the offset at knots by each filter, (n_knots, n_filters) s and s2.

    The smoother is Rauch's, Tung's and Striebel's.
    """
    ahead, kept = [], []
    steps = np.diff(knots, prepend=knots[0]).tolist()
    for dt, which in zip(steps, compared, strict=True):
        filters.pass_time(dt)
        ahead.append((filters.mean, filters.covariance))
        if which >= 0:
            filters.compare(float(found[which]))
        kept.append((filters.mean, filters.covariance))
    mean, covariance = (np.array(each) for each in zip(*kept, strict=True))
    for i in range(len(knots) - 2, -1, -1):
        foreseen, spread = ahead[i + 1]
        moved = np.array([[1.0, steps[i + 1]], [0.0, 1.0]])
        gain = covariance[i] @ moved.T @ np.linalg.inv(spread)
        mean[i] += np.einsum("fij,fj->fi", gain, mean[i + 1] - foreseen)
        covariance[i] += gain @ (covariance[i + 1] - spread) @ gain.swapaxes(1, 2)
    return mean[:, :, 0], np.maximum(covariance[:, :, 0, 0], 0.0)
