"""Wang and Jiao (2018): how variable in time the connectivity of each region is."""

from typing import Any

from offline.estimators import MEMBERS
from offline.studies.base import Paper, PaperClaim, Study


def model(*, kernel: str, random_state: int) -> Any:
    """A support vector machine on every region's variability."""
    return MEMBERS[f"{kernel}-svm"]()


STUDY = Study(
    name="wang2018",
    title="SVM on dynamic connectivity (Wang and Jiao 2018)",
    paper=Paper(
        "Wang XH, Jiao Y, Li L (2018). Identifying individuals with attention deficit hyperactivity disorder "
        "based on temporal variability of dynamic functional connectivity. Scientific Reports 8:11789.",
        disorder="ADHD",
        claims=(
            PaperClaim("leave one out", 78.75, 76.0, 80.71),
            PaperClaim("10-fold", 75.54, 70.5, 77.44),
        ),
        unstated=("whether regions were chosen on the test people too",),
        one_site_of=80,
    ),
    ours="Temporal variability of each region's connectivity in windows of 40 s; nothing is chosen outside "
    "the fold. Its leave-one-out is repeated on one site. Run on ASD as a stand-in where there are no ADHD "
    "series: then nothing is compared with the published figures.",
    table="temporal variability",
    model=model,
    settings=({"kernel": "linear"}, {"kernel": "rbf"}),
    not_exportable_because="which of its two machines is chosen follows from the data, and the one with a "
    "radial basis predicts in studies only",
)
