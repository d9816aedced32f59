"""ABIDE-I as the Preprocessed Connectomes Project gives it, from the folder that nilearn fills.

The layout is that of ``nilearn.datasets.fetch_abide_pcp``, and what is read is what it reads (a test holds
that); but nothing is ever fetched: who is not there is named.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from models.errors import RecipeError, RecordingError
from offline.recordings.plain_series import read_region_table
from offline.scans.abide_sites import repetition_times
from offline.scans.base import Scans
from offline.scans.phenotype import Phenotypes, read_phenotypes
from offline.scans.regions import listed, read_alike, short_ones, stack

FOLDER = "ABIDE_pcp"
TABLES = "Phenotypic_*.csv"
LABELS = ("TD", "ASD")
SCORES = (
    "ADOS_TOTAL",
    "ADOS_COMM",
    "ADOS_SOCIAL",
    "ADOS_STEREO_BEHAV",
    "ADOS_GOTHAM_SEVERITY",
    "ADI_R_SOCIAL_TOTAL_A",
    "ADI_R_VERBAL_TOTAL_BV",
    "ADI_RRB_TOTAL_C",
    "SRS_RAW_TOTAL",
    "SCQ_TOTAL",
    "AQ_TOTAL",
    "FIQ",
)
"""Dimensional targets; never predictors."""
OVERRIDE = ("repetition_time", "REPETITION_TIME")
"""A column of the phenotype table that says what `offline.scans.abide_sites` otherwise does, s."""

NO_FILE = "no_filename"
STRATEGIES = {
    "filt": "band-pass filtered",
    "nofilt": "no band-pass filter",
    "global": "global signal regressed",
    "noglobal": "no global signal regression",
}


def is_abide(folder: Path) -> bool:
    """Whether a folder, or the one within it, is laid out as nilearn lays out ABIDE."""
    return _root(folder) is not None


def read_abide(
    folder: Path | str,
    *,
    pipeline: str = "cpac",
    strategy: str = "nofilt_noglobal",
    derivative: str = "rois_cc200",
) -> Scans:
    """Read the region series and phenotypes of ABIDE-I.

    Parameters
    ----------
    folder : Path or str
        What nilearn was given as ``data_dir``, or the ``ABIDE_pcp`` within it.
    pipeline, strategy, derivative : str
        Which of the preprocessed series; the ending of the files is the derivative's.

    Returns
    -------
    Scans
        X is (n, n_regions, n_times) float32, as preprocessed: neither standardised nor filtered here.

    Raises
    ------
    RecipeError, RecordingError
        Where a table or a file is not there, or does not hold what it must.
    """
    root = _root(Path(folder))
    if root is None:
        raise _unlike(Path(folder))
    table = _phenotypes(root)
    place = root / pipeline / strategy
    if not place.is_dir():
        there = listed([str(each.relative_to(root)) for each in sorted(root.glob("*/*")) if each.is_dir()])
        raise RecordingError(f"There is no folder {place}; {root} holds {there or 'no series at all'}.")
    ending = f"_{derivative}.1D"
    table, left_out = _who(table, place, ending)
    person, site = table.texts("FILE_ID"), table.texts("SITE_ID")
    files = [f"{name}{ending}" for name in person.tolist()]
    tables = read_alike([place / file for file in files], read_region_table)
    names = tables[0].names
    X, constant = stack([each.data for each in tables], names, person.tolist())
    seconds = repetition_times(site, person)
    for column in OVERRIDE:
        own = table.numbers(column, needed=False)
        seconds = np.where(np.isfinite(own), own, seconds)
    unknown = sorted(set(site[~np.isfinite(seconds)].tolist()))
    how = ", ".join(STRATEGIES.get(part, part) for part in strategy.split("_"))
    scores = {name: table.numbers(name) for name in SCORES if name in table}
    scans = Scans.of(
        person,
        (table.coded("DX_GROUP", {"1": "ASD", "2": "TD"}) == LABELS[1]).astype(np.int64),
        recording=np.array(files, dtype=str),
        site=site,
        labels=LABELS,
        X=X,
        names=names,
        repetition_time=seconds,
        age=table.numbers("AGE_AT_SCAN"),
        sex=table.coded("SEX", {"1": "M", "2": "F"}),
        motion=table.numbers("func_mean_fd", needed=False),
        derivative=f"ABIDE-I {derivative} region series, {pipeline}, {how}",
        scores={name: values for name, values in scores.items() if np.isfinite(values).any()},
    )
    remarks = (
        *left_out,
        *constant,
        *short_ones(scans),
        *([f"repetition time unknown at {listed(unknown)}"] if unknown else []),
        "shares people with the IMPAC challenge: never train on one and test on the other",
    )
    return replace(scans, remarks=remarks)


def _root(folder: Path) -> Path | None:
    return next((place for place in (folder, folder / FOLDER) if any(place.glob(TABLES))), None)


def _unlike(folder: Path) -> RecordingError:
    found = listed(sorted(each.name for each in folder.iterdir())) if folder.is_dir() else "no such folder"
    return RecordingError(
        f"{folder} is not laid out as nilearn's fetch_abide_pcp does ({FOLDER}/{TABLES} and "
        f"{FOLDER}/cpac/...); found {found or 'nothing'}."
    )


def _phenotypes(root: Path) -> Phenotypes:
    tables = sorted(root.glob(TABLES))
    if len(tables) > 1:
        names = ", ".join(each.name for each in tables)
        raise RecipeError(f"{root} holds {len(tables)} phenotype tables ({names}); expected one.")
    return read_phenotypes(tables[0])


def _who(table: Phenotypes, place: Path, ending: str) -> tuple[Phenotypes, list[str]]:
    """Rows whose series are there and whose diagnosis is known, and remarks on the others."""
    ids = table.texts("FILE_ID")
    there = {file.name.removesuffix(ending) for file in place.glob(f"*{ending}")}
    if not there:
        found = listed(sorted(file.name for file in place.iterdir()), 3)
        raise RecordingError(f"{place} holds no files *{ending}; found {found or 'nothing'}.")
    known, named = table.texts("DX_GROUP") != "", (ids != "") & (ids != NO_FILE)
    here = np.isin(ids, list(there))
    remarks = []
    if nameless := int(np.count_nonzero(~named)):
        remarks.append(f"{nameless} people of the phenotype table have no series, by that table")
    for who, why in (
        (ids[named & ~here].tolist(), f"people left out, no file {ending}"),
        (sorted(there - set(ids.tolist())), "files left out, not in the phenotype table"),
        (ids[here & ~known].tolist(), "people left out, no diagnosis"),
    ):
        if who:
            remarks.append(f"{len(who)} {why}: {listed(who)}")
    chosen = table.rows(np.flatnonzero(here & known))
    if not len(chosen):
        raise RecordingError(f"No row of {table.path} has both a file in {place} and a diagnosis.")
    chosen.once("FILE_ID")
    return chosen, remarks
