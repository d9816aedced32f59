"""What optodes and channels are called and numbered, and where a channel lies between its two."""

import re
from collections.abc import Iterable

from realtime.signal import Kind, Position


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


def vendor_name(name: str, letter: str, number: int) -> str | None:
    """The name of an optode where it says more than its number; ``S3`` for source 3 says no more."""
    return None if name == f"{letter}{number}" else name


def standard_name(source: int, detector: int, kind: Kind, wavelength: float | None) -> str:
    """What MNE calls a channel: ``S1_D2 760`` or ``S1_D2 hbo``."""
    last = f"{wavelength:.10g}" if wavelength is not None else kind.value
    return f"S{source}_D{detector} {last}"


def midpoint(a: Position | None, b: Position | None) -> Position | None:
    """Halfway between two places (m), None where one is not known."""
    if a is None or b is None:
        return None
    x, y, z = ((p + q) / 2 for p, q in zip(a, b, strict=True))
    return x, y, z
