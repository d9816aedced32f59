"""Connectivity that somebody else computed: a square matrix a person, its upper triangle as a row."""

from collections.abc import Sequence

import numpy as np

from models.arrays import Floats
from models.errors import RecordingError

TOLERANCE = 1e-4
"""Part of a matrix's largest value by which its halves may differ: what writing few digits does."""
BETWEEN = " ~ "


def upper_triangle(matrix: Floats, where: str) -> Floats:
    """What lies above the diagonal, row by row, in the order of `pair_names`.

    Parameters
    ----------
    matrix : (n_regions, n_regions) float64
        Symmetric; the diagonal is not looked at.
    where : str
        Whose, for messages.
    """
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise RecordingError(f"{where} is {_shape(matrix)}; expected a square matrix, regions by regions.")
    rows, columns = np.triu_indices(len(matrix), k=1)
    above, below = matrix[rows, columns], matrix[columns, rows]
    if bad := int(np.count_nonzero(~(np.isfinite(above) & np.isfinite(below)))):
        raise RecordingError(
            f"{where} has {bad} entries off the diagonal that are NaN; expected none. Connectivity "
            "of a constant region is not defined: write 0 for it, for everybody."
        )
    apart = float(np.abs(above - below).max(initial=0.0))
    if apart > TOLERANCE * float(np.abs(above).max(initial=0.0)) + 1e-12:
        k = int(np.abs(above - below).argmax())
        raise RecordingError(
            f"{where} is not symmetric: row {rows[k] + 1}, column {columns[k] + 1} is {above[k]:.6g}, and "
            f"{below[k]:.6g} the other way round. Directed connectivity belongs in a table of features."
        )
    return np.asarray(0.5 * (above + below))


def pair_names(names: Sequence[str]) -> tuple[str, ...]:
    """Names of the pairs of regions, in the order of `upper_triangle`."""
    rows, columns = np.triu_indices(len(names), k=1)
    return tuple(
        f"{names[i]}{BETWEEN}{names[j]}" for i, j in zip(rows.tolist(), columns.tolist(), strict=True)
    )


def looks_square(data: Floats) -> bool:
    """Whether an array could be one person's connectivity: (n, n) float64 and symmetric, diagonal aside."""
    if data.ndim != 2 or data.shape[0] != data.shape[1] or len(data) < 2:
        return False
    off = np.where(np.eye(len(data), dtype=bool), 0.0, data)
    return bool(
        np.allclose(off, off.T, rtol=0, atol=TOLERANCE * np.nanmax(np.abs(off)) + 1e-12, equal_nan=True)
    )


def _shape(array: Floats) -> str:
    return " x ".join(map(str, array.shape)) or "a single number"
