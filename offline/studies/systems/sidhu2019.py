"""Sidhu (2019): locally linear embedding, judged by leaving one person out."""

from typing import Any

from sklearn.pipeline import Pipeline

from offline.estimators import MEMBERS
from offline.features import LocallyLinear
from offline.studies.base import Paper, PaperClaim, Study
from offline.studies.systems.selecting import Best


def model(*, components: int, neighbours: int, random_state: int) -> Any:
    """Edges chosen, embedded by the training people, nearest neighbours."""
    return Pipeline(
        [
            ("best", Best(2000)),
            ("embedded", LocallyLinear(n_components=components, n_neighbors=neighbours)),
            ("classifier", MEMBERS["k-nearest-neighbours"]()),
        ]
    )


STUDY = Study(
    name="sidhu2019",
    title="Locally linear embedding (Sidhu 2019)",
    paper=Paper(
        "Sidhu G (2019). Locally linear embedding and fMRI feature selection in psychiatric classification. "
        "IEEE Journal of Translational Engineering in Health and Medicine 7:2200211.",
        disorder="ADHD",
        claims=(PaperClaim("11 data sets, leave one out", 80.0),),
        unstated=("how many neighbours and dimensions each data set had",),
        one_site_of=40,
    ),
    ours="Correlations of regions instead of single voxels; points chosen and embedded within the fold, "
    "where the paper scored them by the test people. Its leave-one-out is repeated on one site of about its "
    "size. Run on ASD as a stand-in where there are no ADHD series: then nothing is compared with the "
    "published figure.",
    table="correlation",
    model=model,
    settings=(
        {"components": 5, "neighbours": 12},
        {"components": 20, "neighbours": 30},
    ),
    not_exportable_because="a new person is embedded among the training people themselves, whose features it "
    "would have to carry",
)
