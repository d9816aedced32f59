"""What the columns of a table of region signals are: regions, a count of the volumes, or their times."""

from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import NamedTuple

import numpy as np

from models.arrays import Bools, Floats
from models.errors import RecordingError
from realtime.channels.text_values import ABSENT_NUMBERS

INDEX = frozenset(
    {"", "index", "volume", "volumes", "vol", "frame", "scan", "tr", "row", "sample", "unnamed: 0"}
)
"""Names of columns that count volumes, in lower case."""
TIME = frozenset(
    {"time", "times", "t", "time_s", "time (s)", "time [s]", "seconds", "sec", "onset", "time_ms"}
)
"""Names of columns that tell when a volume was taken, in lower case."""
FEWEST = 3
"""Volumes below which how a column counts proves nothing."""
MOST_SHOWN = 60
"""Characters of a table's own that a remark shows."""
FEWEST_EQUAL, FEWEST_RISING = 8, 20
"""Volumes from which a column that rises by equal steps, or at all, with every volume is no region's."""
FAR = 10.0
"""Ranges of a column below all else in it where a code of what is not known lies."""


class SeriesTable(NamedTuple):
    """What a table of region signals holds."""

    names: tuple[str, ...]  # of regions, as the table has them; numbered where it has none
    data: Floats  # (n_regions, n_volumes), NaN where the table says that nothing is known
    times: Floats | None  # (n_volumes,): what a column of times says, in the unit of the table
    remarks: list[str]  # what was ignored


class ColumnRole(Enum):
    """What a column is, in the words of a remark."""

    REGION = "is a region"
    COUNT = "counts the volumes"
    TIMES = "tells the times of volumes"


def _coded(data: Floats) -> Bools:
    """Where a number says "not known": -999 or -9999, and out of all proportion to the rest of its column.

    A scan in the scanner's own units may well come by -999.
    """
    coded: Bools = np.isin(data, list(ABSENT_NUMBERS))
    for values, there in zip(data, coded, strict=True):
        rest = values[~there & np.isfinite(values)]
        if there.any() and len(rest):
            there &= values < rest.min() - FAR * np.ptp(rest)
    return coded


def regions_of(
    path: Path,
    header: Sequence[str] | None,
    data: Floats,
    *,
    weak: bool = False,
    remarks: Sequence[str] = (),
) -> SeriesTable:
    """What is measured in a table of numbers: without the columns that count volumes or tell their times.

    Of what columns are called and their numbers, (n_columns, n_volumes) float64.  Names are `weak` where they
    stand in a comment, which may be about something else; `remarks` are what else is known of the table.

    Raises
    ------
    RecordingError
        Names contradict the values, or stand twice; or there is no region.
    """
    remarks = list(remarks)
    if (coded := _coded(data)).any():
        data = np.where(coded, np.nan, data)
        remarks.append(f"{np.count_nonzero(coded)} cells are -999 or -9999, as not known is coded; missing")
    times: Floats | None = None
    kept = []
    for column, values in enumerate(data):
        name = None if header is None else header[column]
        if weak and name is not None and name.strip("# ").lower() not in INDEX | TIME:
            name = None
        role = _role_of(path, name, column, data)
        if role is ColumnRole.REGION:
            kept.append(column)
            continue
        times = values if role is ColumnRole.TIMES else times
        shown = repr(header[column]) if header is not None and header[column] else str(column + 1)
        remarks.append(f"column {shown} {role.value} and was ignored")
    if not kept:
        raise RecordingError(f"{path} has no column of a region; expected a table of region signals.")
    names = [header[k] if header is not None else f"region {i}" for i, k in enumerate(kept, start=1)]
    if weak and header is not None and not all(name.startswith("#") for name in names):
        remarks.append(f"names of regions were taken from a comment: {', '.join(names)[:MOST_SHOWN]}")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise RecordingError(f"{path} calls two regions {twice!r}; names must be unique.")
    return SeriesTable(tuple(names), data[kept], times, remarks)


def _role_of(path: Path, name: str | None, column: int, data: Floats) -> ColumnRole:
    """What a column (from 0) of a whole table is, by its name, or by its values where the table has no names.

    An error where name and values contradict, or volumes were left out.
    """
    values, (width, n) = data[column], data.shape
    plain = None if name is None else name.strip().strip("#").lower()
    if plain is None:
        if width == 1:
            return ColumnRole.REGION
        if column == 0 and n >= FEWEST and counts(values):
            return ColumnRole.COUNT
        if not _advances(values):
            return ColumnRole.REGION
        if column in (0, width - 1):
            return ColumnRole.COUNT if counts(values) else ColumnRole.TIMES
        raise _no_region(path, str(column + 1), values)
    if n > 1 and plain in INDEX | TIME:
        return _role_by_name(path, plain, repr(name) if plain else str(column + 1), values)
    if width > 1 and _advances(values):
        raise _no_region(path, repr(name), values)
    return ColumnRole.REGION


def _role_by_name(path: Path, plain: str, shown: str, values: Floats) -> ColumnRole:
    """The role that a column's name states, where its values can have it."""
    if counts(values):
        return ColumnRole.COUNT
    steps = np.diff(values)
    if not np.all(steps > 0):
        at = int(np.flatnonzero(~(steps > 0))[0])
        fault = "does not advance" if plain else "has no name and does not count the volumes"
        wanted = "a count of volumes or their times; rename it if it is" if plain else "a name for"
        raise RecordingError(
            f"{path}: column {shown} {fault} ({values[at + 1]:g} after {values[at]:g}); expected {wanted} "
            "a region."
        )
    if plain in TIME or not plain:
        return ColumnRole.TIMES
    if not _is_even(values):
        at = int(np.argmax(steps))
        raise RecordingError(
            f"{path}: column {shown} goes from {values[at]:g} to {values[at + 1]:g}, so volumes were taken "
            "out, and the times of those behind are not known; expected every volume. Put rows of n/a in "
            "their place."
        )
    return ColumnRole.COUNT


def counts(values: Floats) -> bool:
    """Whether the values of a column, (n_volumes,) float64, are 0, 1, 2 ... or 1, 2, 3 ..."""
    return bool(values[0] in (0, 1) and np.array_equal(values, values[0] + np.arange(len(values))))


def _advances(values: Floats) -> bool:
    """Whether values rise with every volume as times and counts do, and no measured signal does."""
    if len(values) < FEWEST_EQUAL or not np.all(np.diff(values) > 0):
        return False
    return len(values) >= FEWEST_RISING or _is_even(values)


def _is_even(values: Floats) -> bool:
    """Whether all steps are equal."""
    return bool(np.ptp(np.diff(values)) <= 1e-6 * np.abs(values).max() + 1e-12)


def _no_region(path: Path, shown: str, values: Floats) -> RecordingError:
    how = "counts the volumes" if counts(values) else "advances with every volume, as times do"
    return RecordingError(f"{path}: column {shown} {how}, which no region does; take it out.")
