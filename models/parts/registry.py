"""Every part by name: what a bundle may name, and nothing else."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from models.parts.band_connectivity import BandCorrelation
from models.parts.components import ComponentFeatures
from models.parts.connectivity import Correlation, Shrunk
from models.parts.convolution import Convolutions
from models.parts.dynamics import SlidingConnectivity, TemporalVariability
from models.parts.ensemble import HELD, Ensemble
from models.parts.experts import Experts
from models.parts.fusion import VoteFusion
from models.parts.granger import Autoregression, Granger
from models.parts.harmonise import Harmonise
from models.parts.kinds import Kinds
from models.parts.kinds_average import KindsAverage
from models.parts.network import TableNetwork
from models.parts.spectra import BandAmplitude, LowFrequency, Spectrum
from models.parts.tangent import Tangent
from models.parts.tree_bayes import TreeBayes

SERIES_PARTS: Mapping[str, Any] = MappingProxyType(
    {
        kind.__name__: kind
        for kind in (
            Autoregression,
            BandAmplitude,
            BandCorrelation,
            ComponentFeatures,
            Correlation,
            Granger,
            Kinds,
            LowFrequency,
            Shrunk,
            SlidingConnectivity,
            Spectrum,
            Tangent,
            TemporalVariability,
        )
    }
)
"""Parts that take region series."""
TABLE_PARTS: Mapping[str, Any] = MappingProxyType(
    {
        **HELD,
        **{
            kind.__name__: kind
            for kind in (
                Convolutions,
                Ensemble,
                Experts,
                Harmonise,
                KindsAverage,
                TableNetwork,
                TreeBayes,
                VoteFusion,
            )
        },
    }
)
"""Parts that take a table."""
