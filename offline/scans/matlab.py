"""The MATLAB files of ADHD-200's ALFF."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.io import loadmat
from scipy.io.matlab import MatReadError

from models.arrays import Floats
from models.errors import RecordingError

N_REGIONS = 116
NAMES = ("alff", "tag", "score")


def read_alff_file(path: Path) -> tuple[Floats, npt.NDArray[np.int64], Floats]:
    """ALFF of regions, and what the file has of the people.

    Returns
    -------
    alff : (n, N_REGIONS) float64
        Of the regions of AAL, in the unit of the site.
    tag : (n,) int64
        Diagnosis: 0 none, 1 combined, 2 hyperactive, 3 inattentive.
    score : (n,) float64
        ADHD index, on the scale of the site.
    """
    if not path.is_file():
        raise RecordingError(f"There is no file {path}.")
    try:
        held = loadmat(path, variable_names=NAMES)
    except (MatReadError, ValueError, TypeError, OSError, NotImplementedError, KeyError) as error:
        raise RecordingError(f"{path} cannot be read as a MATLAB file: {error}.") from error
    for name in NAMES:
        if name not in held:
            there = ", ".join(key for key in held if not key.startswith("__")) or "nothing else"
            raise RecordingError(f"{path} has no {name!r}; expected alff, tag and score, found {there}.")
        if held[name].dtype.kind not in "fiu" or not np.isfinite(held[name]).all():
            raise RecordingError(
                f"{path}: {name} is {held[name].dtype}; expected numbers, all of them finite."
            )
    alff = np.asarray(held["alff"], dtype=np.float64)
    if alff.ndim != 2 or alff.shape[1] != N_REGIONS:
        shape = " x ".join(map(str, alff.shape))
        raise RecordingError(f"{path}: alff is {shape}; expected people x {N_REGIONS} regions.")
    tag, score = held["tag"].ravel(), held["score"].ravel()
    if not len(tag) == len(score) == len(alff):
        raise RecordingError(f"{path} has {len(alff)} rows of alff, {len(tag)} tags and {len(score)} scores.")
    return alff, tag.astype(np.int64), np.asarray(score, dtype=np.float64)
