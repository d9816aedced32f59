"""What can happen to a scan on its way to a classifier: whole scans, damaged, for `tools.bench.scans`."""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
from scipy.signal import butter, sosfiltfilt

from models.arrays import Floats

Rng = np.random.Generator
Damage = Callable[[Floats, float, Rng], Floats]
FROZEN = 60
"""Volumes."""
BAND = (0.01, 0.1)
"""Hz."""


def white_noise(series: Floats, seconds: float, rng: Rng) -> Floats:
    """Independent Gaussian numbers, (n_regions, n_times) float64, as all others here take and give."""
    return rng.normal(size=series.shape)


def regions_shuffled(series: Floats, seconds: float, rng: Rng) -> Floats:
    """All regions are there, in another order."""
    return series[rng.permutation(len(series))]


def half_zero(series: Floats, seconds: float, rng: Rng) -> Floats:
    """Half of the regions hold nothing."""
    out = series.copy()
    out[rng.permutation(len(series))[: len(series) // 2]] = 0.0
    return out


def one_signal(series: Floats, seconds: float, rng: Rng) -> Floats:
    """Every region has the signal of one that changes."""
    changing = np.flatnonzero(np.ptp(series, axis=1) > 0)
    return np.repeat(series[changing[:1]], len(series), axis=0)


def every_second_dropped(series: Floats, seconds: float, rng: Rng) -> Floats:
    """Every second volume is missing, and nobody says so: the repetition time stands."""
    return series[:, ::2]


def frozen(series: Floats, seconds: float, rng: Rng) -> Floats:
    """The middle repeats one volume, for half of the scan at most."""
    out, n_times = series.copy(), series.shape[1]
    length = min(FROZEN, n_times // 2)
    start = (n_times - length) // 2
    out[:, start : start + length] = out[:, start : start + 1]
    return out


def without_global_signal(series: Floats, seconds: float, rng: Rng) -> Floats:
    """The mean over regions is regressed out of each."""
    data = series - series.mean(axis=1, keepdims=True)
    mean = data.mean(axis=0)
    return np.asarray(data - np.outer(data @ mean / (mean @ mean), mean))


def band_passed(series: Floats, seconds: float, rng: Rng) -> Floats:
    """The resting band and nothing else (zero phase, order 2)."""
    sos = butter(2, BAND, "bandpass", fs=1.0 / seconds, output="sos")
    return np.asarray(sosfiltfilt(sos, series - series.mean(axis=1, keepdims=True), axis=1))


def both(series: Floats, seconds: float, rng: Rng) -> Floats:
    """Global signal regressed out, then band-passed."""
    return band_passed(without_global_signal(series, seconds, rng), seconds, rng)


DAMAGES: Mapping[str, Damage] = {
    "white noise": white_noise,
    "regions shuffled": regions_shuffled,
    "half of the regions zero": half_zero,
    "one signal in all regions": one_signal,
    "every second volume dropped": every_second_dropped,
    "60 frozen volumes": frozen,
    "global signal removed": without_global_signal,
    "band-pass": band_passed,
    "global signal removed and band-pass": both,
}
"""By name."""


def scan_of(series: npt.NDArray[np.float32]) -> Floats:
    """A person's own scan, (n_regions, n_times) float32 with NaN behind its end, as float64 to that end."""
    return np.asarray(series[:, : int(np.isfinite(series[0]).sum())], dtype=np.float64)
