"""Hao et al. (2015): features of deep belief networks in a Bayesian network."""

from typing import Any

from offline.estimators.deep_bayesian import DeepBayesianClassifier
from offline.studies.base import Paper, PaperClaim, Study
from offline.studies.systems.selecting import behind_best


def model(*, columns: int, random_state: int) -> Any:
    """A deep belief network for each of four groups of columns, joined in a tree-augmented naive Bayes."""
    return behind_best(columns, DeepBayesianClassifier.quick(random_state=random_state))


STUDY = Study(
    name="hao2015",
    title="Deep Bayesian network (Hao 2015)",
    paper=Paper(
        "Hao AJ, He BL, Yin CH (2015). Discrimination of ADHD children based on deep Bayesian network. "
        "IET International Conference on Biomedical Image and Signal Processing.",
        disorder="ADHD",
        claims=(
            PaperClaim("ADHD types and TD, NYU", 48.8),
            PaperClaim("NeuroImage", 54.0),
            PaperClaim("KKI", 72.7),
        ),
        unstated=("which four regions, and how they were found", "how features were made discrete"),
    ),
    ours="Four groups of the spectra's chosen cells instead of four regions. Run on ASD as a stand-in where "
    "there are no ADHD series: then nothing is compared with the published figures.",
    table="spectrum",
    model=model,
    settings=({"columns": 200},),
    not_exportable_because="its Bayesian network predicts in studies only",
    fit_s=0.25,
)
