"""Aghdam, Sharifi and Pedram (2019): convolutions, experts mixed by a gate, votes fused by naive Bayes."""

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from offline.estimators.torch_cnn import ConvolutionalClassifier
from offline.estimators.torch_fusion import NaiveBayesFusion
from offline.estimators.torch_mixture import MixtureOfExpertsClassifier
from offline.scans import Scans
from offline.studies.base import Paper, PaperClaim, Population, Study
from offline.studies.systems.models import behind_best
from offline.studies.tables import CORRELATION_AND_TRAITS
from offline.studies.transfer_by_age import TransferByAge

PAPER = Paper(
    "Akhavan Aghdam M, Sharifi A, Pedram MM (2019). Diagnosis of autism spectrum disorders in young children "
    "based on resting-state functional magnetic resonance imaging data using convolutional neural networks. "
    "Journal of Digital Imaging 32:899-918.",
    claims=(PaperClaim("ASD/TD aged 5 to 10, ABIDE I and II", 72.73, 71.2, 73.48),),
    unstated=("how slices were chosen and divided between training and test", "when training stops"),
)
BEFORE = 11.0
"""Years: the paper's children are 5 to 10."""


def fused_thirds(*, random_state: int) -> Any:
    """A network for each third of the edges; their votes are fused by naive Bayes."""
    base = ConvolutionalClassifier.quick(random_state=random_state)
    return NaiveBayesFusion(3, estimator=base, random_state=random_state)


def children(scans: Scans) -> npt.NDArray[np.bool_]:
    """Whose age is known to be the paper's, (n,) bool."""
    return np.asarray(scans.age < BEFORE)


def _study(name: str, title: str, ours: str, network: Any, columns: tuple[int, ...], **more: Any) -> Study:
    return Study(
        name=name,
        title=f"{title} (Aghdam 2019)",
        paper=PAPER,
        ours=f"{ours} Fitted to correlations of regions, edges chosen within the fold, all ages.",
        table="correlation",
        model=partial(behind_best, network),
        settings=tuple({"columns": n} for n in columns),
        **more,
    )


CNN = _study(
    "aghdam2019",
    "Convolutions",
    "Convolutions over edges; nothing is transferred from pictures.",
    ConvolutionalClassifier.quick,
    (400, 1600),
    fit_s=0.3,
)
EXPERTS = _study(
    "aghdam2019-experts",
    "Mixture of experts",
    "Experts mixed by a gate.",
    MixtureOfExpertsClassifier.quick,
    (400, 1600),
    not_exportable_because="its mixture of experts predicts in studies only",
)
FUSION = _study(
    "aghdam2019-fusion",
    "Naive-Bayes fusion",
    "One network a third of the edges, votes fused.",
    fused_thirds,
    (400,),  # twelve networks a fit: choosing among widths too would take hours
    fit_s=2.0,
    not_exportable_because="its fused votes predict in studies only",
)
YOUNG = Study(
    name="aghdam2019-young",
    title="Convolutions for children under 11, taught by older people first (Aghdam 2019)",
    paper=Paper(
        PAPER.citation,
        claims=PAPER.claims,
        unstated=(*PAPER.unstated, "from what the network is transferred"),
    ),
    ours="The paper's ages: only children under 11 are predicted. Convolutions over edges chosen within the "
    "fold learn from everybody older among the people of training, then, more slowly, from the children. "
    "Age says only who comes first; the network does not see it.",
    table=CORRELATION_AND_TRAITS,
    model=partial(TransferByAge, BEFORE),
    population=Population(children, f"children under {BEFORE:g} years"),
    transductive=False,
    not_exportable_because="the age of whoever is predicted decides whether it may be asked, and a scan does "
    "not say it",
    not_auditable_because="its last columns are traits, among which no columns are chosen",
    fit_s=6.0,
)
