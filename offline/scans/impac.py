"""The IMPAC autism challenge's anatomy: areas, thicknesses and volumes of FreeSurfer, one row a person."""

from pathlib import Path

import numpy as np

from models.arrays import Floats
from offline.scans.base import Scans
from offline.scans.phenotype import read_phenotypes

ANATOMY, PEOPLE, QUALITY, REPETITION = (
    "anatomy.csv",
    "participants.csv",
    "anatomy_qc.csv",
    "fmri_repetition_time.csv",
)
PERSON = "subject_id"
LABELS = ("TD", "ASD")
BAD = 0.0
"""Mark of the challenge for a segmentation that failed."""


def is_impac(folder: Path) -> bool:
    """Whether a folder holds the challenge's tables."""
    return (folder / ANATOMY).is_file() and (folder / PEOPLE).is_file()


def read_impac(folder: Path | str) -> Scans:
    """Read the anatomy of the IMPAC challenge, without people whose segmentation is marked as failed.

    Parameters
    ----------
    folder : Path or str
        With ``anatomy.csv`` and ``participants.csv``, and where there are ``anatomy_qc.csv`` and
        ``fmri_repetition_time.csv``.

    Returns
    -------
    Scans
        X is (n, n_features) float64, mm, mm2 and mm3 as FreeSurfer gives them, the size of the head not
        taken out.
    """
    folder = Path(folder)
    anatomy = read_phenotypes(folder / ANATOMY)
    anatomy.once(PERSON)
    names, X = anatomy.features(PERSON)
    person = anatomy.texts(PERSON)

    def column(table: str, name: str) -> Floats | None:
        path = folder / table
        if not path.is_file():
            return None
        return read_phenotypes(path).of_people(person.tolist(), PERSON).numbers(name)

    people = read_phenotypes(folder / PEOPLE).of_people(person.tolist(), PERSON)
    mark = column(QUALITY, "select")
    bad = np.zeros(len(person), dtype=bool) if mark is None else mark == BAD
    scans = Scans.of(
        person,
        (people.coded("asd", {"0": LABELS[0], "1": LABELS[1]}) == LABELS[1]).astype(np.int64),
        recording=np.full(len(person), ANATOMY),
        site=people.texts("site"),
        labels=LABELS,
        X=X,
        names=names,
        repetition_time=column(REPETITION, "repetition_time"),
        age=people.numbers("age"),
        sex=people.coded("sex", {"m": "M", "f": "F"}),
        derivative="IMPAC anatomy, FreeSurfer, as measured",
        remarks=(
            "shares people with ABIDE: never train on one and test on the other",
            "motion is not known",
            f"{np.count_nonzero(bad)} people whose segmentation failed are left out",
        ),
    )
    return scans.rows(~bad)
