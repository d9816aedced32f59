"""Aghdam, Sharifi and Pedram (2018): a deep belief network of depth 3 on regional measures."""

from typing import Any

from offline.estimators.torch_deep_belief import DeepBeliefClassifier
from offline.studies.base import Paper, PaperClaim, Study


def model(*, weight_decay: float, random_state: int) -> Any:
    """Three restricted Boltzmann machines one upon the other, fine-tuned."""
    return DeepBeliefClassifier.quick(weight_decay=weight_decay, random_state=random_state)


STUDY = Study(
    name="aghdam2018",
    title="Deep belief network, depth 3 (Aghdam 2018)",
    paper=Paper(
        "Akhavan Aghdam M, Sharifi A, Pedram MM (2018). Combination of rs-fMRI and sMRI data to discriminate "
        "autism spectrum disorders in young children using deep belief network. Journal of Digital Imaging "
        "31:895-903.",
        claims=(PaperClaim("ASD/TD aged 5 to 10, ABIDE I and II; majority 62.7", 65.56, 84.0, 32.96),),
        unstated=("how grey and white matter were put together with the function", "penalties"),
    ),
    ours="Amplitude and fractional amplitude of low-frequency fluctuations of all regions; no grey or white "
    "matter, for these data have none; all ages.",
    table="low frequency",
    model=model,
    settings=({"weight_decay": 0.1}, {"weight_decay": 1.0}),
)
