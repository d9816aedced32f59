"""Windows to logits: which are computed, and in which batch each was."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from realtime.windows import Window


class Judges(Protocol):
    """What computes logits (`realtime.inference.Inference`)."""

    def logits(
        self, windows: npt.NDArray[np.float32]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        """Logits, (n_windows, n_labels) float32, and padded batch sizes, (n_windows,) int64."""
        ...


class NetworkOutput(NamedTuple):
    """What the network says of one window.

    Parameters
    ----------
    logits : (n_labels,) float32, or None
        None where it was not asked.
    batch : int
        Padded size of the batch; 0 where nothing was computed.
    """

    logits: npt.NDArray[np.float32] | None
    batch: int


UNJUDGED = NetworkOutput(None, 0)


def judge(windows: Sequence[Window], inference: Judges) -> list[NetworkOutput]:
    """Ask the network about the windows that are fit, all in one call.

    Parameters
    ----------
    windows : sequence of Window
        As the core gives them, fit or not.
    inference : Inference
        Where it is computed.

    Returns
    -------
    list of Judged
        One for each window, in their order.
    """
    asked = [window.data for window in windows if window.usable and window.data is not None]
    if not asked:
        return [UNJUDGED] * len(windows)
    rows, sizes = inference.logits(np.stack(asked) if len(asked) > 1 else asked[0][np.newaxis])
    answers = (NetworkOutput(row, int(size)) for row, size in zip(rows, sizes, strict=True))
    return [next(answers) if window.usable and window.data is not None else UNJUDGED for window in windows]
