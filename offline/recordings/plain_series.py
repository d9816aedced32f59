"""Region series from a table of text, quickly where it is plain: most are."""

from pathlib import Path

import numpy as np

from offline.recordings.series_roles import SeriesTable, regions_of
from offline.recordings.series_table import read_table


def read_region_table(path: Path) -> SeriesTable:
    """Region series from a table of text: a row for each volume, a column for each region.

    Quick where the file is plain; whatever is not goes to `offline.recordings.series_table`, which reads it
    cell by cell and knows which one is wrong.
    """
    try:
        with path.open("rb") as file:
            first, second = file.readline().decode("utf-8"), file.readline()
        names = tuple(first.split())
        # Only a header in which every name is marked is surely no row of numbers and no comment.
        marked = len(names) > 1 and all(len(name) > 1 and name.startswith("#") for name in names)
        if marked and second.strip():
            data = np.loadtxt(path, dtype=np.float64, skiprows=1, ndmin=2, comments=None)
            if data.shape[1] == len(names) == len(set(names)) and len(data):
                return regions_of(path, names, data.T)
    except (ValueError, OSError):
        pass  # reported properly below
    return read_table(path)
