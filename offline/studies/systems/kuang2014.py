"""Kuang et al. (2014): a deep belief network on max-pooled frequencies."""

from typing import Any

from offline.estimators.torch_deep_belief import DeepBeliefClassifier
from offline.studies.base import Paper, PaperClaim, Study
from offline.studies.systems.selecting import behind_best


def model(*, columns: int, random_state: int) -> Any:
    """A deep belief network on the chosen cells of the spectra."""
    return behind_best(columns, DeepBeliefClassifier.quick(random_state=random_state))


STUDY = Study(
    name="kuang2014",
    title="Deep belief network on frequencies (Kuang 2014)",
    paper=Paper(
        "Kuang D, Guo X, An X, Zhao Y, He L (2014). Discrimination of ADHD based on fMRI data with deep "
        "belief network. Intelligent Computing in Bioinformatics, LNCS 8590:225-232.",
        disorder="ADHD",
        claims=(
            PaperClaim("ADHD types and TD, NYU", 44.4),
            PaperClaim("NeuroImage", 55.6),
            PaperClaim("Peking", 80.9),
        ),
        unstated=("how regions were chosen", "how training stops"),
    ),
    ours="Amplitude spectra of all regions, max-pooled onto one grid of frequencies. Run on ASD as a "
    "stand-in where there are no ADHD series: then nothing is compared with the published figures.",
    table="spectrum",
    model=model,
    settings=({"columns": 200}, {"columns": 800}),
    fit_s=0.2,
)
