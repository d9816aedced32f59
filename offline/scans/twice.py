"""One scan under two people: each would be judged by what was learnt from the other."""

import hashlib

import numpy as np

from models.errors import RecipeError
from offline.fingerprints import Fingerprint, alike_pairs, fingerprint_of
from offline.scans.base import Floats, Scans
from offline.scans.regions import listed

REGIONS = 32
"""So many regions of each scan are compared; a copy has them all."""
DIGITS = 6
"""Significant digits to which features are compared."""
LEAST_CHANGES = 8
"""Rows of features that change less often from one to the next may be alike by chance."""


def same_scans(scans: Scans) -> list[tuple[int, int]]:
    """Pairs of rows that hold the same signal, in part or wholly, or the same features.

    Parameters
    ----------
    scans : Scans
        Region series, or a table.
    """
    if not scans.is_series:
        return _same_rows(np.asarray(scans.X, dtype=np.float64))
    return [(a, b) for a, b, _ in alike_pairs(fingerprints_of(scans))]


def fingerprints_of(scans: Scans) -> list[Fingerprint]:
    """By what each scan's series are known again, of `REGIONS` regions spread over all."""
    step = max(1, scans.X.shape[1] // REGIONS)
    return [fingerprint_of(np.asarray(each[::step], dtype=np.float64)) for each in scans.X]


def refuse_same(scans: Scans) -> None:
    """Refuse a table of a user's own that has one scan under two people.

    Raises
    ------
    RecipeError
        Names both.
    """
    if found := same_scans(scans):
        pairs = listed([_pair(scans, a, b) for a, b in found], 3)
        raise RecipeError(
            f"{len(found)} pairs of people have the same scan: {pairs}. What is learnt from the one would be "
            "judged on the other. Take one of the two out, or give each the file that is theirs."
        )


def remark_same(scans: Scans) -> tuple[str, ...]:
    """The same of shared data, which are read as they are: in words."""
    found = same_scans(scans)
    if not found:
        return ()
    pairs = listed([_pair(scans, a, b) for a, b in found])
    return (
        f"{len(found)} pairs of people have the same scan, so that one may be judged by the other: {pairs}",
    )


def _pair(scans: Scans, a: int, b: int) -> str:
    one, other = (f"{scans.table.person[i]} ({scans.table.recording[i]})" for i in (a, b))
    return f"{one} and {other}"


def _same_rows(X: Floats) -> list[tuple[int, int]]:
    size = 10.0 ** np.floor(np.log10(np.where(X == 0, 1.0, np.abs(X))))
    rounded = np.round(X / size, DIGITS - 1) * size
    first: dict[str, int] = {}
    pairs = []
    for i, row in enumerate(rounded.astype(np.float32)):
        if np.count_nonzero(np.diff(row)) < LEAST_CHANGES:
            continue
        before = first.setdefault(hashlib.sha256(row.tobytes()).hexdigest(), i)
        if before != i:
            pairs.append((before, i))
    return pairs
