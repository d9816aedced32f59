"""Which columns of a table belong together: a region's, a modality's, a frequency band's."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from offline.estimators.torch_fit import NetworkError


def channel_of(channels: int | Sequence[int], n_columns: int) -> npt.NDArray[np.int64]:
    """The channel of each column, (n_columns,) int64 from 0, none left out.

    Channels are given one by one, or as how many there are: of neighbouring columns and as equal as can be
    (of fewer columns, one each).
    """
    if isinstance(channels, int | np.integer):
        if channels < 1:
            raise NetworkError(f"channels is {channels}; expected at least 1.")
        few = min(int(channels), n_columns)
        return np.asarray(np.arange(n_columns) * few // n_columns, dtype=np.int64)
    given = np.asarray(channels)
    if given.shape != (n_columns,) or not np.issubdtype(given.dtype, np.integer):
        raise NetworkError(
            f"channels has shape {given.shape} and type {given.dtype}; expected ({n_columns},) whole "
            "numbers, one a column, or one whole number."
        )
    found = np.unique(given)
    if not np.array_equal(found, np.arange(len(found))):
        raise NetworkError(f"channels are {found.tolist()}; expected 0, 1, 2 and so on, none left out.")
    return given.astype(np.int64)
