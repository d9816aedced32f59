"""How labels weigh while a network learns them."""

import numpy as np
import numpy.typing as npt
import torch


def label_weights(y: npt.NDArray[np.int64], n_outputs: int) -> torch.Tensor:
    """Weights, (n_outputs,) float32, under which every label that occurs weighs the same, 1 on average.

    0 for a label that does not occur in ``y``, (n_windows,) int64.
    """
    counts = np.bincount(y, minlength=n_outputs).astype(np.float64)
    weights = np.where(counts > 0, len(y) / np.maximum(counts, 1) / np.count_nonzero(counts), 0.0)
    return torch.tensor(weights, dtype=torch.float32)
