"""Does the optode sit on the skin?  The pulse shows it: it is there, and alike at both wavelengths.

Scalp coupling index and peak spectral power (Pollonini et al. 2014, Hearing Research 309, 84-93; 2016,
Biomed. Opt. Express 7, 5104-5119) of one window, from its own samples alone.  The usual forms filter the
whole recording first, which a live session cannot.  Here the window's samples are projected, at their true
times, onto cosines and sines at multiples of half the window's frequency in the band of the pulse; what
is slower (a line, and whole cycles below the band) is fitted away first.  Correlation and spectrum of the two
wavelengths follow from these coefficients by Parseval's theorem, without the filtered signals themselves.
"""

from itertools import combinations

import numpy as np
from scipy.linalg.lapack import dposv

from models.arrays import Floats
from realtime.signal import Kind, SignalSpec

TRANSITION = 0.3
"""Over so many Hz beyond the band's edges frequencies fade out; as mne and mne-nirs do it."""
LEAST_CYCLES = 3.0
"""A window must hold so many cycles of the band's lower edge."""
LEAST_SHARE = 0.5
"""... and so much of the samples that its length and rate promise."""
MOST_CELLS = 2**23
"""Samples by frequencies: in longer windows the pulse is not looked for, which would exhaust the memory."""
SILENCE = 1e-9
"""A pulse below this share of the signal is rounding: there is none."""
HAMMING = (0.54, 0.46)
"""Of the window over lags, as in mne-nirs."""


class ScalpCoupling:
    """Scalp coupling index and peak spectral power of windows.

    Parameters
    ----------
    spec : SignalSpec
        The device's channels.
    length_s : float
        Of the windows, s.
    low, high : float
        The band of the pulse, Hz.
    """

    def __init__(self, spec: SignalSpec, *, length_s: float, low: float, high: float) -> None:
        self._length = length_s
        self._low, self._high = low, high
        pairs = _source_detector_pairs(spec)
        both = [pair for rows in pairs for pair in combinations(rows, 2)]
        self._one = np.array([one for one, _ in both], dtype=np.intp)
        self._other = np.array([other for _, other in both], dtype=np.intp)
        counts = [len(rows) * (len(rows) - 1) // 2 for rows in pairs]
        self._starts = np.cumsum([0, *counts[:-1]]) if pairs else np.zeros(0, dtype=np.intp)
        self._several = len(both) > len(pairs)
        self.pair_of = np.full(len(spec), len(pairs), dtype=np.intp)
        """(n_channels,) place of each channel; one beyond the last for a channel without a partner."""
        for place, rows in enumerate(pairs):
            self.pair_of[rows] = place

    def knowable(self, rate: float) -> bool:
        """Whether the pulse can be measured at this rate (Hz) in windows of this length."""
        enough = self._length * self._low >= LEAST_CYCLES
        cells = self._length * rate * 2.0 * self._length * (self._high + TRANSITION)
        return bool(len(self._one)) and enough and rate > 2.0 * self._high and cells <= MOST_CELLS

    def measure(self, times: Floats, data: Floats, rate: float) -> tuple[Floats, Floats]:
        """Measure one window.

        Parameters
        ----------
        times : (n_samples,) float64
            Seconds since the window's start.
        data : (n_channels, n_samples) float64
            Finite; intensities or optical densities, in any unit.
        rate : float
            Of the samples, Hz.

        Returns
        -------
        scalp_coupling : (n_pairs,) float64
            Correlation in the band of the pulse, -1 to 1; of several wavelengths that of the two least alike.
            0 where one of them has no pulse at all.
        peak_power : (n_pairs,) float64
            Largest value of the spectral density (1/Hz) of the cross-correlation of the two, each in units of
            its own SD, under a Hamming window.
        """
        n, band = len(times), None
        if self.knowable(rate) and n >= LEAST_SHARE * self._length * rate:
            band = self._band(times, rate)
        if band is None:
            unknown = np.full(len(self._starts), np.nan)
            return unknown, unknown
        projected = data @ band  # (n_channels, 2 n_frequencies): cosines, then sines
        power = np.einsum("cf,cf->c", projected, projected)
        loud = power > SILENCE**2 * n * np.einsum("cn,cn->c", data, data)
        there = loud[self._one] & loud[self._other]
        both = np.where(there, np.sqrt(power[self._one] * power[self._other]), 1.0)
        half = projected.shape[1] // 2
        first, second = projected[self._one], projected[self._other]
        alike = first * second
        cross = alike[:, :half] + alike[:, half:]  # the cross-spectrum's real part, and the imaginary one
        turned = first[:, :half] * second[:, half:] - first[:, half:] * second[:, :half]
        index = np.where(there, cross.sum(axis=1) / both, 0.0)
        cross, turned = _smoothed(cross), _smoothed(turned)
        density = cross * cross + turned * turned
        # Of a periodogram over 2 n - 1 lags, one side, divided by the window's own power.
        unit = 2.0 / ((2 * n - 1) * rate * (HAMMING[0] ** 2 + HAMMING[1] ** 2 / 2.0))
        peak = np.where(there, density.max(axis=1) * (unit * n**2) / both**2, 0.0)
        if self._several:
            index = np.minimum.reduceat(index, self._starts)
            peak = np.minimum.reduceat(peak, self._starts)
        return index, peak

    def _band(self, times: Floats, rate: float) -> Floats | None:
        """Cosines and sines in the band, without what is slower, (n_samples, 2 n_frequencies)."""
        slowest, fastest = self._low - TRANSITION, self._high + TRANSITION
        twice = 2.0 * self._length
        first = max(int(np.floor(slowest * twice)) + 1, 1)
        stop = int(np.ceil(min(fastest, rate / 2.0) * twice))
        frequencies = np.arange(first, stop) / twice
        gain = np.minimum((frequencies - slowest) / TRANSITION, (fastest - frequencies) / TRANSITION)
        gain = np.minimum(gain, 1.0)
        # Powers of one turn: every cosine and sine from a product instead of a call.
        turn = np.exp((2j * np.pi / twice) * times)
        turns = np.multiply.accumulate(np.repeat(turn[:, np.newaxis], stop - 1, axis=1), axis=1)
        inside = turns[:, first - 1 :] * gain
        whole = turns[:, 1 : 2 * int(max(slowest, 0.0) * self._length + 1e-9) : 2]  # cycles below the band
        n, n_cycles = whole.shape
        slow = np.empty((n, 2 + 2 * n_cycles))
        slow[:, 0], slow[:, 1] = 1.0, times / self._length - 0.5
        slow[:, 2 : 2 + n_cycles], slow[:, 2 + n_cycles :] = whole.real, whole.imag
        band = np.concatenate([inside.real, inside.imag], axis=1)
        # Least squares by the normal equations: few columns, nearly orthogonal, and no faster way.
        _, shares, failed = dposv(slow.T @ slow, slow.T @ band)
        if failed:  # samples so bunched that slow and fast cannot be separated
            return None
        band -= slow @ shares
        return band


def _smoothed(spectrum: Floats) -> Floats:
    """What a Hamming window over the lags does to it: each frequency takes a share of its neighbours."""
    out = HAMMING[0] * spectrum
    half = HAMMING[1] / 2.0
    out[:, 1:] += half * spectrum[:, :-1]
    out[:, :-1] += half * spectrum[:, 1:]
    return out


def _source_detector_pairs(spec: SignalSpec) -> list[list[int]]:
    """Rows of the channels of light that share source and detector, two wavelengths or more."""
    at: dict[tuple[int | None, int | None], list[int]] = {}
    for row, channel in enumerate(spec.channels):
        light = channel.kind in (Kind.INTENSITY, Kind.OPTICAL_DENSITY)
        if light and channel.wavelength is not None and None not in channel.pair:
            at.setdefault(channel.pair, []).append(row)
    return [rows for rows in at.values() if len({spec.channels[r].colour for r in rows}) == len(rows) > 1]
