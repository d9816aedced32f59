"""What is described of resting children with autism, as features of windows: memory, and likeness of mirrored
channels (`models.networks.memory`, which a bundle computes them by too), here in double precision.
"""

import numpy as np
import numpy.typing as npt
import torch

from models.networks import memory
from offline.base.window_store import Windows

AT_ONCE = 512
"""Windows that are looked at together: more would only take memory."""


def memory_features(X: Windows, pairs: memory.Pairs) -> npt.NDArray[np.float64]:
    """Memory of each channel, and likeness of each of the `realtime.stages.homologues.mirrored` pairs.

    Parameters
    ----------
    X : (n_windows, n_channels, n_samples) float32
        Windows, in the pipeline's units; 8 samples or more.

    Returns
    -------
    (n_windows, n_channels + n_pairs) float64
        Exponents, then Fisher's z of the correlations.  Of a channel that stands still: 0.
    """
    parts = [
        memory.memory_features(torch.from_numpy(np.asarray(X[i : i + AT_ONCE], np.float64)), pairs).numpy()
        for i in range(0, len(X), AT_ONCE)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, X.shape[1] + len(pairs)))
