"""Information transfer rate: how many bits a minute choosing labels block by block would carry.

Wolpaw JR, Birbaumer N, McFarland DJ, Pfurtscheller G, Vaughan TM (2002). Brain-computer interfaces for
communication and control. Clinical Neurophysiology 113:767-791.
"""

import numpy as np

from models.arrays import Floats

ASSUMED = (
    "Wolpaw's formula assumes that all labels are equally likely, that each is found equally often, that "
    "errors fall evenly on the other labels, and that blocks are independent"
)


def wolpaw_bits(accuracy: float | Floats, n_labels: int) -> Floats:
    """Bits of one choice between labels.

    Parameters
    ----------
    accuracy : float or (n,) float64
        Share of choices that are right, 0 to 1.
    n_labels : int
        Two or more.

    Returns
    -------
    () or (n,) float64
        From 0, at chance and below it, to ``log2(n_labels)``.
    """
    p = np.clip(np.asarray(accuracy, dtype=np.float64), 1.0 / n_labels, 1.0)
    wrong = 1.0 - p
    with np.errstate(divide="ignore", invalid="ignore"):
        lost = np.where(wrong > 0.0, wrong * np.log2(wrong / (n_labels - 1)), 0.0)
    return np.asarray(np.maximum(np.log2(n_labels) + p * np.log2(p) + lost, 0.0))


def bits_a_minute(accuracy: float | Floats, n_labels: int, seconds: float) -> Floats:
    """The rate, () or (n,) float64, where a choice takes so many seconds; else as `wolpaw_bits`."""
    return np.asarray(60.0 * wolpaw_bits(accuracy, n_labels) / seconds)
