"""The probe of a SNIRF file: where its optodes are, and what they are called."""

from collections.abc import Mapping
from dataclasses import dataclass

import h5py
import numpy as np

from models.arrays import Floats
from models.errors import RecordingError
from offline.recordings import hdf5
from realtime.channels.optodes import optode_of
from realtime.channels.text_values import is_absent
from realtime.signal import Position

_OPTODES = (("S", "source"), ("D", "detector"))


def names(probe: h5py.Group, counts: Mapping[str, int]) -> dict[str, "NamedOptodes"]:
    """What the sources ``S`` and detectors ``D`` are called.

    Parameters
    ----------
    probe : h5py.Group
        Of a measurement.
    counts : mapping of str to int
        How many of each side have a place.
    """
    return {
        letter: NamedOptodes.of(_labels(probe, f"{word}Labels", counts[letter]), f"{word}Labels")
        for letter, word in _OPTODES
    }


def _labels(probe: h5py.Group, name: str, count: int) -> list[str]:
    """Labels by optode; where a source has one for each wavelength, the first."""
    found = hdf5.texts(probe, name)
    shape: tuple[int, ...] = getattr(hdf5.member(probe, name), "shape", ())
    # A row of as many labels as there are optodes is a list that lies down (MATLAB writes such).
    if len(shape) != 2 or not shape[1] or (shape[0] == 1 and shape[1] == count):
        return found
    return found[:: shape[1]] if name.startswith("source") else found


def positions(probe: h5py.Group, factor: float) -> dict[str, dict[int, Position]]:
    """Places (m) of sources ``S`` and detectors ``D``, by their row from 1; 2-D ones get z = 0.

    Both sides in one space: the first of 3-D and 2-D that has both and was not filled in with noughts, which
    converters do, also on one side only.  A single optode may well be the origin.

    Parameters
    ----------
    probe : h5py.Group
        Of a measurement.
    factor : float
        Metres in one unit of its positions.

    Raises
    ------
    RecordingError
        Places have another number of coordinates than 2 or 3, or stand the wrong way round.
    """
    found: dict[str, dict[int, Position]] = {"S": {}, "D": {}}
    for space in (3, 2):
        places = {letter: _side(probe, f"{word}Pos{space}D", space, factor) for letter, word in _OPTODES}
        if not any(any(place) for side in places.values() for place in side.values()):
            continue
        places = {letter: {} if _is_filled_in(side) else side for letter, side in places.items()}
        if all(places.values()):
            return places
        found = found if any(found.values()) else places
    return found


def _is_filled_in(side: Mapping[int, Position]) -> bool:
    """Whether several optodes are all at the origin, where only one can be."""
    return len(side) > 1 and not any(any(place) for place in side.values())


def _is_turned(values: Floats, space: int) -> bool:
    """Whether rows may be coordinates and columns optodes; a last column of noughts is z of a flat probe."""
    return (
        values.shape[1] != space and len(values) == space and bool(np.any(values[:, 2:] != 0) or space == 3)
    )


def _side(probe: h5py.Group, name: str, space: int, factor: float) -> dict[int, Position]:
    """Places (m) of the optodes of one side in one space, by their row from 1."""
    if name not in probe:
        return {}
    values = np.atleast_2d(hdf5.numbers(probe, name))
    if not values.size:
        return {}
    rows, columns = values.shape[0], values.shape[-1]
    if values.ndim != 2 or columns not in (2, 3) or _is_turned(values, space):
        raise RecordingError(
            f"{probe.name}/{name} has shape {values.shape}; expected optodes by {space}"
            + (". Do its rows stand for x and y? Turn it round." if rows == space else ".")
        )
    if columns == 2:
        values = np.column_stack([values, np.zeros(rows)])
    return {
        row: (float(x), float(y), float(z))
        for row, (x, y, z) in enumerate(values * factor, start=1)
        if np.isfinite((x, y, z)).all()
    }


@dataclass(frozen=True)
class NamedOptodes:
    """The optodes of one side: SNIRF's indices are rows, its labels are names.

    Parameters
    ----------
    names : list of str
        Of each row, empty where the file gives none.
    numbers : list of int
        Of each row: the one that its name says (S3 is 3), where all names of the side say one.
    remarks : list of str
        Why names were not taken.
    """

    names: list[str]
    numbers: list[int]
    remarks: list[str]

    @classmethod
    def of(cls, labels: list[str], what: str) -> "NamedOptodes":
        """Take labels as names where no two optodes share one.

        Parameters
        ----------
        labels : list of str
            Of each row.
        what : str
            The field that they stand in, for remarks.
        """
        names = ["" if is_absent(label) else label.strip() for label in labels]
        remarks = []
        given = [name for name in names if name]
        if len({optode_of(name, None) for name in given}) < len(given):
            codes_of = [optode_of(name, None) for name in given]
            twice = next(name for name, code in zip(given, codes_of, strict=True) if codes_of.count(code) > 1)
            remarks.append(
                f"{what} call two optodes the same ({twice!r}); optodes are distinguished by their row"
            )
            names = [""] * len(names)
        rows = list(range(1, len(names) + 1))
        codes = [optode_of(name, row) for name, row in zip(names, rows, strict=True)]
        if all(code is not None and code.code.isdigit() and code.code != "0" for code in codes):
            numbers = [int(code.code) for code in codes if code is not None]
            if len(set(numbers)) == len(numbers):
                rows = numbers
        return cls(names, rows, remarks)

    def name(self, row: int) -> str | None:
        """What the file calls the optode in a row (from 1)."""
        return (self.names[row - 1] or None) if 1 <= row <= len(self.names) else None

    def number(self, row: int) -> int:
        """Our number of the optode in a row (from 1)."""
        if 1 <= row <= len(self.numbers):
            return self.numbers[row - 1]
        return row + max(0, max(self.numbers, default=0) - len(self.numbers))  # one that no name says
