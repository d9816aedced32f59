"""What the columns of a table of region signals are: regions, a count of the volumes, or their times."""

from enum import Enum
from pathlib import Path

import numpy as np

from models.errors import RecordingError
from realtime.signal import Floats

INDEX = frozenset(
    {"", "index", "volume", "volumes", "vol", "frame", "scan", "tr", "row", "sample", "unnamed: 0"}
)
"""Names of columns that count volumes, in lower case."""
TIME = frozenset(
    {"time", "times", "t", "time_s", "time (s)", "time [s]", "seconds", "sec", "onset", "time_ms"}
)
"""Names of columns that tell when a volume was taken, in lower case."""
FEWEST = 3
"""Volumes below which nothing is told by how a column counts."""
FEWEST_EQUAL, FEWEST_RISING = 8, 20
"""Volumes from which a column that rises by equal steps, or at all, with every volume is no region's."""


class Role(Enum):
    """What a column is, in the words of a remark."""

    REGION = "is a region"
    COUNT = "counts the volumes"
    TIMES = "tells the times of volumes"


def role_of(path: Path, name: str | None, column: int, data: Floats) -> Role:
    """What a column is, by its name, or by its values where it has none.

    Parameters
    ----------
    path : Path
        Of the table, for messages.
    name : str or None
        What the table calls the column; None where it has no names.
    column : int
        Its place, from 0.
    data : (n_columns, n_volumes) float64
        The whole table.

    Raises
    ------
    RecordingError
        Name and values contradict, or volumes were left out.
    """
    values, (width, n) = data[column], data.shape
    plain = None if name is None else name.strip().strip("#").lower()
    if plain is None:
        if width == 1:
            return Role.REGION
        if column == 0 and n >= FEWEST and counts(values):
            return Role.COUNT
        if not _advances(values):
            return Role.REGION
        if column in (0, width - 1):
            return Role.COUNT if counts(values) else Role.TIMES
        raise _no_region(path, str(column + 1), values)
    if n > 1 and plain in INDEX | TIME:
        return _told(path, plain, repr(name) if plain else str(column + 1), values)
    if width > 1 and _advances(values):
        raise _no_region(path, repr(name), values)
    return Role.REGION


def _told(path: Path, plain: str, shown: str, values: Floats) -> Role:
    """The role that a column's name tells, where its values can have it."""
    if counts(values):
        return Role.COUNT
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
        return Role.TIMES
    if not _is_even(values):
        at = int(np.argmax(steps))
        raise RecordingError(
            f"{path}: column {shown} goes from {values[at]:g} to {values[at + 1]:g}, so volumes were taken "
            "out, and the times of those behind are not known; expected every volume. Put rows of n/a in "
            "their place."
        )
    return Role.COUNT


def counts(values: Floats) -> bool:
    """Whether values are 0, 1, 2 ... or 1, 2, 3 ...

    Parameters
    ----------
    values : (n_volumes,) float64
        Of a column.
    """
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
