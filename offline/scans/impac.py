"""The IMPAC autism challenge's anatomy: areas, thicknesses and volumes of FreeSurfer, one row a person."""

from pathlib import Path

import numpy as np

from models.errors import RecordingError
from offline.base.sample_table import SampleTable
from offline.scans.base import Scans
from offline.scans.phenotype import Phenotypes, read_phenotypes

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


def read_impac(folder: Path | str, *, keep_bad: bool = False) -> Scans:
    """Read the anatomy of the IMPAC challenge.

    Parameters
    ----------
    folder : Path or str
        With ``anatomy.csv`` and ``participants.csv``, and where there are ``anatomy_qc.csv`` and
        ``fmri_repetition_time.csv``.
    keep_bad : bool
        Keep people whose segmentation is marked as failed.

    Returns
    -------
    Scans
        X is (n, n_features) float64, mm, mm2 and mm3 as FreeSurfer gives them, the size of the head not
        taken out.
    """
    folder = Path(folder)
    anatomy, people = read_phenotypes(folder / ANATOMY), read_phenotypes(folder / PEOPLE)
    anatomy.once(PERSON)
    people = _in_order(people, anatomy, folder / PEOPLE)
    names = tuple(name for name in anatomy.columns if name != PERSON)
    X = np.stack([anatomy.numbers(name) for name in names], axis=1)
    if (holes := np.argwhere(~np.isfinite(X))).size:
        i, k = (int(each) for each in holes[0])
        raise RecordingError(f"{folder / ANATOMY}, line {anatomy.lines[i]}: {names[k]} is not known.")
    n = len(anatomy)
    mark = np.full(n, np.nan)
    if (folder / QUALITY).is_file():
        mark = _in_order(read_phenotypes(folder / QUALITY), anatomy, folder / QUALITY).numbers("select")
    seconds = np.full(n, np.nan)
    if (place := folder / REPETITION).is_file():
        seconds = _in_order(read_phenotypes(place), anatomy, place).numbers("repetition_time")
    bad = mark == BAD
    remarks = [
        "shares people with ABIDE: never train on one and test on the other",
        "motion is not known",
        f"{np.count_nonzero(bad)} people whose segmentation failed "
        f"{'are kept' if keep_bad else 'are left out'}",
    ]
    scans = Scans(
        table=SampleTable(
            recording=np.full(n, ANATOMY),
            person=anatomy.texts(PERSON),
            session=np.full(n, "", dtype=str),
            site=people.texts("site"),
            start=np.zeros(n),
            stop=np.full(n, np.nan),
            target=(people.coded("asd", {"0": LABELS[0], "1": LABELS[1]}) == LABELS[1]).astype(np.int64),
        ),
        labels=LABELS,
        X=X,
        names=names,
        repetition_time=seconds,
        age=people.numbers("age"),
        sex=people.coded("sex", {"m": "M", "f": "F"}),
        motion=np.full(n, np.nan),
        derivative="IMPAC anatomy, FreeSurfer, as measured",
        remarks=tuple(remarks),
    )
    return scans if keep_bad else scans.rows(~bad)


def _in_order(table: Phenotypes, of: Phenotypes, path: Path) -> Phenotypes:
    """Rows of a table in the order of the people of another."""
    table.once(PERSON)
    place = {name: i for i, name in enumerate(table.texts(PERSON).tolist())}
    people = of.texts(PERSON).tolist()
    if lacking := [name for name in people if name not in place]:
        raise RecordingError(
            f"{path} has no row for {len(lacking)} of {len(people)} people, {lacking[0]} for one."
        )
    return table.rows([place[name] for name in people])
