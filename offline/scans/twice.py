"""One scan under two people: each would be predicted by what was learnt from the other."""

from itertools import combinations

import numpy as np

from models.arrays import Floats
from models.errors import RecipeError
from offline.samples.fingerprints import Fingerprint, alike_pairs, fingerprint_of
from offline.scans.base import Scans
from offline.scans.regions import listed

REGIONS = 32
"""So many regions of each scan are compared; a copy has them all."""
NEAR = 0.02
"""Rows of features are one where they lie nearer than this, in standard deviations of people, on average:
numbers that were rounded to three digits do, two scans of one person do not by far."""
AGREE, MOST = 0.01, 0.5
"""And where this part of them differs by a hundredth at most: spread may be due to others' units."""
LEAST_CHANGES = 8
"""Rows of features that change less often from one to the next may be alike by chance."""
AT_ONCE = 512
"""Rows that are compared with all others at a time."""


def same_scans(scans: Scans) -> list[tuple[int, int]]:
    """Pairs of rows that hold the same signal, in part or wholly, or the same features."""
    if not scans.is_series:
        return _same_rows(np.asarray(scans.X, dtype=np.float64))
    return [(a, b) for a, b, _ in alike_pairs(fingerprints_of(scans))]


def fingerprints_of(scans: Scans) -> list[Fingerprint]:
    """By what each scan's series are known again, of `REGIONS` regions spread over all."""
    step = max(1, scans.X.shape[1] // REGIONS)
    return [fingerprint_of(np.asarray(each[::step], dtype=np.float64)) for each in scans.X]


def refuse_same(scans: Scans) -> None:
    """Refuse a table of a user's own that has one scan under two people; RecipeError, with both."""
    if found := same_scans(scans):
        pairs = listed([_pair(scans, a, b) for a, b in found], 3)
        raise RecipeError(
            f"{len(found)} pairs of people have the same scan: {pairs}. What is learnt from the one would be "
            "evaluated on the other. Take one of the two out, or give each the file that is theirs."
        )


def remark_same(scans: Scans) -> tuple[str, ...]:
    """The same of shared data, which are read as they are: in words."""
    found = same_scans(scans)
    if not found:
        return ()
    pairs = listed([_pair(scans, a, b) for a, b in found])
    return (
        f"{len(found)} pairs of people have the same scan, so one may be predicted from the other: {pairs}",
    )


def _pair(scans: Scans, a: int, b: int) -> str:
    one, other = (f"{scans.table.person[i]} ({scans.table.recording[i]})" for i in (a, b))
    return f"{one} and {other}"


def _same_rows(X: Floats) -> list[tuple[int, int]]:
    """Pairs of rows that are one but for the digits that a table kept, (n, n_features) float64."""
    rows = np.flatnonzero(np.count_nonzero(np.diff(X), axis=1) >= LEAST_CHANGES)
    if len(rows) < 2:
        return []
    X_varied = X[rows][:, X[rows].std(axis=0) > 0]
    if not X_varied.shape[1]:
        return list(combinations(rows.tolist(), 2))
    Z = (X_varied - X_varied.mean(axis=0)) / X_varied.std(axis=0)
    square = (Z**2).mean(axis=1)
    pairs = []
    for first in range(0, len(Z), AT_ONCE):
        part = slice(first, first + AT_ONCE)
        distance = square[part, np.newaxis] + square - 2 * Z[part] @ Z.T / Z.shape[1]
        for a, b in np.argwhere(distance < NEAR**2).tolist():
            if first + a < b and _agree(X[rows[first + a]], X[rows[b]]):
                pairs.append((int(rows[first + a]), int(rows[b])))
    return pairs


def _agree(one: Floats, other: Floats) -> bool:
    size = np.maximum(np.abs(one), np.abs(other))
    return bool(np.mean(np.abs(one - other) <= AGREE * size) >= MOST)
