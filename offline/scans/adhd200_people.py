"""Whose the rows of ADHD-200's ALFF and graphs are: they hold no names, and the order proves it.

Two rules, each tested against everything else the files tell, at every reading:

- ALFF has a row for each person of the site's phenotype table who has an ADHD index, in that order: its `tag`
  is their diagnosis and its `score` their index, row for row.
- Graphs are the people of the training set by ascending number: the labels of OHSU then divide exactly by the
  hyperactivity score, those of Peking are exactly the sex, and those of KKI divide by the ADHD index but
  for one person of 83.  As the tables stand, or in any other order, they agree by chance.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from models.errors import RecordingError
from offline.scans.phenotype import Phenotypes, read_phenotypes

PERSON = "ScanDir ID"
SITE_CODES = {"Peking_1": "1", "KKI": "3", "OHSU": "6"}
N_PEKING_1 = 85
"""The table of Peking begins with the people of its first scanner; the other two are mixed after them."""
OTHER_PEKING = "Peking_2/3"
TEST_BELOW = 100_000
"""People of the test set have numbers of five digits."""
ABOVE = {"KKI": ("ADHD Index", 44.0), "OHSU": ("Hyper/Impulsive", 49.0)}
"""What the graphs' labels stand for: 1 where this column is above this."""
MOST_WRONG = 1
"""People of a site whose label may disagree; KKI has one."""


def alff_people(
    table: Path, file: Path, tag: npt.NDArray[np.int64], score: Floats
) -> tuple[Phenotypes, list[str]]:
    """Whose the rows of an ALFF file are, and each one's scanner where the table has it (Peking's does).

    Parameters
    ----------
    table, file : Path
        Phenotypes of the site; the ALFF, for messages.
    tag, score : (n,) int64, (n,) float64
        Diagnoses and ADHD index by the file.
    """
    everybody = read_phenotypes(table)
    everybody.once(PERSON)
    index = everybody.numbers("ADHD Index")
    chosen = np.flatnonzero(np.isfinite(index))
    people = everybody.rows(chosen)
    if len(people) != len(tag):
        raise RecordingError(
            f"{file} has {len(tag)} rows; expected {len(people)}, the people of "
            f"{table.name} with an ADHD index."
        )
    wrong = np.flatnonzero((people.numbers("DX") != tag) | (people.numbers("ADHD Index") != score))
    if wrong.size:
        i = int(wrong[0])
        raise RecordingError(
            f"{file}, row {i + 1} has diagnosis {tag[i]} and score {score[i]:g}; expected those "
            f"of {people.texts(PERSON)[i]} in {table.name}, line {people.lines[i]} ({wrong.size} such). The "
            "files do not belong together."
        )
    if not (everybody.numbers("Site") == 1).all():
        return people, [""] * len(people)
    return people, ["Peking_1" if row < N_PEKING_1 else OTHER_PEKING for row in chosen.tolist()]


def graph_people(table: Path, file: Path, site: str, labels: npt.NDArray[np.int64]) -> Phenotypes:
    """Whose the graphs of a file are, in their order.

    Parameters
    ----------
    table, file : Path
        Phenotypes of all sites, or of Peking; the graphs, for messages.
    site : str
        ``"KKI"``, ``"OHSU"`` or ``"Peking_1"``.
    labels : (n,) int64
        As distributed with the graphs, -1 or 1; they prove the order.
    """
    everybody = read_phenotypes(table)
    number, own = everybody.numbers(PERSON), everybody.texts("Site") == SITE_CODES[site]
    own &= number >= TEST_BELOW
    if site == "Peking_1":
        own &= np.arange(len(everybody)) < N_PEKING_1
    rows = np.flatnonzero(own)
    people = everybody.rows(rows[np.argsort(number[rows], kind="stable")])
    people.once(PERSON)
    if len(people) != len(labels):
        raise RecordingError(
            f"{file} has {len(labels)} graphs; expected {len(people)}, the people of {site} in {table.name}."
        )
    if site in ABOVE:
        column, least = ABOVE[site]
        expected = people.numbers(column) > least
    else:
        column, expected = "Gender", people.numbers("Gender") == 1
    if (wrong := int(np.count_nonzero(expected != (labels == 1)))) > MOST_WRONG:
        raise RecordingError(
            f"{file} and {table.name} do not belong together: the labels of {wrong} of {len(labels)} graphs "
            f"disagree with {column!r}, on which they rest; expected at most {MOST_WRONG}."
        )
    return people
