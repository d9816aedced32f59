"""Aghdam, Sharifi and Pedram (2019): convolutions, experts whom a gate mixes, and votes fused by naive "
"Bayes."""

from typing import Any

import numpy as np
import numpy.typing as npt

from offline.estimators.torch_cnn import ConvolutionalClassifier
from offline.estimators.torch_fusion import NaiveBayesFusion
from offline.estimators.torch_mixture import MixtureOfExpertsClassifier
from offline.scans import Scans
from offline.studies.base import Paper, PaperClaim, Population, Study
from offline.studies.systems.selecting import behind_best
from offline.studies.tables import CORRELATION_AND_TRAITS
from offline.studies.transfer_by_age import TransferByAge

PAPER = (
    "Akhavan Aghdam M, Sharifi A, Pedram MM (2019). Diagnosis of autism spectrum disorders in young children "
    "based on resting-state functional magnetic resonance imaging data using convolutional neural networks. "
    "Journal of Digital Imaging 32:899-918."
)
CLAIM = PaperClaim("ASD/TD aged 5 to 10, ABIDE I and II", 72.73, 71.2, 73.48)
UNSTATED = ("how slices were chosen and divided between training and test", "when training stops")

BEFORE = 11.0
"""Years: the paper's children are 5 to 10."""
WIDTHS = ({"columns": 400}, {"columns": 1600})


def convolutions(*, columns: int, random_state: int) -> Any:
    """A network of convolutions over the chosen edges, laid out as an image."""
    return behind_best(columns, ConvolutionalClassifier.quick(random_state=random_state))


def experts(*, columns: int, random_state: int) -> Any:
    """Experts whose answers a gate weighs."""
    return behind_best(columns, MixtureOfExpertsClassifier.quick(random_state=random_state))


def fusion(*, columns: int, random_state: int) -> Any:
    """A network for each third of the edges; their votes are fused by naive Bayes."""
    base = ConvolutionalClassifier.quick(random_state=random_state)
    return behind_best(columns, NaiveBayesFusion(3, estimator=base, random_state=random_state))


def young(*, random_state: int) -> Any:
    """Convolutions that older people teach first."""
    return TransferByAge(BEFORE, random_state=random_state)


def children(scans: Scans) -> npt.NDArray[np.bool_]:
    """Whose age is known to be the paper's, (n,) bool."""
    return np.asarray(scans.age < BEFORE)


def _study(
    name: str,
    title: str,
    ours: str,
    model: Any,
    *,
    fit_s: float,
    settings: tuple[dict[str, int], ...] = WIDTHS,
    not_exportable_because: str = "",
) -> Study:
    return Study(
        name=name,
        title=f"{title} (Aghdam 2019)",
        paper=Paper(PAPER, claims=(CLAIM,), unstated=UNSTATED),
        ours=f"{ours} Fitted to correlations of regions, edges chosen within the fold, all ages.",
        table="correlation",
        model=model,
        settings=settings,
        not_exportable_because=not_exportable_because,
        fit_s=fit_s,
    )


CNN = _study(
    "aghdam2019",
    "Convolutions",
    "Convolutions over edges; nothing is transferred from pictures.",
    convolutions,
    fit_s=0.3,
)
EXPERTS = _study(
    "aghdam2019-experts",
    "Mixture of experts",
    "Experts mixed by a gate.",
    experts,
    fit_s=0.1,
    not_exportable_because="its mixture of experts predicts in studies only",
)
FUSION = _study(
    "aghdam2019-fusion",
    "Naive-Bayes fusion",
    "One network a third of the edges, votes fused.",
    fusion,
    fit_s=2.0,
    # Twelve networks a fit: choosing among widths too would take hours.
    settings=({"columns": 400},),
    not_exportable_because="its fused votes predict in studies only",
)
YOUNG = Study(
    name="aghdam2019-young",
    title="Convolutions for children under 11, taught by older people first (Aghdam 2019)",
    paper=Paper(PAPER, claims=(CLAIM,), unstated=(*UNSTATED, "from what the network is transferred")),
    ours="The paper's ages: only children under 11 are judged. Convolutions over edges chosen within the "
    "fold learn from everybody older among the people of training, then, more slowly, from the children. "
    "Age says only who comes first; the network does not see it.",
    table=CORRELATION_AND_TRAITS,
    model=young,
    population=Population(children, f"children under {BEFORE:g} years"),
    transductive=False,
    not_exportable_because="the age of whoever is judged decides whether it may be asked, and a scan does "
    "not say it",
    not_auditable_because="its last columns are traits, among which no columns are chosen",
    fit_s=6.0,
)
