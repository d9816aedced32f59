"""ADHD-200 as far as it is shared without its images: ALFF of regions, and graphs of connectivity.

Neither kind of file says whose its rows are, but both keep an order, and tell enough else to prove it: see
`offline.scans.adhd200_people`.  The labels that the graphs bring along are not diagnoses: KKI's are whether
the ADHD index is above 44, OHSU's whether the hyperactivity score is above 49, and Peking's are the sex.  So
the diagnosis is taken from the phenotype tables.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from models.arrays import Floats
from models.errors import RecipeError, RecordingError
from offline.scans.adhd200_graphs import N_REGIONS, read_graph_file
from offline.scans.adhd200_people import alff_people, graph_people
from offline.scans.base import Scans
from offline.scans.matlab import read_alff_file
from offline.scans.phenotype import Phenotypes, Texts
from offline.scans.square import pair_names

PHENOTYPES = "adhd200_preprocessed_phenotypics.tsv"
ALFF_FILES = {
    "NYU": ("NYU_alff_ds.mat", "NYU_phenotypic.csv"),
    "Peking": ("PU_alff_ds.mat", "PU_phenotypic.csv"),
}
GRAPH_FILES = {"KKI": "KKI.zip", "OHSU": "OHSU.zip", "Peking_1": "Peking_1.zip"}

DIAGNOSES = {"0": "TD", "1": "combined", "2": "hyperactive", "3": "inattentive"}
TASKS: Mapping[str, Mapping[str, str]] = {
    "diagnosis": {"TD": "TD", "combined": "ADHD", "hyperactive": "ADHD", "inattentive": "ADHD"},
    "subtype": {"combined": "combined", "inattentive": "inattentive"},
    "three": {"TD": "TD", "combined": "combined", "inattentive": "inattentive"},
}
"""What is asked: which diagnosis becomes which label; whoever has another is left out and counted."""
SCORES = {"ADHD Index": "score", "Inattentive": "inattentive", "Hyper/Impulsive": "hyperactive"}
"""Columns of symptoms, and what they are called as dimensional targets."""


def is_adhd200(folder: Path) -> bool:
    """Whether a folder holds the files of ADHD-200 that can be read here."""
    names = {file.name for file in folder.iterdir()} if folder.is_dir() else set()
    return bool(names & {*GRAPH_FILES.values(), *(alff for alff, _ in ALFF_FILES.values())})


def read_adhd200(
    folder: Path | str, what: str = "alff", *, task: str = "diagnosis", sites: Sequence[str] | None = None
) -> Scans:
    """Read one of the two derivatives of ADHD-200 with the phenotypes of whose it is.

    Parameters
    ----------
    folder : Path or str
        With the zip, mat, csv and tsv files.
    what : str
        ``"alff"`` (NYU and Peking, 116 regions of AAL) or ``"graphs"`` (KKI, OHSU and Peking_1, which of the
        pairs of 190 regions of CC200 are joined).
    task : str
        ``"diagnosis"`` (ADHD against TD), ``"subtype"`` (inattentive against combined) or ``"three"``.
    sites : sequence of str or None
        Only these; None: all of the derivative.

    Returns
    -------
    Scans
        X is (n, n_features) float64.  Motion is not known; symptom scores have another scale at each site.

    Raises
    ------
    RecipeError, RecordingError
        Where a file is missing or wrong, or does not agree with the phenotypes.
    """
    folder = Path(folder)
    if task not in TASKS:
        raise RecipeError(f"task is {task!r}; expected one of {', '.join(TASKS)}.")
    if what not in ("alff", "graphs"):
        raise RecipeError(
            f"what is {what!r}; expected 'alff' or 'graphs', the two derivatives of ADHD-200 here."
        )
    known = ALFF_FILES if what == "alff" else GRAPH_FILES
    sites = tuple(known) if sites is None else tuple(sites)
    if not sites or set(sites) - set(known):
        raise RecipeError(f"sites are {', '.join(sites) or 'none'}; {what} is there of {', '.join(known)}.")
    parts = [_alff(folder, site) if what == "alff" else _graphs(folder, site) for site in sites]
    if what == "alff":
        names = tuple(f"AAL region {k + 1}" for k in range(parts[0].X.shape[1]))
        derivative = "ADHD-200 ALFF, 116 regions of AAL"
        remark = "ALFF has another scale at each site; so has the score of symptoms"
    else:
        names = pair_names([f"region {k + 1}" for k in range(N_REGIONS)])
        derivative = "ADHD-200 graphs, 190 regions of CC200, thresholded as distributed"
        remark = (
            "the graphs' own labels are no diagnoses and are not used; scores have another scale at each site"
        )
    meaning = TASKS[task]
    labels = tuple(dict.fromkeys(meaning.values()))

    def numbers(name: str) -> Floats:
        return np.concatenate([part.people.numbers(name) for part in parts])

    def coded(name: str, codes: Mapping[str, str]) -> Texts:
        return np.concatenate([part.people.coded(name, codes) for part in parts])

    diagnosis = coded("DX", {**DIAGNOSES, "pending": ""})
    asked = np.isin(diagnosis, list(meaning))
    if not asked.any():
        raise RecordingError(f"Nobody of {', '.join(part.file for part in parts)} is part of task {task!r}.")
    remarks = [remark, "motion is not known", *_quality(parts)]
    for name, count in zip(*np.unique(diagnosis[~asked], return_counts=True), strict=True):
        remarks.append(f"{count} people left out: {name or 'diagnosis withheld'} is not part of {task!r}")
    return Scans.of(
        np.concatenate([part.people.texts("ScanDir ID") for part in parts]),
        # Who is not asked about gets label 0 and is taken out in the end.
        np.array([labels.index(meaning.get(name, labels[0])) for name in diagnosis.tolist()], dtype=np.int64),
        recording=np.concatenate([np.full(len(part.people), part.file) for part in parts]),
        site=np.array([each for part in parts for each in part.site], dtype=str),
        labels=labels,
        X=np.concatenate([part.X for part in parts]),
        names=names,
        age=numbers("Age"),
        sex=coded("Gender", {"0": "F", "1": "M"}),
        derivative=derivative,
        scores={called: numbers(name) for name, called in SCORES.items()},
        remarks=remarks,
    ).rows(asked)


class _Part(NamedTuple):
    """One file: rows of X, and the phenotypes of the same people in the same order."""

    site: Sequence[str]
    file: str
    X: Floats
    people: Phenotypes


def _alff(folder: Path, site: str) -> _Part:
    file, table = ALFF_FILES[site]
    alff, tag, score = read_alff_file(folder / file)
    people, where = alff_people(folder / table, folder / file, tag, score)
    return _Part([each or site for each in where], file, alff, people)


def _graphs(folder: Path, site: str) -> _Part:
    file = GRAPH_FILES[site]
    X, labels = read_graph_file(folder / file)
    table = folder / (ALFF_FILES["Peking"][1] if site == "Peking_1" else PHENOTYPES)
    people = graph_people(table, folder / file, site, labels)
    return _Part([site] * len(people), file, X, people)


def _quality(parts: Sequence[_Part]) -> list[str]:
    """How many were marked down by whoever looked at their resting scans; they stay."""
    remarks = []
    for part in parts:
        name = next((name for name in ("QC_Athena", "QC_Rest_1") if name in part.people), None)
        if name is not None and (bad := int(np.count_nonzero(part.people.numbers(name) == 0))):
            remarks.append(
                f"{bad} of {len(part.people)} people of {part.file} did not pass {name}; they are kept"
            )
    return remarks
