"""Xiao et al. (2019): a stacked auto-encoder, pretrained layer by layer, on the whole band of frequencies."""

from typing import Any

from offline.estimators.torch_stacked_autoencoder import StackedAutoEncoderClassifier
from offline.studies.base import Paper, PaperClaim, Study
from offline.studies.systems.selecting import behind_best


def model(*, columns: int, random_state: int) -> Any:
    """Auto-encoders of the chosen columns, then a softmax, fine-tuned."""
    return behind_best(columns, StackedAutoEncoderClassifier.quick(random_state=random_state))


STUDY = Study(
    name="xiao2019",
    title="Stacked auto-encoder, whole band (Xiao 2019)",
    paper=Paper(
        "Xiao Z, Wu J, Wang C, Jia N, Yang X (2019). Computer-aided diagnosis of school-aged children "
        "with ASD "
        "using full frequency bands and enhanced SAE. Experimental and Therapeutic Medicine 17:4055-4063.",
        claims=(PaperClaim("ASD/TD, school age", 96.26, 98.03, 93.62),),
        unstated=(
            "which people components were chosen on",
            "sizes of layers, penalties, when training stops",
        ),
    ),
    ours="Amplitude spectra of all regions on one frequency grid instead of hand-chosen components; columns "
    "chosen, layers pretrained and fine-tuned within the fold.",
    table="spectrum",
    model=model,
    settings=({"columns": 200}, {"columns": 800}),
    fit_s=0.15,
)
