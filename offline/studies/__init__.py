"""The systems of the review, one file each, and the models that they are judged against."""

from collections.abc import Mapping
from types import MappingProxyType

from offline.studies.base import Study
from offline.studies.systems import (
    aghdam2018,
    aghdam2019,
    baselines,
    confounds,
    connectivity_ensemble,
    consensus,
    deshpande2015,
    hao2015,
    jung2019,
    kuang2014,
    sidhu2019,
    wang2018,
    xiao2019,
)

STUDIES: Mapping[str, Study] = MappingProxyType(
    {
        study.name: study
        for study in (
            baselines.RIDGE,
            baselines.PARTIAL,
            baselines.TANGENT,
            baselines.SVM,
            baselines.TABLE,
            confounds.RESIDUAL,
            confounds.COMBAT,
            baselines.TRAITS,
            baselines.MOTION,
            baselines.SITE,
            wang2018.STUDY,
            jung2019.STUDY,
            kuang2014.STUDY,
            hao2015.STUDY,
            xiao2019.STUDY,
            aghdam2018.STUDY,
            aghdam2019.CNN,
            aghdam2019.EXPERTS,
            aghdam2019.FUSION,
            aghdam2019.YOUNG,
            sidhu2019.STUDY,
            deshpande2015.STUDY,
            connectivity_ensemble.STUDY,
            consensus.STUDY,
        )
    }
)
"""By name, the quickest first."""
