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


class Grid:
    """The grid on which series of `n_samples` at a rate (Hz) are synthesised.

    Its `frequency`, (n_frequencies,) float64, goes from 0 to half the rate, Hz.
    """

    def __init__(self, n_samples: int, rate: float) -> None:
        self.n_samples = n_samples
        self._n_drawn = int(next_fast_len(OVERLENGTH * n_samples, real=True))
        self.frequency: Floats = np.asarray(rfftfreq(self._n_drawn, 1.0 / rate), dtype=np.float64)

    def draw(self, rng: np.random.Generator, n_series: int) -> Complexes:
        """White complex Gaussian coefficients of unit mean square, (n_series, n_frequencies) complex128."""
        drawn = rng.standard_normal((n_series, len(self.frequency), 2))
        return np.asarray((drawn[..., 0] + 1j * drawn[..., 1]) / np.sqrt(2.0))

    def series(self, drawn: Complexes, density: Floats) -> Floats:
        """(n_series, n_samples) float64 of coefficients and one-sided density, in its unit, not squared."""
        amplitude = np.sqrt(density * self.frequency[1] / 2.0)
        series = irfft(drawn * amplitude, n=self._n_drawn, axis=-1) * self._n_drawn
        return np.ascontiguousarray(series[:, : self.n_samples], dtype=np.float64)


def long_memory_density(frequency: Floats, exponent: float, rms: float) -> Floats:
    """Power law of a DFA exponent, scaled to a root mean square from 0.01 to 0.07 Hz.

    A series whose density falls as ``f**-beta`` has the exponent ``(beta + 1) / 2`` (Heneghan and
    McDarby 2000, *Physical Review E* 62, 6103).  Of an even grid from 0, (n_frequencies,) float64 Hz, it
    gives the one-sided density, (n_frequencies,) float64 in the unit of `rms` squared per Hz, 0 at 0 Hz.
    """

    def shape(hz: Floats) -> Floats:
        return np.asarray(hz ** (1.0 - 2.0 * exponent) / (1.0 + (hz / CORNER_HZ) ** 4))

    # Integrated on a grid of its own: the recording's may hold only a few points of the band.
    fine = np.linspace(0.01, 0.07, 601)
    density = np.concatenate([[0.0], shape(frequency[1:])])
    return np.asarray(density * rms**2 / np.trapezoid(shape(fine), fine))


def peak_density(frequency: Floats, centre: float, width: float, rms: float) -> Floats:
    """A Gaussian peak (Hz; `width` its standard deviation) of this rms, (n_frequencies,) float64."""
    density = np.exp(-0.5 * ((frequency - centre) / width) ** 2)
    density[0] = 0.0
    return np.asarray(density * rms**2 / (np.sqrt(2.0 * np.pi) * width))


def dfa_exponent(series: Floats, rate: float, shortest_s: float, longest_s: float, order: int = 1) -> float:
    """Exponent of detrended fluctuation analysis (Peng et al. 1994, *Physical Review E* 49, 1685).

    Of a series, (n_samples,) float64 in any unit at `rate`, Hz: the slope of log fluctuation over log box
    length, 0.5 for white noise, 1.5 for Brownian motion.  It is fitted between two box lengths, s, 12 of them
    on a logarithmic scale; a polynomial of this order is taken out of each box.
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
