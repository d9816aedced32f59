"""What is known of this person so far: window probabilities, added up over time.

Overlapping windows of one person are far from independent, so nothing is multiplied here: the
running evidence is a mean of the predicted windows' probabilities, with their number.  For a
label that changes within the recording (a task), it forgets with a time constant.
"""

from collections.abc import Sequence

import numpy as np

from models.arrays import Floats
from realtime.decision import Evidence


class RunningEvidence:
    """Mean of probabilities over predicted windows, recent ones weighing more where it forgets.

    Parameters
    ----------
    labels : sequence of str
        In the order of the network's outputs.
    memory_s : float or None
        Time constant of forgetting, stream seconds; None keeps everything.
    """

    def __init__(self, labels: Sequence[str], memory_s: float | None) -> None:
        self.labels = tuple(labels)
        self.memory_s = memory_s
        self._sum = np.zeros(len(self.labels))
        self._weight = 0.0
        self._windows = 0
        self._last_end: float | None = None

    def add(self, probabilities: Floats, end: float) -> None:
        """Take a predicted window.

        Parameters
        ----------
        probabilities : (n_labels,) float64
            Its calibrated probabilities.
        end : float
            Its end, stream time (s).
        """
        if self.memory_s is not None and self._last_end is not None:
            kept = float(np.exp(-max(end - self._last_end, 0.0) / self.memory_s))
            self._sum *= kept
            self._weight *= kept
        self._sum += probabilities
        self._weight += 1.0
        self._windows += 1
        self._last_end = end

    def so_far(self) -> Evidence:
        """The evidence now; equal probabilities before the first predicted window."""
        if self._weight > 0:
            mean = self._sum / self._weight
        else:
            mean = np.full(len(self.labels), 1.0 / len(self.labels))
        return Evidence(
            probabilities=dict(zip(self.labels, mean.tolist(), strict=True)),
            windows=self._windows,
            memory_s=self.memory_s,
        )
