"""Region series, or regional homogeneity, from 4-D NIfTI images and an atlas; nothing is fetched."""

import warnings
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import nibabel
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError
from nilearn.maskers import NiftiLabelsMasker

from models.arrays import Floats
from models.errors import RecordingError
from offline.scans.reho import regional_homogeneity

SECONDS = {"sec": 1.0, "msec": 1e-3, "usec": 1e-6}
"""Seconds in a header's unit of time; nothing is assumed where it names none."""
MEASURES = ("series", "reho")
"""What can be had of each voxel."""


class ImageSeries(NamedTuple):
    """Region series of many images."""

    names: tuple[str, ...]
    """``label N`` for every number in the atlas but 0, in ascending order."""
    series: Sequence[Floats]
    """(n_regions, n_times) each: mean over the region's voxels, in the image's own unit: not filtered, not
    standardised.  Of homogeneity (n_regions, 1), from 0 to 1."""
    repetition_time: Floats
    """(n,) float64, s, by the header; NaN where it has none."""
    remarks: tuple[str, ...]
    """Whose images lie on another grid than the atlas."""


def read_images(files: Sequence[Path], atlas: Path, *, measure: str = "series") -> ImageSeries:
    """Average images, or what is measured of their voxels, within the regions of an atlas.

    Where an image lies on another grid than the atlas, the atlas is brought to the image's, each voxel
    taking the nearest label: both must be in the same space, which no header can prove.

    Parameters
    ----------
    files : sequence of Path
        4-D images, one a person.
    atlas : Path
        3-D image of whole numbers, 0 outside regions.
    measure : {"series", "reho"}
        Of each voxel: its series, or how homogeneous its neighbourhood is (`offline.scans.reho`).

    Returns
    -------
    ImageSeries
        A region that an image does not cover, (n_times,) float64, is all zero.
    """
    if measure not in MEASURES:
        raise RecordingError(f"measure is {measure!r}; expected one of {', '.join(MEASURES)}.")
    labels_image = _load(atlas)
    labels = np.asarray(labels_image.dataobj)
    if labels.ndim == 4 and labels.shape[3] == 1:
        labels = labels[..., 0]
    if labels.ndim != 3 or not np.isfinite(labels).all() or not np.array_equal(labels, np.round(labels)):
        raise RecordingError(
            f"{atlas} is {' x '.join(map(str, labels.shape))} of {labels.dtype}; expected a 3-D image of "
            "whole numbers, one for each region (a probabilistic atlas is none)."
        )
    numbers = [int(value) for value in np.unique(labels) if value != 0]
    if not numbers:
        raise RecordingError(f"{atlas} holds no label but 0; expected one for each region.")
    image_of_labels = nibabel.Nifti1Image(labels.astype(np.int32), labels_image.affine)
    series, seconds, moved = [], [], []
    for file in files:
        image = _load(file)
        if len(image.shape) != 4 or image.shape[3] < 2:
            raise RecordingError(
                f"{file} is {' x '.join(map(str, image.shape))}; expected a 4-D image, volumes last."
            )
        same = image.shape[:3] == labels.shape and np.allclose(image.affine, labels_image.affine, atol=1e-3)
        if not same:
            moved.append(file.name)
        data = _data(image, file)
        if measure == "reho":
            homogeneity = regional_homogeneity(data)
            inside = np.isfinite(homogeneity)
            # Means are over the voxels that have it: what lies outside the brain counts nowhere.
            both = np.stack([np.where(inside, homogeneity, 0.0), inside], axis=-1)
            sums, shares = np.split(_regions(both, image.affine, image_of_labels, numbers), 2, axis=1)
            series.append(np.divide(sums, shares, out=np.zeros_like(sums), where=shares > 0))
        else:
            series.append(_regions(data, image.affine, image_of_labels, numbers))
        seconds.append(_repetition_time(image))
    remarks = []
    if moved:
        remarks.append(
            f"the atlas was brought to the grid of {len(moved)} of {len(files)} images; they must be in the "
            f"same space: {moved[0]} for one"
        )
    return ImageSeries(
        tuple(f"label {value}" for value in numbers), series, np.array(seconds), tuple(remarks)
    )


def _load(path: Path) -> Any:
    try:
        return nibabel.load(path)
    except FileNotFoundError as error:
        raise RecordingError(f"There is no image {path}.") from error
    except (ImageFileError, HeaderDataError, zlib.error, OSError, ValueError) as error:
        raise RecordingError(f"{path} cannot be read as an image: {error}.") from error


def _data(image: Any, file: Path) -> Floats:
    """Volumes, (n_x, n_y, n_z, n_times) float64."""
    try:
        data = np.asarray(image.dataobj, dtype=np.float64)
    except (zlib.error, OSError, EOFError, ValueError) as error:
        raise RecordingError(f"{file} cannot be read to its end ({error}); is it cut off?") from error
    if bad := int(np.count_nonzero(~np.isfinite(data))):
        raise RecordingError(f"{file} has {bad} voxels that are no numbers; expected none.")
    return data


def _regions(data: Floats, affine: Floats, labels: Any, numbers: Sequence[int]) -> Floats:
    """Means of all regions, (n_regions, n_times) float64, zero where the image covers none of one."""
    masker = NiftiLabelsMasker(labels_img=labels, standardize=False, resampling_target="data", verbose=0)
    # Regions that fall outside are looked for below, by number; nilearn warns of them in many ways.
    with warnings.catch_warnings(action="ignore"):
        found = np.atleast_2d(masker.fit_transform(nibabel.Nifti1Image(data, affine)))
    column = {label: key for key, label in masker.region_ids_.items() if key != "background"}
    means = np.zeros((len(numbers), data.shape[3]))
    for k, value in enumerate(numbers):
        if value in column:
            means[k] = found[:, column[value]]
    return means


def _repetition_time(image: Any) -> float:
    zooms, (_, unit) = image.header.get_zooms(), image.header.get_xyzt_units()
    value = float(zooms[3]) * SECONDS.get(unit, np.nan)
    return value if value > 0 else float("nan")
