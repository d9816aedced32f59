"""Windows handed to training a batch at a time: only a batch is ever copied."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import Dataset

from offline.base.window_store import Windows

Batch = tuple[torch.Tensor, torch.Tensor]


class SomeWindows(Dataset[Batch]):
    """Some of the windows, by their rows, with their labels, as torch's loader takes them."""

    def __init__(self, X: Windows, y: npt.NDArray[np.int64], rows: npt.NDArray[np.intp]) -> None:
        self._X, self._y, self._rows = X, y, rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, i: int) -> Batch:
        """A batch of one."""
        return self.__getitems__([i])

    def __getitems__(self, numbers: Sequence[int]) -> Batch:
        """A whole batch with one look: the loader asks for it by this name."""
        rows = self._rows[np.asarray(numbers, dtype=np.intp)]
        return torch.from_numpy(self._X[rows]), torch.from_numpy(self._y[rows])


def as_it_is(batch: Any) -> Any:
    """What the loader puts a batch together with: it is one already."""
    return batch
