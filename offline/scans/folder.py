"""A user's own people: a phenotype table, and next to it a file a person, or one table of features.

What a file is follows from its shape: a symmetric square is connectivity, one row are features, anything else
is region series with a row for each volume.
"""

from collections.abc import Sequence
from pathlib import Path
from tokenize import TokenError
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from models.errors import RecipeError, RecordingError
from offline.recordings.plain_series import read_region_table
from offline.recordings.series import check_times_of_volumes, read_series
from offline.recordings.series_roles import SeriesTable
from offline.scans.base import Scans
from offline.scans.people import check_columns, scans_of, with_diagnosis
from offline.scans.phenotype import Phenotypes, read_phenotypes
from offline.scans.regions import MOST_NAMED, listed, read_alike, stack
from offline.scans.square import looks_square, pair_names, upper_triangle

if TYPE_CHECKING:
    from offline.scans.nifti import ImageSeries

TABLE_NAMES = ("phenotypes", "phenotype", "participants", "scans")
TABLE_ENDINGS = (".tsv", ".csv")
TEXTS = (".1d", ".tsv", ".csv", ".txt")
IMAGES = (".nii", ".nii.gz")


def phenotype_table(path: Path) -> Path | None:
    """The phenotype table of a folder, by its name, or the file itself; None where there is none."""
    if path.is_file():
        return path if path.suffix.lower() in TABLE_ENDINGS else None
    places = [path / f"{name}{ending}" for name in TABLE_NAMES for ending in TABLE_ENDINGS]
    return next((place for place in places if place.is_file()), None)


def read_folder(
    path: Path | str,
    *,
    atlas: Path | str | None = None,
    measure: str = "series",
) -> Scans:
    """Read a phenotype table and the files it names.

    Parameters
    ----------
    path : Path or str
        The table (TSV or CSV), or a folder with a table called phenotypes, participants or scans.  Columns
        ``person``, ``file`` (relative to the table) and ``diagnosis``; where known ``session``, ``site``,
        ``age`` (years), ``sex`` (F or M), ``motion`` (mm) and ``repetition_time`` (s); every other
        column of numbers is a score, to be predicted and never to predict from.
    atlas : Path, str or None
        Image of labels, where the files are 4-D NIfTI.
    measure : {"series", "reho"}
        Of images: region series, or a table of each region's homogeneity (`offline.scans.reho`).

    Raises
    ------
    RecipeError, RecordingError
        Where the table or a file is wrong; the message names line or file.
    """
    place = phenotype_table(Path(path))
    if place is None:
        raise RecipeError(
            f"{path} is no phenotype table and holds none; expected one of "
            f"{', '.join(f'{name}.tsv' for name in TABLE_NAMES)} (or .csv)."
        )
    table = read_phenotypes(place)
    check_columns(table)
    table, labels, target, remarks = with_diagnosis(table)
    files = _files(table)
    derivative = f"as given in {place.parent.name}/{place.name}, preprocessing not stated"
    seconds = np.full(len(table), np.nan)
    X: npt.NDArray[np.float32] | Floats
    if _is_image(files[0]):
        images = _images(files, atlas, measure)
        names, data, seconds = images.names, images.series, images.repetition_time
        remarks += images.remarks
        kind, what = "series", "regions"
        if measure != "series":
            kind, what = "features", "regional homogeneity (27 voxels) of regions"
        derivative += f"; {what} of {Path(str(atlas)).name}"
    elif len(set(files)) == 1 and len(files) > 1:
        features = read_phenotypes(files[0]).of_people(table.texts("person").tolist(), "person")
        names, X = features.features("person")
        data, kind = [], "one table"
    else:
        tables = read_alike(files, read_array)
        names, data = tables[0].names, [each.data for each in tables]
        remarks += _ignored(files, tables)
        kind = _kind(data[0])
        if kind == "series":
            seconds = _repetition_times(files, table)
            for file, each, tr in zip(files, tables, seconds.tolist(), strict=True):
                if each.times is not None:
                    check_times_of_volumes(file, each.times, tr)
    who = [f"{file}" for file in files]
    if kind == "series":
        X, constant = stack(data, names, who)
        remarks += constant
    elif kind == "connectivity":
        X = np.stack([upper_triangle(each, name) for each, name in zip(data, who, strict=True)])
        names = pair_names(names)
    elif kind == "features":
        X = _one_row_each(data, who)
    return scans_of(
        table,
        labels,
        target,
        X,
        names,
        repetition_time=seconds,
        derivative=derivative,
        remarks=remarks,
    )


def _images(files: Sequence[Path], atlas: Path | str | None, measure: str) -> "ImageSeries":
    if atlas is None:
        raise RecipeError(f"{files[0]} is an image; say the atlas (an image of labels) that gives regions.")
    from offline.scans.nifti import read_images

    return read_images(files, Path(atlas), measure=measure)


def _is_image(file: Path) -> bool:
    return file.name.lower().endswith(IMAGES)


def read_array(path: Path) -> SeriesTable:
    """Text or ``.npy`` with a row for each volume and a column for each region, numbered where not named."""
    ending = path.suffix.lower()
    if ending in TEXTS:
        return read_region_table(path)
    if ending != ".npy":
        known = ", ".join((*TEXTS, ".npy", *IMAGES))
        raise RecordingError(f"{path} ends in {path.suffix!r}; expected one of {known}.")
    try:
        data = np.load(path, allow_pickle=False)
    except (ValueError, EOFError, OSError, SyntaxError, TokenError) as error:
        raise RecordingError(f"{path} cannot be read as an array of numbers: {error}.") from error
    if data.ndim == 1:
        data = data[np.newaxis]
    if data.ndim != 2 or data.dtype.kind not in "fiu" or not data.size:
        shape = " x ".join(map(str, data.shape))
        raise RecordingError(f"{path} holds {data.dtype} of {shape}; expected numbers, volumes x regions.")
    names = tuple(f"region {k + 1}" for k in range(data.shape[1]))
    return SeriesTable(names, np.asarray(data.T, dtype=np.float64), None, [])


def _files(table: Phenotypes) -> list[Path]:
    files = [table.path.parent / name for name in table.texts("file").tolist()]
    lacking = [i for i, file in enumerate(files) if not file.is_file()]
    if lacking:
        names = listed([f"{files[i].name or '(none)'} (line {table.lines[i]})" for i in lacking])
        raise RecordingError(
            f"{len(lacking)} of the {len(files)} files that {table.path} names are not there: {names}."
        )
    if 1 < len(set(files)) < len(files):
        twice = next(file for file in files if files.count(file) > 1)
        lines = ", ".join(str(table.lines[i]) for i, file in enumerate(files) if file == twice)
        raise RecipeError(
            f"{table.path}: {twice.name} is the file of several people, lines {lines}; expected one each "
            "(or one table of features for all)."
        )
    return files


def _ignored(files: Sequence[Path], tables: Sequence[SeriesTable]) -> list[str]:
    """Remarks on what was ignored of each file."""
    remarks: dict[str, list[str]] = {}
    for file, table in zip(files, tables, strict=True):
        for each in table.remarks:
            remarks.setdefault(each, []).append(file.name)
    # Names of files stand last: they may say who somebody is, and no bundle repeats what follows a colon.
    lines = [f"{each} in {len(where)} files: {listed(where)}" for each, where in remarks.items()]
    more = len(lines) - MOST_NAMED
    return lines[:MOST_NAMED] + ([f"and {more} more such remarks on files"] if more > 0 else [])


def _kind(first: Floats) -> str:
    if looks_square(first):
        return "connectivity"
    return "features" if first.shape[1] == 1 else "series"


def _repetition_times(files: Sequence[Path], table: Phenotypes) -> Floats:
    """What side files say, as in BIDS, where the table does not: (n,) float64, s."""
    seconds = table.numbers("repetition_time", needed=False)
    for i, file in enumerate(files):
        if np.isnan(seconds[i]) and file.suffix.lower() in TEXTS and file.with_suffix(".json").is_file():
            seconds[i] = read_series(file).notes["repetition_time"]
    return seconds


def _one_row_each(data: Sequence[Floats], who: Sequence[str]) -> Floats:
    for each, name in zip(data, who, strict=True):
        if each.shape[1] != 1 or not np.isfinite(each).all():
            bad = int(np.count_nonzero(~np.isfinite(each)))
            raise RecordingError(
                f"{name} has {each.shape[1]} rows and {bad} cells that are no numbers; expected one row of "
                "features."
            )
    return np.stack([each[:, 0] for each in data])
