"""Is this window fit to be judged?  If not, why not.

Reasons are short fixed words, so that they can be counted; the numbers behind them stand beside
them in the decision.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from realtime.signal import Bools


class Reason(StrEnum):
    """Why a window is not judged."""

    WARMING_UP = "warming up"
    """It began before the pipeline's declared warm-up was over."""
    COVERAGE = "coverage"
    """Too little of a channel was measured."""
    GAP = "gap"
    """A stretch without a channel was too long."""
    STALE = "stale"
    """It was too old when it could have been judged."""
    AHEAD = "ahead of the clock"
    """Its stamps lie in the future: the source's clock, or the offset to it, is wrong."""
    INFERENCE = "inference failed"
    """The network raised, or gave no finite number."""


@dataclass(frozen=True, slots=True)
class Policy:
    """When a window is judged.

    Parameters
    ----------
    min_coverage : float
        Least measured fraction of every channel, 0 to 1.
    max_gap_s : float
        Longest stretch (s) in which any channel may be missing.
    max_age_s : float
        Oldest (stream seconds from window end to decision) that a decision may be; as far ahead of
        the clock it may not be either.
    """

    min_coverage: float = 0.9
    max_gap_s: float = 1.0
    max_age_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Fitness:
    """What is known about a window's measurement.

    Parameters
    ----------
    coverage : float
        Measured fraction of all channel-samples.
    worst : float
        Measured fraction of the worst channel.
    largest_gap_s : float
        Longest stretch (s) in which any channel was missing.
    """

    coverage: float
    worst: float
    largest_gap_s: float


WHOLE = Fitness(1.0, 1.0, 0.0)


def fitness(missing: Bools, rate: float) -> Fitness:
    """Measure a window's fitness.

    Parameters
    ----------
    missing : (n_channels, n_samples) bool
        True where nothing was measured.
    rate : float
        Hz.
    """
    if not missing.any():
        return WHOLE
    lost = missing.mean(axis=1)
    any_missing = missing.any(axis=0)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], any_missing, [False]])))
    longest = int((edges[1::2] - edges[::2]).max())
    return Fitness(1.0 - float(lost.mean()), 1.0 - float(lost.max()), longest / rate)


def reasons(measured: Fitness, policy: Policy) -> tuple[Reason, ...]:
    """Why a window of this fitness is not judged; empty where it is."""
    found = []
    if measured.worst < policy.min_coverage:
        found.append(Reason.COVERAGE)
    if measured.largest_gap_s > policy.max_gap_s:
        found.append(Reason.GAP)
    return tuple(found)
