"""Jung et al. (2019): a support vector machine on edges that recursive elimination leaves."""

from typing import Any

from sklearn.pipeline import Pipeline

from offline.estimators import MEMBERS, RecursiveElimination
from offline.studies.base import Paper, PaperClaim, Study


def model(*, kept: int, random_state: int) -> Any:
    """SVM-RFE, then a linear SVM."""
    return Pipeline([("kept", RecursiveElimination(kept)), ("classifier", MEMBERS["linear-svm"]())])


STUDY = Study(
    name="jung2019",
    title="SVM with recursive elimination (Jung 2019)",
    paper=Paper(
        "Jung M, Tu Y, Park J, Jorgenson K, Lang C, Song W, Kong J (2019). Surface-based shared and distinct "
        "resting functional connectivity in attention-deficit hyperactivity disorder and autism spectrum "
        "disorder. British Journal of Psychiatry 214:339-344.",
        claims=(
            PaperClaim("ADHD/TD, boys 7 to 15", 84.1),
            PaperClaim("ASD/TD", 76.3),
            PaperClaim("ASD/ADHD", 79.3),
        ),
        unstated=("how far sites and diagnoses went together",),
    ),
    ours="Correlations of regions of the volume instead of the surface, everybody's age and sex; elimination "
    "within the fold. ASD against ADHD is refused where no site holds both.",
    table="correlation",
    model=model,
    settings=({"kept": 100}, {"kept": 500}, {"kept": 2000}),
)
