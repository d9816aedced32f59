"""Pearson correlation within each frequency band, by a band-pass that keeps whole Fourier frequencies.

The product of two band-passed series is the sum over the band's frequencies of the products of their
Fourier coefficients (Parseval), so nothing is transformed back: a scan of 200 volumes has a dozen
frequencies in a band.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.arrays import Floats
from models.features.bands import SLOW, Bands, bins_of, checked_bands
from models.features.series import Series, blocks, checked, fisher_z, pair_names, unit, upper

LEAST_FREQUENCIES = 2
"""Of one frequency only the phase can differ between regions."""


@dataclass(frozen=True, eq=False)
class BandCorrelation:
    """Correlation of every two regions in every band; needs two frequencies in each.

    Parameters
    ----------
    bands : tuple of (name, low Hz, high Hz)
        See `models.features.bands`.
    fisher : bool
        Whether to give Fisher's z.
    unreached : float
        Stands for a band that the repetition time does not reach.
    """

    bands: Bands = SLOW
    fisher: bool = True
    unreached: float = 0.0

    def __post_init__(self) -> None:
        checked_bands(self.bands)

    def __call__(self, X: Series, repetition_time: Floats) -> Floats:
        """Series in, (n, n_bands * n_pairs) float64 out: all pairs of the first band, then the next.

        A masked region correlates 0.
        """
        X = checked(X)
        pairs = upper(X.shape[1])
        out = np.full((len(X), len(self.bands), int(pairs.sum())), float(self.unreached))
        for block in blocks(X, repetition_time):
            block.require(4, "a correlation in bands")
            series, _ = unit(block)
            spectrum = np.fft.rfft(series.astype(np.float64), axis=2)
            if block.n_times % 2 == 0:
                spectrum[:, :, -1] *= np.sqrt(0.5)  # half the rate is there once, all others twice
            for b, (name, low, high) in enumerate(self.bands):
                bins = bins_of(block, name, low, high, least=LEAST_FREQUENCIES)
                if bins is None:
                    continue
                parts = np.concatenate([spectrum.real[:, :, bins], spectrum.imag[:, :, bins]], axis=2)
                norm = np.sqrt(np.square(parts).sum(axis=2, keepdims=True))
                # Of series of length 1: what is smaller than this is rounding, not a band.
                parts = np.where(norm > 1e-7, parts / np.maximum(norm, 1e-7), 0.0)
                found = (parts @ parts.swapaxes(1, 2))[:, pairs]
                out[block.rows, b] = fisher_z(found) if self.fisher else found
        return out.reshape(len(X), out.shape[1] * out.shape[2])

    def names(self, regions: Sequence[str]) -> list[str]:
        """Names of the columns."""
        return [f"{pair} {name}" for name, _, _ in self.bands for pair in pair_names(regions)]
