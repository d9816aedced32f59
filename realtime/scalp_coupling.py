"""Does the optode sit on the skin?  The pulse tells: it is there, and alike at both wavelengths.

Scalp coupling index and peak spectral power (Pollonini et al. 2014, Hearing Research 309, 84-93; 2016,
Biomed. Opt. Express 7, 5104-5119) of one window, from its own samples alone.  The usual forms filter the
whole recording first, which a live session cannot.  Here the window's samples are projected, at their true
times, onto cosines and sines at multiples of half the window's frequency in the band of the pulse; what
is slower (a line, and whole cycles below the band) is fitted away first.  Correlation and spectrum of the two
wavelengths follow from these coefficients by Parseval's theorem, without the filtered signals themselves.
"""

from itertools import combinations

import numpy as np

from realtime.signal import Floats, Kind, SignalSpec

TRANSITION = 0.3
"""Over so many Hz beyond the band's edges frequencies fade out; as mne and mne-nirs do it."""
LEAST_CYCLES = 3.0
"""A window must hold so many cycles of the band's lower edge."""
LEAST_SHARE = 0.5
"""... and so much of the samples that its length and rate promise."""
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
        self._n = len(spec)
        self._length = length_s
        self._low, self._high = low, high
        places = _places(spec)
        both = [pair for rows in places for pair in combinations(rows, 2)]
        self._one = np.array([one for one, _ in both], dtype=np.intp)
        self._other = np.array([other for _, other in both], dtype=np.intp)
        counts = [len(rows) * (len(rows) - 1) // 2 for rows in places]
        self._starts = np.cumsum([0, *counts[:-1]]) if places else np.zeros(0, dtype=np.intp)
        self._several = len(both) > len(places)
        self._rows = np.array([row for rows in places for row in rows], dtype=np.intp)
        self._place_of = np.repeat(np.arange(len(places)), [len(rows) for rows in places])

    def knowable(self, rate: float) -> bool:
        """Whether the pulse can be seen at this rate (Hz) in windows of this length."""
        enough = self._length * self._low >= LEAST_CYCLES
        return bool(len(self._one)) and enough and rate > 2.0 * self._high

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
        scalp_coupling : (n_places,) float64
            Correlation in the band of the pulse, -1 to 1; of several wavelengths that of the two least alike.
            0 where one of them has no pulse at all.
        peak_power : (n_places,) float64
            Largest value of the spectral density (1/Hz) of the cross-correlation of the two, each in units of
            its own SD, under a Hamming window.
        """
        if not self.knowable(rate) or len(times) < LEAST_SHARE * self._length * rate:
            unknown = np.full(len(self._starts), np.nan)
            return unknown, unknown
        seen = self._spectra(times, data, rate)  # (n_channels, n_frequencies, 2)
        power = np.einsum("cfk,cfk->c", seen, seen)
        n = len(times)
        loud = power > (SILENCE * n * np.abs(data).max(axis=1)) ** 2
        first, second = seen[self._one], seen[self._other]
        cross = first[..., 0] * second[..., 0] + first[..., 1] * second[..., 1]  # real part, then imaginary
        turned = first[..., 1] * second[..., 0] - first[..., 0] * second[..., 1]
        both = np.sqrt(power[self._one] * power[self._other])
        there = loud[self._one] & loud[self._other]
        scale = np.where(there, both, 1.0)
        index = np.where(there, cross.sum(axis=1) / scale, 0.0)
        density = _smoothed(cross) ** 2 + _smoothed(turned) ** 2
        peak = density.max(axis=1) * (n / scale) ** 2
        # Of a periodogram over 2 n - 1 lags, one side, divided by the window's own power.
        peak *= 2.0 / ((2 * n - 1) * rate * (HAMMING[0] ** 2 + HAMMING[1] ** 2 / 2.0))
        peak = np.where(there, peak, 0.0)
        if self._several:
            index = np.minimum.reduceat(index, self._starts)
            peak = np.minimum.reduceat(peak, self._starts)
        return index, peak

    def of_channels(self, values: Floats) -> Floats:
        """What is known of places, for each of the device's channels.

        Parameters
        ----------
        values : (n_places,) float64
            As `measure` gives them.

        Returns
        -------
        (n_channels,) float64
            NaN for a channel that has no partner.
        """
        out = np.full(self._n, np.nan)
        out[self._rows] = values[self._place_of]
        return out

    def _spectra(self, times: Floats, data: Floats, rate: float) -> Floats:
        """Coefficients in the band, cosines and sines, without what is slower."""
        slowest, fastest = self._low - TRANSITION, self._high + TRANSITION
        twice = 2.0 * self._length
        first = max(int(np.floor(slowest * twice)) + 1, 1)
        stop = int(np.ceil(min(fastest, rate / 2.0) * twice))
        frequencies = np.arange(first, stop) / twice
        gain = np.minimum((frequencies - slowest) / TRANSITION, (fastest - frequencies) / TRANSITION)
        gain = np.minimum(gain, 1.0)
        turns = (2.0 * np.pi) * times[:, np.newaxis]
        angles = turns * frequencies
        band = np.stack([np.cos(angles) * gain, np.sin(angles) * gain], axis=2).reshape(len(times), -1)
        cycles = turns * (np.arange(1, max(int(slowest * self._length + 1e-9), 0) + 1) / self._length)
        line = np.stack([np.ones(len(times)), times / self._length - 0.5], axis=1)
        slow, _ = np.linalg.qr(np.concatenate([line, np.cos(cycles), np.sin(cycles)], axis=1))
        band -= slow @ (slow.T @ band)
        return (data @ band).reshape(len(data), -1, 2)


def _smoothed(spectrum: Floats) -> Floats:
    """What a Hamming window over the lags does to it: each frequency takes a share of its neighbours."""
    out = HAMMING[0] * spectrum
    half = HAMMING[1] / 2.0
    out[:, 1:] += half * spectrum[:, :-1]
    out[:, :-1] += half * spectrum[:, 1:]
    return out


def _places(spec: SignalSpec) -> list[list[int]]:
    """Rows of the channels of light that share source and detector, two wavelengths or more."""
    at: dict[tuple[int | None, int | None], list[int]] = {}
    for row, channel in enumerate(spec.channels):
        light = channel.kind in (Kind.INTENSITY, Kind.OPTICAL_DENSITY)
        if light and channel.wavelength is not None and None not in channel.pair:
            at.setdefault(channel.pair, []).append(row)
    return [rows for rows in at.values() if len({spec.channels[r].wavelength for r in rows}) == len(rows) > 1]
