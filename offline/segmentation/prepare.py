"""An image as a network sees it: spacing and values; computed once, kept by what it was computed from."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from monai.transforms import ScaleIntensityRangePercentiles
from torch.nn.functional import interpolate

from models.errors import RecordingError
from models.files.regular_file import check_regular, read_regular
from models.segmentation.bundle import VolumeInput
from offline.base.result_cache import DAMAGED, make_folder, put_array
from offline.segmentation.cases import MOST_BYTES, DrawnCase
from offline.volumes.image import Image

NEAR = 0.01
"""Share by which a voxel's edge may differ from the network's before the image is resampled."""
REVISION = 1
"""Raise it when what is kept changes."""


def prepared(image: Image, wanted: VolumeInput) -> npt.NDArray[np.float32]:
    """An image at the network's spacing, clipped and standardised.

    Parameters
    ----------
    image : Image
        As it was read.
    wanted : VolumeInput
        Spacing, and percentiles to clip at.

    Returns
    -------
    (x, y, z) float32
        Mean 0, standard deviation 1.

    Raises
    ------
    RecordingError
        All its values are the same.
    """
    lower, upper = wanted.percentiles
    low, high = np.percentile(image.data, (lower, upper))
    if not high > low:
        raise RecordingError(
            f"{image.path} has the value {low:g} nearly everywhere; expected an image of a "
            "head. Is it a mask?"
        )
    clip = ScaleIntensityRangePercentiles(lower, upper, 0.0, 1.0, clip=True)
    data = torch.as_tensor(np.asarray(clip(image.data)), dtype=torch.float32)
    shape = shape_at(image, wanted.voxel_mm)
    if shape != image.data.shape:
        data = interpolate(data[None, None], size=shape, mode="trilinear", align_corners=False)[0, 0]
    return ((data - data.mean()) / data.std()).numpy()


def prepared_labels(labels: Image, voxel_mm: Sequence[float], values: Sequence[int]) -> npt.NDArray[np.uint8]:
    """Labels at the network's spacing, by their place among the values: (x, y, z) uint8."""
    numbers = np.searchsorted(values, labels.data.astype(np.int64)).astype(np.uint8)
    shape = shape_at(labels, voxel_mm)
    if shape == labels.data.shape:
        return numbers
    nearest = interpolate(torch.from_numpy(numbers)[None, None].float(), size=shape, mode="nearest-exact")
    return nearest[0, 0].to(torch.uint8).numpy()


def shape_at(image: Image, voxel_mm: Sequence[float]) -> tuple[int, int, int]:
    """Voxels of an image along each axis at another spacing; its own where both are nearly the same."""
    ratio = image.voxel_mm / np.asarray(voxel_mm)
    if np.all(np.abs(ratio - 1) <= NEAR):
        x, y, z = image.data.shape
    else:
        x, y, z = (max(round(n * r), 1) for n, r in zip(image.data.shape, ratio, strict=True))
    return x, y, z


class PreparedCases:
    """Cases as a network sees them, mapped from files that are kept.

    Parameters
    ----------
    cases : sequence of DrawnCase
        Whose they are.
    wanted : VolumeInput
        How they are prepared.
    values : sequence of int
        Labels that may stand there, 0 first.
    cache : Path
        Folder of what is kept.

    Raises
    ------
    RecordingError
        A case is not what it must be.
    """

    def __init__(
        self, cases: Sequence[DrawnCase], wanted: VolumeInput, values: Sequence[int], cache: Path
    ) -> None:
        make_folder(cache)
        self.cases = tuple(cases)
        self._kept = [_kept(case, wanted, values, cache) for case in cases]

    def __len__(self) -> int:
        return len(self.cases)

    def image(self, k: int) -> npt.NDArray[np.float32]:
        """Of a case: (x, y, z) float32."""
        return self._kept[k][0]

    def labels(self, k: int) -> npt.NDArray[np.uint8]:
        """Of a case, by their place among the values: (x, y, z) uint8."""
        return self._kept[k][1]


def _kept(case: DrawnCase, wanted: VolumeInput, values: Sequence[int], cache: Path) -> tuple[Any, Any]:
    """A case's image and labels, mapped; prepared first where they are not there whole."""
    how = json.dumps([REVISION, wanted.model_dump(), list(values)], sort_keys=True, default=list)
    key = hashlib.sha256(how.encode())
    for path in (case.image, case.labels):
        try:
            key.update(hashlib.sha256(read_regular(path, most=MOST_BYTES)).digest())
        except OSError as error:
            raise RecordingError(f"{path} cannot be read: {error.strerror or error}.") from error
    paths = [cache / f"{key.hexdigest()[:24]}-{what}.npy" for what in ("image", "labels")]
    image, labels = (_mapped(path) for path in paths)
    if image is None or labels is None or image.shape != labels.shape:
        read, drawn = case.read(values)
        put_array(paths[0], prepared(read, wanted))
        put_array(paths[1], prepared_labels(drawn, wanted.voxel_mm, values))
        image, labels = (np.load(path, mmap_mode="r", allow_pickle=False) for path in paths)
    return image, labels


def _mapped(path: Path) -> npt.NDArray[Any] | None:
    """What is kept there; None where it is not whole."""
    try:
        check_regular(path)
        values: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, *DAMAGED):
        return None
    return values if values.ndim == 3 else None
