"""The raw quality of one window: what its samples show by themselves, whatever came before.

All that can be found out while the sample that completes the window is still awaited.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from realtime.quality import artefacts
from realtime.quality.buffer import RecentSamples
from realtime.quality.scalp_coupling import ScalpCoupling


class Key(NamedTuple):
    """Which samples were looked at: the window's start, the last of them (s), how many, their rate (Hz)."""

    start: float
    last: float
    n_samples: int
    rate: float


@dataclass(frozen=True, slots=True, eq=False)
class RawQuality:
    """What they show; NaN where that cannot be known.

    Parameters
    ----------
    key : Key
        So that it is not taken for what other samples show.
    times : (n_samples,) float64
        Since the window's start, s.
    unknown : (n_unknown,) intp
        The device's channels of which less than half was measured.
    coupling, power : (n_pairs,) float64
        Of the pulse, as in `realtime.quality.scalp_coupling`.
    flat, saturated, own_change : (n_inputs,) float64
        As `realtime.quality.artefacts` gives them.
    moved : (n_inputs, n_samples - lag) float64
        Likewise.
    lag : int
        Samples.
    summary : mapping of str to float or None
        Medians over source-detector pairs.
    """

    key: Key
    times: Floats
    unknown: npt.NDArray[np.intp]
    coupling: Floats
    power: Floats
    flat: Floats
    saturated: Floats
    own_change: Floats
    moved: Floats
    lag: int
    summary: Mapping[str, float | None]


def samples_key(recent: RecentSamples, where: slice, start: float, rate: float) -> Key:
    """Which samples these are."""
    n_samples = where.stop - where.start
    return Key(start, float(recent.times(where)[-1]) if n_samples else start, n_samples, rate)


def measure_raw(
    recent: RecentSamples, where: slice, start: float, rate: float, pulse: ScalpCoupling
) -> RawQuality | None:
    """Measure the raw quality of a window; None where it has fewer than two samples.

    Parameters
    ----------
    recent : RecentSamples
        Holds them.
    where : slice
        Which.
    start : float
        Of the window, stream time (s).
    rate : float
        Of the samples, Hz.
    pulse : ScalpCoupling
        Measures the pulse.
    """
    if where.stop - where.start < 2:
        return None
    times = recent.times(where) - start
    by_sample = recent.data(where)
    flat = saturated = np.zeros(by_sample.shape[1])  # most windows have nothing of the kind
    # A signal may hold any number that a float can: what overflows is not known.
    with np.errstate(all="ignore"):
        same = artefacts.repeats(by_sample)
        data, unknown = _filled(times, by_sample)
        if same.any():
            flat = artefacts.longest_repetition(times, same)
            saturated = artefacts.share_saturated(by_sample, same)
        moved, lag = artefacts.changes(times, data, rate)
        own_change = artefacts.usual_change(moved)
        coupling, power = pulse.measure(times, data, rate)
    if len(unknown):
        coupling, power, flat, saturated = (each.copy() for each in (coupling, power, flat, saturated))
        pairs = pulse.pair_of[unknown]
        pairs = pairs[pairs < len(coupling)]
        coupling[pairs] = power[pairs] = np.nan
        flat[unknown] = saturated[unknown] = np.nan
    return RawQuality(
        key=samples_key(recent, where, start, rate),
        times=times,
        unknown=unknown,
        coupling=coupling,
        power=power,
        flat=flat,
        saturated=saturated,
        own_change=own_change,
        moved=moved,
        lag=lag,
        summary={"scalp_coupling": _median(coupling), "peak_power": _median(power)},
    )


def _filled(times: Floats, by_sample: Floats) -> tuple[Floats, npt.NDArray[np.intp]]:
    """Channels by row, what is missing put in on a line; and which channels are mostly missing.

    Returns
    -------
    data : (n_channels, n_samples) float64
        Finite; what would be unknown is 0.
    unknown : (n_unknown,) intp
        Channels of which less than half was measured.
    """
    data = np.ascontiguousarray(by_sample.T)
    missing = np.isnan(data)
    if not missing.any():
        return data, np.empty(0, dtype=np.intp)
    lost = np.count_nonzero(missing, axis=1)
    mostly = lost > len(times) // 2
    data[mostly] = 0.0
    for row in np.flatnonzero((lost > 0) & ~mostly):
        there = ~missing[row]
        data[row] = np.interp(times, times[there], data[row, there])
    return data, np.flatnonzero(mostly)


def _median(values: Floats) -> float | None:
    """Rounded median of what is known; None where nothing is."""
    known = sorted(value for value in values.tolist() if isfinite(value))
    middle = len(known) // 2
    return round((known[middle] + known[-1 - middle]) / 2.0, 4) if known else None
