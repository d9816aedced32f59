"""Features of region series, as scikit-learn transformers around parts that a bundle can hold."""

from offline.features.base import SeriesTransformer
from offline.features.components import Components
from offline.features.connectivity import Autoregression, BandCorrelation, Correlation, Granger, Shrunk
from offline.features.dynamics import SlidingConnectivity, TemporalVariability
from offline.features.kinds import Kinds
from offline.features.locally_linear import LocallyLinear
from offline.features.spectra import BandAmplitude, LowFrequency, Spectrum
from offline.features.tangent import Tangent

FEATURES: dict[str, type[SeriesTransformer]] = {
    "autoregression": Autoregression,
    "band_amplitude": BandAmplitude,
    "band_correlation": BandCorrelation,
    "components": Components,
    "correlation": Correlation,
    "granger": Granger,
    "low_frequency": LowFrequency,
    "shrunk": Shrunk,
    "sliding_connectivity": SlidingConnectivity,
    "spectrum": Spectrum,
    "tangent": Tangent,
    "temporal_variability": TemporalVariability,
}
"""Features of region series by name.

`LocallyLinear` is not among them: it takes a table; nor is `Kinds`, for it has holes."""

__all__ = [
    "FEATURES",
    "Autoregression",
    "BandAmplitude",
    "BandCorrelation",
    "Components",
    "Correlation",
    "Granger",
    "Kinds",
    "LocallyLinear",
    "LowFrequency",
    "SeriesTransformer",
    "Shrunk",
    "SlidingConnectivity",
    "Spectrum",
    "Tangent",
    "TemporalVariability",
]
