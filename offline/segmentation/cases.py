"""Images with the structures that somebody drew in them, as a folder holds them."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.errors import RecordingError
from models.files.regular_file import read_regular
from offline.volumes.image import SUFFIXES, Image, check_same_space, read_image, read_labels

IMAGES, LABELS = "images", "labels"
"""Folders of a collection: files of one name in either are one case."""
MOST_BYTES = 2**31
"""Of one file."""


@dataclass(frozen=True)
class DrawnCase:
    """One image and its labels; ``name`` is the file's, without its suffixes."""

    name: str
    image: Path
    labels: Path

    def read(self, values: Sequence[int]) -> tuple[Image, Image]:
        """Both, on the same voxels.

        Parameters
        ----------
        values : sequence of int
            Labels that may stand there.

        Raises
        ------
        RecordingError
            Either is not what it must be, or they are not of the same space.
        """
        image, labels = read_image(self.image), read_labels(self.labels, values)
        check_same_space(image, labels)
        return image, labels


def read_cases(folder: Path) -> tuple[DrawnCase, ...]:
    """The cases of a folder, by name.

    Parameters
    ----------
    folder : Path
        Holds ``images`` and ``labels``.

    Raises
    ------
    RecordingError
        A folder is absent or empty, or a file of one has none of the same name in the other.
    """
    images, labels = (_files(folder / each) for each in (IMAGES, LABELS))
    if alone := sorted(images.keys() ^ labels.keys()):
        raise RecordingError(
            f"{folder}: {alone[0]} stands in {IMAGES if alone[0] in images else LABELS} only, and so do "
            f"{len(alone) - 1} more; expected an image and labels of the same name for every case."
        )
    return tuple(DrawnCase(name, images[name], labels[name]) for name in sorted(images))


def digest(cases: Sequence[DrawnCase]) -> str:
    """What the cases are, hexadecimal: names and every byte."""
    found = hashlib.sha256()
    for case in cases:
        for path in (case.image, case.labels):
            found.update(hashlib.sha256(read_regular(path, most=MOST_BYTES)).digest())
        found.update(case.name.encode())
    return found.hexdigest()


def values_in(cases: Sequence[DrawnCase]) -> tuple[int, ...]:
    """Labels that stand in any of them, 0 first, rising."""
    found = {0}
    for case in cases:
        found |= {int(each) for each in np.unique(read_labels(case.labels).data)}
    return tuple(sorted(found))


def _files(folder: Path) -> Mapping[str, Path]:
    if not folder.is_dir():
        raise RecordingError(
            f"There is no folder {folder}; expected {IMAGES} and {LABELS}, NIfTI files in each."
        )
    found = {
        path.name.removesuffix(".gz").removesuffix(".nii"): path
        for path in sorted(folder.iterdir())
        if path.name.endswith(SUFFIXES) and not path.name.startswith(".")
    }
    if not found:
        raise RecordingError(f"{folder} holds no {' or '.join(SUFFIXES)} file; expected one for each case.")
    return found
