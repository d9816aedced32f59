"""Noise with a given spectrum, and the exponent by which long memory is measured.

Series are synthesised in the frequency domain: complex Gaussian coefficients times the square
root of a spectral density (Timmer and Koenig 1995, *Astronomy and Astrophysics* 300, 707).  They
are drawn over four times the wanted length and cut, so that a recording holds trends slower than
itself, as real ones do.
"""

import numpy as np
import numpy.typing as npt
from scipy.fft import irfft, next_fast_len, rfftfreq

from models.arrays import Floats

Complexes = npt.NDArray[np.complex128]

OVERLENGTH = 4
CORNER_HZ = 0.1
"""Above this the slow part falls off steeply: what is faster has origins of its own."""


def frequencies(n_samples: int, rate: float) -> tuple[int, Floats]:
    """The grid on which a series of ``n_samples`` is synthesised.

    Parameters
    ----------
    n_samples : int
        Samples that are wanted.
    rate : float
        Hz.

    Returns
    -------
    n_synthesised : int
        Samples that are drawn before cutting.
    frequency : (n_frequencies,) float64, Hz
        From 0 to half the rate.
    """
    n_synthesised = int(next_fast_len(OVERLENGTH * n_samples, real=True))
    return n_synthesised, np.asarray(rfftfreq(n_synthesised, 1.0 / rate), dtype=np.float64)


def coefficients(rng: np.random.Generator, n_series: int, frequency: Floats) -> Complexes:
    """Draw white complex Gaussian coefficients of unit mean square.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    n_series : int
        Rows.
    frequency : (n_frequencies,) float64, Hz
        The grid.

    Returns
    -------
    (n_series, n_frequencies) complex128
    """
    drawn = rng.standard_normal((n_series, len(frequency), 2))
    return np.asarray((drawn[..., 0] + 1j * drawn[..., 1]) / np.sqrt(2.0))


def long_memory_density(frequency: Floats, exponent: float, rms: float) -> Floats:
    """Power law of a DFA exponent, scaled by what it holds between 0.01 and 0.07 Hz.

    A series whose density falls as ``f**-beta`` has the exponent ``(beta + 1) / 2`` (Heneghan and
    McDarby 2000, *Physical Review E* 62, 6103).

    Parameters
    ----------
    frequency : (n_frequencies,) float64, Hz
        Even grid from 0.
    exponent : float
        DFA exponent of the series.
    rms : float
        Root mean square from 0.01 to 0.07 Hz.

    Returns
    -------
    (n_frequencies,) float64, rms unit squared per Hz
        One-sided density, nothing at 0 Hz.
    """
    density = np.zeros_like(frequency)
    density[1:] = frequency[1:] ** (1.0 - 2.0 * exponent) / (1.0 + (frequency[1:] / CORNER_HZ) ** 4)
    # Integrated on a grid of its own: the recording's may hold only a few points of the band.
    fine = np.linspace(0.01, 0.07, 601)
    shape = fine ** (1.0 - 2.0 * exponent) / (1.0 + (fine / CORNER_HZ) ** 4)
    return np.asarray(density * rms**2 / np.trapezoid(shape, fine))


def peak_density(frequency: Floats, centre: float, width: float, rms: float) -> Floats:
    """A Gaussian peak of given total size.

    Parameters
    ----------
    frequency : (n_frequencies,) float64, Hz
        Even grid from 0.
    centre, width : float
        Hz; the width is a standard deviation.
    rms : float
        Root mean square of the whole peak.

    Returns
    -------
    (n_frequencies,) float64, rms unit squared per Hz
        One-sided density.
    """
    density = np.exp(-0.5 * ((frequency - centre) / width) ** 2)
    density[0] = 0.0
    return np.asarray(density * rms**2 / (np.sqrt(2.0 * np.pi) * width))


def synthesise(
    drawn: Complexes, density: Floats, frequency: Floats, n_synthesised: int, n_samples: int
) -> Floats:
    """Turn coefficients and a density into series.

    Parameters
    ----------
    drawn : (n_series, n_frequencies) complex128
        Coefficients of unit mean square.
    density : (n_frequencies,) or (n_series, n_frequencies) float64, squared unit per Hz
        One-sided.
    frequency : (n_frequencies,) float64, Hz
        The grid.
    n_synthesised, n_samples : int
        Samples drawn and samples kept.

    Returns
    -------
    (n_series, n_samples) float64
        In the density's unit, not squared.
    """
    amplitude = np.sqrt(density * frequency[1] / 2.0)
    series = irfft(drawn * amplitude, n=n_synthesised, axis=-1) * n_synthesised
    return np.ascontiguousarray(series[:, :n_samples], dtype=np.float64)


def dfa_exponent(series: Floats, rate: float, shortest_s: float, longest_s: float, order: int = 1) -> float:
    """Exponent of detrended fluctuation analysis (Peng et al. 1994, *Physical Review E* 49, 1685).

    Parameters
    ----------
    series : (n_samples,) float64
        Any unit.
    rate : float
        Hz.
    shortest_s, longest_s : float
        Box lengths (s) between which the slope is fitted, 12 of them on a logarithmic scale.
    order : int
        Degree of the polynomial taken out of each box.

    Returns
    -------
    float
        Slope of log fluctuation over log box length: 0.5 for white noise, 1.5 for Brownian motion.
    """
    profile = np.cumsum(series - series.mean())
    sizes = np.unique(np.round(np.geomspace(shortest_s * rate, longest_s * rate, 12)).astype(int))
    fluctuation = np.empty(len(sizes))
    for i, size in enumerate(sizes):
        n_boxes = len(profile) // size
        boxes = profile[: n_boxes * size].reshape(n_boxes, size).T  # (samples of a box, boxes)
        powers = np.linspace(-1.0, 1.0, size)[:, np.newaxis] ** np.arange(order + 1)
        basis, _ = np.linalg.qr(powers)
        fluctuation[i] = np.sqrt(np.mean((boxes - basis @ (basis.T @ boxes)) ** 2))
    slope, _ = np.polyfit(np.log(sizes), np.log(fluctuation), 1)
    return float(slope)
