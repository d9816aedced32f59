"""Features of region series, as scikit-learn transformers around parts that a bundle can hold."""

from offline.features.base import SeriesTransformer
from offline.features.components import Components
from offline.features.connectivity import (
    AutoregressionFeatures,
    BandCorrelationFeatures,
    CorrelationFeatures,
    GrangerFeatures,
    ShrunkFeatures,
)
from offline.features.dynamics import SlidingConnectivityFeatures, TemporalVariabilityFeatures
from offline.features.kinds import KindsFeatures
from offline.features.locally_linear import LocallyLinear
from offline.features.spectra import BandAmplitudeFeatures, LowFrequencyFeatures, SpectrumFeatures
from offline.features.tangent import TangentFeatures

FEATURES: dict[str, type[SeriesTransformer]] = {
    "autoregression": AutoregressionFeatures,
    "band_amplitude": BandAmplitudeFeatures,
    "band_correlation": BandCorrelationFeatures,
    "components": Components,
    "correlation": CorrelationFeatures,
    "granger": GrangerFeatures,
    "low_frequency": LowFrequencyFeatures,
    "shrunk": ShrunkFeatures,
    "sliding_connectivity": SlidingConnectivityFeatures,
    "spectrum": SpectrumFeatures,
    "tangent": TangentFeatures,
    "temporal_variability": TemporalVariabilityFeatures,
}
"""Features of region series by name.

`LocallyLinear` is not among them: it takes a table; nor is `KindsFeatures`, for it has holes."""

__all__ = [
    "FEATURES",
    "AutoregressionFeatures",
    "BandAmplitudeFeatures",
    "BandCorrelationFeatures",
    "Components",
    "CorrelationFeatures",
    "GrangerFeatures",
    "KindsFeatures",
    "LocallyLinear",
    "LowFrequencyFeatures",
    "SeriesTransformer",
    "ShrunkFeatures",
    "SlidingConnectivityFeatures",
    "SpectrumFeatures",
    "TangentFeatures",
    "TemporalVariabilityFeatures",
]
