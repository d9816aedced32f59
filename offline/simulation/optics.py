"""From haemoglobin to light: the modified Beer-Lambert law, forwards.

The same matrix as in the live conversion (`realtime.stages.beer_lambert`, which has it from MNE),
inverted: what is simulated is found again exactly.
"""

import numpy as np

from models.arrays import Floats
from offline.simulation.probe import LONG_M
from realtime.stages.beer_lambert import PPF, concentration_matrix


def extinction(wavelengths: tuple[float, float]) -> Floats:
    """Natural optical density of one mol/L over 1 m: (2, 2) float64, wavelengths by HbO and HbR."""
    return np.asarray(np.linalg.inv(concentration_matrix(wavelengths, (1.0, 1.0))))


def optical_density(haemoglobin: Floats, paths: Floats, wavelengths: tuple[float, float]) -> Floats:
    """Optical density of concentrations, (n_pairs, 2, n_samples): pairs by wavelengths (nm) by samples.

    Of HbO and HbR, (2, n_pairs, n_samples) float64 mol/L, as differences from those at the mean intensity,
    over paths, (n_pairs,) float64 m: distance times partial pathlength factor.
    """
    return paths[:, np.newaxis, np.newaxis] * (extinction(wavelengths) @ haemoglobin.swapaxes(0, 1))


def noise_density(noise_rms: float, wavelengths: tuple[float, float]) -> float:
    """White noise of optical density that a 3 cm pair shows as ``noise_rms`` (mol/L) of HbO.

    The same at both wavelengths; the usual partial pathlength factor is taken for the conversion.
    """
    inverse = np.linalg.inv(extinction(wavelengths) * LONG_M * PPF)
    return float(noise_rms / np.linalg.norm(inverse[0]))
