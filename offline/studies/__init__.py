"""The systems of the review, and the models that they are compared with."""

from collections.abc import Mapping
from types import MappingProxyType

from offline.studies.base import Study
from offline.studies.systems import aghdam2019, baselines, published

STUDIES: Mapping[str, Study] = MappingProxyType(
    {
        study.name: study
        for study in (
            baselines.RIDGE,
            baselines.PARTIAL,
            baselines.TANGENT,
            baselines.SVM,
            baselines.TABLE,
            baselines.RESIDUAL,
            baselines.COMBAT,
            baselines.TRAITS,
            baselines.MOTION,
            baselines.SITE,
            published.WANG2018,
            published.JUNG2019,
            published.KUANG2014,
            published.HAO2015,
            published.XIAO2019,
            published.AGHDAM2018,
            aghdam2019.CNN,
            aghdam2019.EXPERTS,
            aghdam2019.FUSION,
            aghdam2019.YOUNG,
            published.SIDHU2019,
            published.DESHPANDE2015,
            baselines.ENSEMBLE,
            published.CONSENSUS,
        )
    }
)
"""By name, the quickest first."""
