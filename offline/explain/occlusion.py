"""What a network loses when a source-detector pair, or a stretch of the window, is hidden from it.

Zeiler MD, Fergus R (2014). Visualizing and understanding convolutional networks. ECCV.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from models.arrays import Floats
from offline.explain.margin import Margin


def occlude(
    network: nn.Module,
    X: npt.NDArray[np.float32],
    label: npt.NDArray[np.int64],
    places: Sequence[int],
    *,
    stretch: int,
) -> Floats:
    """Fall of the margin when a source-detector pair is hidden for a stretch of time.

    Of windows (n, n_channels, n_samples) float32 and whose margin is meant, (n,) int64, it gives the mean
    fall over the stretches that hid a sample, in the same shape float64, equal for all channels of a pair.

    Hidden is 0, which is what windows hold where a channel is left out.  ``places`` is the pair of each
    channel, from 0, which is hidden with all its chromophores; ``stretch`` are the samples that are hidden at
    once, and the next stretch begins half of that later.  The network is in evaluation mode.
    """
    margin = Margin(network)
    windows, wanted = torch.from_numpy(X), torch.from_numpy(label)
    place_of, n_samples = np.array(places), X.shape[2]
    step = max(stretch // 2, 1)
    starts = sorted({*range(0, max(n_samples - stretch, 0) + 1, step), max(n_samples - stretch, 0)})
    fall, hidden = np.zeros(X.shape), np.zeros(X.shape[1:])
    with torch.inference_mode():
        whole = margin(windows, wanted).numpy().astype(np.float64)
        for place in np.unique(place_of):
            rows = np.flatnonzero(place_of == place)
            for start in starts:
                while_hidden = slice(start, start + stretch)
                without = windows.clone()
                without[:, rows, while_hidden] = 0.0
                lost = whole - margin(without, wanted).numpy()
                fall[:, rows, while_hidden] += lost[:, None, None]
                hidden[rows, while_hidden] += 1.0
    return np.asarray(fall / hidden)
