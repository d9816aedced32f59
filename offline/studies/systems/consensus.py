"""The consensus of eighteen classifiers, with recursive cluster elimination (Lanka et al. 2020)."""

from typing import Any

from offline.estimators import Consensus
from offline.studies.base import Paper, PaperClaim, Study


def model(*, random_state: int) -> Any:
    """All eighteen on at most 500 columns that are left, each with one vote."""
    return Consensus(random_state=random_state)


STUDY = Study(
    name="consensus18",
    title="Consensus of 18 classifiers (Lanka 2020)",
    paper=Paper(
        "Lanka P, Rangaprakash D, Dretsch MN, Katz JS, Denney TS, Deshpande G (2020). Supervised machine "
        "learning for diagnostic classification from large-scale neuroimaging datasets. Brain Imaging and "
        "Behavior 14:2378-2416.",
        claims=(PaperClaim("four disorders; its authors report overfitting on unmatched hold-outs"),),
        unstated=("settings of the single classifiers on each data set",),
    ),
    ours="All eighteen, each after a reduction within the fold to at most 500 edges; a majority of votes.",
    table="correlation",
    model=model,
    not_exportable_because="most of its eighteen classifiers predict in studies only",
    fit_s=2.8,
)
