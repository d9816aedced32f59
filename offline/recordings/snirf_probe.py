"""The probe of a SNIRF file: where its optodes are, and what they are called."""

from dataclasses import dataclass, field

import h5py
import numpy as np

from models.arrays import Floats
from models.errors import RecordingError
from offline.recordings import hdf5
from realtime.channels.optodes import optode_of, positions_of
from realtime.channels.text_values import is_absent
from realtime.signal import Position

_WORDS = ("source", "detector")


@dataclass
class Optodes:
    """The optodes of one side: SNIRF's indices are rows, its labels are names."""

    positions: dict[int, Position]  # by row, from 1, in m
    names: list[str] = field(default_factory=list)  # of each row, empty where the file gives none
    # Of each row the number that its name says (S3 is 3), where all names of the side say one.
    numbers: list[int] = field(default_factory=list)
    remark: str = ""  # why names were not taken; empty where they were

    def name(self, row: int) -> str | None:
        """What the file calls the optode in a row (from 1)."""
        return (self.names[row - 1] or None) if 1 <= row <= len(self.names) else None

    def number(self, row: int) -> int:
        """Our number of the optode in a row (from 1)."""
        if 1 <= row <= len(self.numbers):
            return self.numbers[row - 1]
        return row + max(0, max(self.numbers, default=0) - len(self.numbers))  # one that no name says


def read_optodes(probe: h5py.Group, factor: float) -> tuple[Optodes, Optodes]:
    """The sources and the detectors of a probe, in whose unit of length there are `factor` metres.

    A RecordingError where positions have other than 2 or 3 coordinates, or stand the wrong way round.
    """
    sources, detectors = (
        _named(Optodes(positions), _labels(probe, f"{word}Labels", len(positions)), f"{word}Labels")
        for word, positions in zip(_WORDS, _positions(probe, factor), strict=True)
    )
    return sources, detectors


def _named(side: Optodes, labels: list[str], what: str) -> Optodes:
    """A side with labels as names, where no two optodes share one."""
    side.names = ["" if is_absent(label) else label.strip() for label in labels]
    side.numbers = list(range(1, len(labels) + 1))
    codes = [optode_of(name, None) for name in side.names]
    twice = [name for name, code in zip(side.names, codes, strict=True) if code and codes.count(code) > 1]
    if twice:
        side.remark = (
            f"{what} call two optodes the same ({twice[0]!r}); optodes are distinguished by their row"
        )
        side.names = [""] * len(labels)
        return side
    own = [code.code if code else str(row) for row, code in enumerate(codes, start=1)]
    if all(number.isdigit() and number != "0" for number in own) and len(set(map(int, own))) == len(own):
        side.numbers = list(map(int, own))
    return side


def _labels(probe: h5py.Group, name: str, count: int) -> list[str]:
    """Labels by optode; where a source has one for each wavelength, the first."""
    found = hdf5.texts(probe, name)
    shape: tuple[int, ...] = getattr(hdf5.member(probe, name), "shape", ())
    # A row of as many labels as there are optodes is a list that lies down (MATLAB writes such).
    if len(shape) != 2 or not shape[1] or (shape[0] == 1 and shape[1] == count):
        return found
    return found[:: shape[1]] if name.startswith("source") else found


def _positions(probe: h5py.Group, factor: float) -> list[dict[int, Position]]:
    """Positions (m) of sources and detectors, by their row from 1; 2-D ones get z = 0.

    Both sides in one space: the first of 3-D and 2-D that has both and was not filled in with noughts, which
    converters do, also on one side only.  A single optode may well be the origin.
    """
    found: list[dict[int, Position]] = [{}, {}]
    for space in (3, 2):
        sides = [_side(probe, f"{word}Pos{space}D", space, factor) for word in _WORDS]
        if not any(any(map(any, side.values())) for side in sides):
            continue
        # Several optodes that are all at the origin were filled in.
        sides = [{} if len(side) > 1 and not any(map(any, side.values())) else side for side in sides]
        if all(sides):
            return sides
        found = found if any(found) else sides
    return found


def _side(probe: h5py.Group, name: str, space: int, factor: float) -> dict[int, Position]:
    """Positions (m) of the optodes of one side in one space, by their row from 1."""
    values = np.atleast_2d(hdf5.numbers(probe, name)) if name in probe else np.empty(0)
    if not values.size:
        return {}
    if values.ndim != 2 or values.shape[-1] not in (2, 3) or _is_turned(values, space):
        raise RecordingError(
            f"{probe.name}/{name} has shape {values.shape}; expected optodes by {space}"
            + (". Do its rows stand for x and y? Turn it round." if len(values) == space else ".")
        )
    positions = enumerate(positions_of(values, factor), start=1)
    return {row: position for row, position in positions if position is not None}


def _is_turned(values: Floats, space: int) -> bool:
    """Whether rows may be coordinates and columns optodes; a last column of noughts is z of a flat probe."""
    return (
        values.shape[1] != space and len(values) == space and bool(np.any(values[:, 2:] != 0) or space == 3)
    )
