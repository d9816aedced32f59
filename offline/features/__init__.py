"""Features of region series as scikit-learn transformers: `models.features`, and what is fitted to people."""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from models.features.band_connectivity import BandCorrelation
from models.features.connectivity import Correlation, Shrunk
from models.features.dynamics import SlidingConnectivity, TemporalVariability
from models.features.granger import Autoregression, Granger
from models.features.spectra import BandAmplitude, LowFrequency, Spectrum
from offline.features.base import SeriesFeatures
from offline.features.components import Components
from offline.features.locally_linear import LocallyLinear
from offline.features.tangent import TangentFeatures


def _fixed(kind: Callable[..., Any], **settings: Any) -> SeriesFeatures:
    return SeriesFeatures(kind(**settings))


FEATURES: Mapping[str, Callable[..., SeriesFeatures]] = MappingProxyType(
    {
        "autoregression": partial(_fixed, Autoregression),
        "band_amplitude": partial(_fixed, BandAmplitude),
        "band_correlation": partial(_fixed, BandCorrelation),
        "components": Components,
        "correlation": partial(_fixed, Correlation),
        "granger": partial(_fixed, Granger),
        "low_frequency": partial(_fixed, LowFrequency),
        "shrunk": partial(_fixed, Shrunk),
        "sliding_connectivity": partial(_fixed, SlidingConnectivity),
        "spectrum": partial(_fixed, Spectrum),
        "tangent": TangentFeatures,
        "temporal_variability": partial(_fixed, TemporalVariability),
    }
)
"""Features of region series by name: settings to a new, unfitted transformer.

`LocallyLinear` is not among them: it takes a table; nor are the connectivity measures, which have NaN."""

__all__ = ["FEATURES", "Components", "LocallyLinear", "SeriesFeatures", "TangentFeatures"]
