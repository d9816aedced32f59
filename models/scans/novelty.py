"""How unlike its training a scan is: measures with a name each, and what people of the training had of them.

A scan model gives a probability for any numbers: for noise, for regions in another order, for a scan that
was preprocessed in another way.  So a bundle keeps, of `CHECKS`, what is expected of a person's scan: a
centre, and the least and the most that scans of unseen people hardly ever exceed.  What lies beyond is a
reason to abstain, by the check's name, with the value that was found and what was expected.

What it cannot see: a scan of somebody unlike all people of the training that is a good scan; left and right
exchanged, where homologous regions correlate alike; a scan upside down in value or in time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from models.arrays import Bools, Floats
from models.errors import BundleError
from models.scans.measures import (
    FEWEST_REGIONS,
    FEWEST_VOLUMES,
    covariance_rank,
    fast_power,
    mean_correlation,
    pairs_of,
    region_order,
    repeated_volumes,
    standardised,
)
from models.scans.time_base import TimeBase

CHECKS = (
    "mean correlation",
    "spread of correlations",
    "covariance rank",
    "region order",
    "spectrum",
    "repeated volumes",
    "time base",
)
"""Names of the checks, in their order: they are reasons to abstain."""
RATIOS = ("spread of correlations", "covariance rank", "spectrum")
"""Checks of what is above 0 and skewed: distances are of logarithms."""
NEAREST = 1e-6
"""What lies nearer to where a logarithm or its like ends counts as that near."""
OPEN_BELOW = ("repeated volumes", "time base")
"""Checks of which too little is no fault."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a check found, and what scans of the training had.

    Parameters
    ----------
    check : str
        Of `CHECKS`.
    value : float
        Found; NaN where it cannot be known of this scan.
    least, most : float
        Expected; minus infinity where too little is no fault.
    distance : float
        From the centre, as a share of the way to the bound on that side: above 1 it lies beyond.
    """

    check: str
    value: float
    least: float
    most: float
    distance: float

    @property
    def beyond(self) -> bool:
        """Whether the value lies outside what is expected."""
        return self.distance > 1.0

    def __str__(self) -> str:
        least = "" if np.isinf(self.least) else f"{self.least:.3g} to "
        return f"{self.check} is {self.value:.3g}; expected {least or 'at most '}{self.most:.3g}"


@dataclass(frozen=True, eq=False)
class ScanNovelty:
    """What scans of people of the training looked like.

    Parameters
    ----------
    expected : (n_regions * (n_regions - 1) / 2,) float32
        Mean of Fisher's z of every two regions.
    time_base : TimeBase or None
        None where the training was too small to fit one.
    bounds : mapping of str to (centre, least, most)
        Of each of `CHECKS`, in the unit of its value.
    """

    expected: npt.NDArray[np.float32]
    time_base: TimeBase | None
    bounds: Mapping[str, tuple[float, float, float]]

    def findings(
        self, series: npt.NDArray[np.floating], seconds: float, live: Bools
    ) -> tuple[CheckResult, ...]:
        """All checks of a scan.

        Parameters
        ----------
        series : (n_regions, n_times) floating
            Finite; any unit.
        seconds : float
            Its repetition time.
        live : (n_regions,) bool
            Which regions change.
        """
        values = measures(series, seconds, live, self.expected, self.time_base)
        found = []
        for check in CHECKS:
            if check in self.bounds:
                centre, least, most = self.bounds[check]
                distance = _distance(check, values[check], centre, least, most)
                found.append(CheckResult(check, values[check], least, most, distance))
        return tuple(found)

    def to_arrays(self) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
        """Arrays by name, all (n,) float32, and the bounds as JSON types, None for an open one."""
        arrays: dict[str, npt.NDArray[Any]] = {"expected": self.expected}
        if self.time_base is not None:
            arrays |= {"mean": self.time_base.mean, "weights": self.time_base.weights}
        bounds = {
            check: [None if np.isinf(value) else float(value) for value in self.bounds[check]]
            for check in self.bounds
        }
        return arrays, {"checks": bounds}

    @classmethod
    def from_arrays(
        cls, arrays: Mapping[str, npt.NDArray[Any]], values: Mapping[str, Any], n_regions: int
    ) -> Self:
        """Undo `to_arrays`, of so many regions.

        Raises
        ------
        BundleError
            Arrays or bounds are not what this version computes with.
        """
        pairs = n_regions * (n_regions - 1) // 2
        sizes = {name: array.shape for name, array in arrays.items()}
        whole = {"expected", "mean", "weights"}
        fits = sizes.get("expected") == (pairs,) and set(sizes) in ({"expected"}, whole)
        if not fits or sizes.get("mean") != sizes.get("weights"):
            raise BundleError(
                f"The bundle's novelty has numbers {sizes}; expected ({pairs},) of {n_regions} regions."
            )
        try:
            bounds = {str(check): _bounds(check, given) for check, given in values["checks"].items()}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BundleError(f"Card: novelty cannot be read ({type(error).__name__}: {error}).") from error
        base = TimeBase(arrays["mean"], arrays["weights"]) if "mean" in arrays else None
        return cls(arrays["expected"], base, bounds)


def measures(
    series: npt.NDArray[np.floating],
    seconds: float,
    live: Bools,
    expected: Floats | npt.NDArray[np.float32],
    time_base: TimeBase | None,
) -> dict[str, float]:
    """The value of every check of a scan, by name; NaN where it cannot be known.

    Parameters
    ----------
    series : (n_regions, n_times) floating
        Finite; any unit.
    seconds : float
        Its repetition time.
    live : (n_regions,) bool
        Which regions change.
    expected : (n_regions * (n_regions - 1) / 2,) floating
        Mean of Fisher's z of every two regions.
    time_base : TimeBase or None
        None leaves its check out.
    """
    values = dict.fromkeys(CHECKS, np.nan)
    if np.count_nonzero(live) < FEWEST_REGIONS or series.shape[1] < FEWEST_VOLUMES:
        return values
    standard = standardised(series, live)
    correlation = standard @ standard.T / standard.shape[1]
    pairs = pairs_of(correlation)
    first, second = np.triu_indices(len(live), 1)
    return {
        "mean correlation": mean_correlation(correlation),
        "spread of correlations": float(pairs.std()),
        "covariance rank": covariance_rank(correlation),
        "region order": region_order(pairs, np.asarray(expected[live[first] & live[second]], np.float64)),
        "spectrum": fast_power(standard, seconds),
        "repeated volumes": repeated_volumes(standard),
        "time base": np.nan if time_base is None else time_base.score(series, seconds, live),
    }


def scaled(check: str, value: float | Floats) -> Floats:
    """Values of a check, (...) float64, on the scale on which distances are taken, (...) float64."""
    values = np.asarray(value, dtype=np.float64)
    if check in RATIOS:
        return np.asarray(np.log(np.maximum(values, NEAREST)))
    if check == "mean correlation":
        share = np.clip(values, NEAREST, 1.0 - NEAREST)
        return np.asarray(np.log(share / (1.0 - share)))
    if check == "region order":
        return np.asarray(np.arctanh(np.clip(values, NEAREST - 1.0, 1.0 - NEAREST)))
    return values


def unscaled(check: str, value: float) -> float:
    """Undo `scaled`."""
    if check in RATIOS:
        return float(np.exp(value))
    if check == "mean correlation":
        return float(1.0 / (1.0 + np.exp(-value)))
    return float(np.tanh(value)) if check == "region order" else float(value)


def _distance(check: str, value: float, centre: float, least: float, most: float) -> float:
    if np.isnan(value):
        return 0.0
    at, middle, high = (float(scaled(check, each)) for each in (value, centre, most))
    if at >= middle:
        return (at - middle) / (high - middle)
    return 0.0 if check in OPEN_BELOW else (middle - at) / (middle - float(scaled(check, least)))


def _bounds(check: str, given: Sequence[float | None]) -> tuple[float, float, float]:
    centre, least, most = (-np.inf if value is None else float(value) for value in given)
    ends = np.isinf(least) == (check in OPEN_BELOW)
    if check not in CHECKS or not (ends and least < centre < most and np.isfinite([centre, most]).all()):
        raise ValueError(f"{check} is {list(given)}; expected least < centre < most of one of {CHECKS}")
    return centre, least, most
