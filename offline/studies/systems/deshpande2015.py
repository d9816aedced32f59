"""Deshpande et al. (2015): a fully connected cascade on functional and effective connectivity."""

from typing import Any

from sklearn.pipeline import Pipeline

from offline.estimators import MEMBERS, RecursiveElimination
from offline.studies.base import Paper, PaperClaim, Study


def model(*, kept: int, random_state: int) -> Any:
    """Edges eliminated recursively, then a cascade with Bayesian regularisation."""
    cascade = MEMBERS["fully-connected-cascade"]()
    return Pipeline([("kept", RecursiveElimination(kept)), ("classifier", cascade)])


STUDY = Study(
    name="deshpande2015",
    title="Fully connected cascade (Deshpande 2015)",
    paper=Paper(
        "Deshpande G, Wang P, Rangaprakash D, Wilamowski B (2015). Fully connected cascade artificial neural "
        "network architecture for attention deficit hyperactivity disorder classification from functional "
        "magnetic resonance imaging data. IEEE Transactions on Cybernetics 45:2668-2679.",
        disorder="ADHD",
        claims=(PaperClaim("ADHD/TD", 90.0), PaperClaim("inattentive/combined", 95.0)),
        unstated=("whether features were chosen on the test people too", "sizes of the cascade"),
    ),
    ours="Correlations and Granger causality of all regions, eliminated within the fold. Run on ASD as a "
    "stand-in where there are no ADHD series: then nothing is compared with the published figure.",
    table="effective connectivity",
    model=model,
    settings=({"kept": 60}, {"kept": 200}),
    not_exportable_because="its cascade predicts in studies only",
    fit_s=0.6,
)
