"""What optodes and channels are called and numbered, and where a channel lies between its two."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from math import dist
from typing import NamedTuple

import numpy as np

from models.arrays import Floats
from realtime.signal import Channel, Kind, Position


def number_optodes(names: Iterable[str]) -> dict[str, int]:
    """Number a vendor's optodes from 1.

    Their own numbers are kept where every name has one and no two share it (``S7_CCP3h`` is 7);
    otherwise they are counted in order of appearance.

    Parameters
    ----------
    names : iterable of str
        Names of the sources, or of the detectors; they may occur repeatedly.

    Returns
    -------
    dict of str to int
        A number for each name, in order of first appearance.
    """
    distinct = list(dict.fromkeys(names))
    found = [re.match(r"[A-Za-z]{1,3}(\d{1,4})(?![0-9])", name) for name in distinct]
    numbers = [int(match[1]) for match in found if match]
    if len(numbers) == len(distinct) == len(set(numbers)) and 0 not in numbers:
        return dict(zip(distinct, numbers, strict=True))
    return {name: number for number, name in enumerate(distinct, start=1)}


class Optode(NamedTuple):
    """What distinguishes an optode from the others on its side, however it is written.

    Parameters
    ----------
    code : str
        Its number as a text, with the letter that may follow it (``4b``); or else its whole name.
    place : str
        What its name holds beyond that, for instance a position of the 10-5 system; empty where nothing.
    """

    code: str
    place: str = ""

    def agrees(self, other: "Optode") -> bool:
        """Whether both can be the same optode: one name may say less than the other."""
        return self.code == other.code and (not self.place or not other.place or self.place == other.place)


def optode_of(name: str | None, number: int | None) -> Optode | None:
    """Who an optode is: by its name where it has one, by its number where it has no name.

    ``S3``, ``s03``, ``Src 3``, ``Tx3`` and ``3`` are one source; ``S3_FCC3h`` is the same, with its position.

    Parameters
    ----------
    name : str or None
        As a file, a stream or a person calls it.
    number : int or None
        Our own.

    Returns
    -------
    Optode or None
        None where neither is known.
    """
    text = " ".join(unicodedata.normalize("NFKC", name or "").casefold().split())
    if not text:
        return None if number is None else Optode(str(number))
    match = _CODE.fullmatch(text)
    return Optode(text) if match is None else Optode(match[1] + match[2], match[3] or "")


_CODE = re.compile(r"(?:s|src|source|tx|d|det|detector|rx)?[ _.-]*0*([0-9]{1,4})([a-z]?)(?:[ _:-]+(.+))?")


def standard_name(source: int, detector: int, kind: Kind, wavelength: float | None) -> str:
    """What MNE calls a channel: ``S1_D2 760`` or ``S1_D2 hbo``."""
    last = f"{wavelength:.10g}" if wavelength is not None else kind.value
    return f"S{source}_D{detector} {last}"


def midpoint(a: Position | None, b: Position | None) -> Position | None:
    """Halfway between two positions (m), None where one is not known."""
    if a is None or b is None:
        return None
    x, y, z = ((p + q) / 2 for p, q in zip(a, b, strict=True))
    return x, y, z


def between(channel: Channel, at: Position | None, to: Position | None) -> Channel:
    """The channel with the positions (m) of its source and detector, and what follows from both."""
    return replace(
        channel,
        distance=dist(at, to) if at and to else None,
        position=midpoint(at, to),
        source_position=at,
        detector_position=to,
    )


def positions_of(values: Floats, factor: float) -> list[Position | None]:
    """Positions (m) of a table's rows, z = 0 where there are two columns; None where one is not finite.

    Parameters
    ----------
    values : (n, 2) or (n, 3) float64
        As a file has them.
    factor : float
        Metres in one of its units.
    """
    if values.shape[1] == 2:
        values = np.column_stack([values, np.zeros(len(values))])
    return [
        (float(x), float(y), float(z)) if np.isfinite((x, y, z)).all() else None
        for x, y, z in values * factor
    ]
