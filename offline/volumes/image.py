"""A structural image, or one of labels: read from NIfTI, with everything that can be wrong said.

Axes are brought to RAS+ by swapping and flipping only, so that left is left; the file's own order comes back
where a result is written (`write_labels`).
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import numpy.typing as npt
from nibabel.filebasedimages import ImageFileError
from nibabel.orientations import apply_orientation, inv_ornt_aff, io_orientation, ornt_transform
from nibabel.spatialimages import HeaderDataError

from models.arrays import Floats
from models.errors import RecordingError
from models.files.write_atomic import atomic_path

SUFFIXES = (".nii", ".nii.gz")
MOST_VOXELS = 2**28
"""Of one image: what claims more is damaged, or is none of a head."""
LEAST_MM, MOST_MM = 0.05, 20.0
"""Edges of a voxel: beyond them the header's unit is wrong, or there is none."""
RAS = np.array([[0, 1], [1, 1], [2, 1]])
"""Axes towards right, anterior, superior, as nibabel writes orientations."""
LEAST_DETERMINANT = 1e-6
"""Of an affine, mm3: below it two axes point the same way."""


@dataclass(frozen=True, eq=False)
class Image:
    """One image, axes towards right, anterior and superior.

    Parameters
    ----------
    data : (x, y, z) float32
        Scaled as its header says.
    affine_mm : (4, 4) float64, mm
        From voxel indices to RAS+ space.
    path : Path
        Where it was read from.
    own_affine_mm : (4, 4) float64, mm
        Of the file, whose axes may be in another order.
    """

    data: npt.NDArray[np.float32]
    affine_mm: Floats
    path: Path
    own_affine_mm: Floats

    @property
    def voxel_mm(self) -> Floats:
        """Edges of a voxel: (3,) mm."""
        return np.sqrt((self.affine_mm[:3, :3] ** 2).sum(axis=0))


def read_image(path: Path) -> Image:
    """Read a 3-D image.

    Parameters
    ----------
    path : Path
        NIfTI, packed or not.

    Raises
    ------
    RecordingError
        It is no such file, damaged, not 3-D, without a geometry, or holds values that are no numbers.
    """
    image = _load(path)
    shape = tuple(int(n) for n in image.shape)
    if len(shape) == 4 and shape[3] == 1:
        shape = shape[:3]
    if len(shape) != 3:
        raise RecordingError(
            f"{path} has {len(shape)} axes ({' x '.join(map(str, shape))}); expected one 3-D image. "
            "A series of volumes is none: take one of them, or their mean."
        )
    if min(shape) < 1 or np.prod(shape, dtype=float) > MOST_VOXELS:
        raise RecordingError(
            f"{path} is {' x '.join(map(str, shape))} voxels; expected 1 or more each way, "
            f"{MOST_VOXELS} in all."
        )
    affine = np.asarray(image.affine, dtype=np.float64)
    _check_geometry(path, affine)
    try:
        data = np.asarray(image.dataobj, dtype=np.float32).reshape(shape)
    except (zlib.error, OSError, EOFError, ValueError, MemoryError) as error:
        raise RecordingError(
            f"{path} cannot be read to its end ({error}). Is it cut off? Copy it again."
        ) from error
    if bad := int(np.count_nonzero(~np.isfinite(data))):
        raise RecordingError(
            f"{path} has {bad} of {data.size} voxels that are NaN or infinite; expected none. Set what lies "
            "outside the brain to 0."
        )
    turn = io_orientation(affine)
    turned = np.ascontiguousarray(apply_orientation(data, turn))
    return Image(turned, affine @ inv_ornt_aff(turn, shape), path, affine)


def read_labels(path: Path, values: Sequence[int] | None = None) -> Image:
    """The same of an image of labels.

    Parameters
    ----------
    path : Path
        NIfTI, packed or not.
    values : sequence of int, optional
        Labels that may stand there, 0 among them.

    Raises
    ------
    RecordingError
        As `read_image`; its values are not whole, others than expected, or all 0.
    """
    image = read_image(path)
    found = np.unique(image.data)
    if len(odd := found[(found != np.round(found)) | (found < 0)]):
        raise RecordingError(
            f"{path} holds {odd[0]:g} among its labels; expected whole numbers from 0. Was it resampled "
            "without keeping the nearest label?"
        )
    if values is not None and (other := sorted({int(each) for each in found} - set(values))):
        raise RecordingError(
            f"{path} holds the label{'s' if len(other) > 1 else ''} {', '.join(map(str, other[:5]))}; "
            f"expected {', '.join(map(str, values))} and no other."
        )
    if not found.any():
        raise RecordingError(f"{path} holds no label but 0; expected the structures that were drawn.")
    return image


def check_same_space(image: Image, labels: Image) -> None:
    """Refuse labels that do not lie on their image's voxels (RecordingError)."""
    if image.data.shape != labels.data.shape:
        raise RecordingError(
            f"{labels.path} is {' x '.join(map(str, labels.data.shape))} voxels, its image {image.path.name} "
            f"{' x '.join(map(str, image.data.shape))}; expected the same."
        )
    apart = float(np.abs(image.affine_mm - labels.affine_mm).max())
    if apart > 1e-2:
        raise RecordingError(
            f"{labels.path} lies {apart:.3g} mm off its image {image.path.name} by their affines; expected "
            "the same space. Write the labels with the image's header."
        )


def write_labels(path: Path, labels: npt.NDArray[np.integer[Any]], of: Image) -> None:
    """Write labels in the space, the order of axes and the header's geometry of the image that they are of.

    Parameters
    ----------
    path : Path
        ``.nii`` or ``.nii.gz``; what stands there is replaced.
    labels : (x, y, z) int
        On the voxels of ``of.data``.
    of : Image
        Whose they are.

    Raises
    ------
    RecordingError
        It cannot be written.
    """
    back = ornt_transform(RAS, io_orientation(of.own_affine_mm))
    turned = np.ascontiguousarray(apply_orientation(labels.astype(np.uint8), back))
    image = nibabel.Nifti1Image(turned, of.own_affine_mm)
    image.header.set_xyzt_units("mm")
    image.header["descrip"] = b"hemostream segment; for research only"
    try:
        suffix = ".nii.gz" if path.name.endswith(".gz") else ".nii"
        with atomic_path(path) as part:
            named = part.with_name(part.name + suffix)  # nibabel goes by the name
            try:
                nibabel.save(image, named)
                named.replace(part)
            finally:
                named.unlink(missing_ok=True)
    except OSError as error:
        raise RecordingError(f"{path} cannot be written: {error.strerror or error}.") from error


def _load(path: Path) -> Any:
    if not path.name.endswith(SUFFIXES):
        raise RecordingError(f"{path} is named as no NIfTI image; expected {' or '.join(SUFFIXES)}.")
    try:
        return nibabel.load(path)
    except FileNotFoundError as error:
        raise RecordingError(f"There is no image {path}.") from error
    except (
        ImageFileError,
        HeaderDataError,
        zlib.error,
        OSError,
        EOFError,
        ValueError,
        OverflowError,
    ) as error:
        raise RecordingError(
            f"{path} cannot be read as an image: {error}. Copy it again, or convert it."
        ) from error


def _check_geometry(path: Path, affine: Floats) -> None:
    whole = bool(np.isfinite(affine).all())
    edges = np.sqrt((affine[:3, :3] ** 2).sum(axis=0))
    if not whole or abs(float(np.linalg.det(affine[:3, :3]))) < LEAST_DETERMINANT:
        raise RecordingError(
            f"{path} has the affine {np.round(affine, 3).tolist()}; expected one that can be inverted. "
            "Its header says nothing of where the voxels are: convert it again from DICOM."
        )
    if edges.min() < LEAST_MM or edges.max() > MOST_MM:
        raise RecordingError(
            f"{path} has voxels of {' x '.join(f'{each:.3g}' for each in edges)} mm; expected "
            f"{LEAST_MM:g} to {MOST_MM:g} mm. Is the unit of its header another?"
        )
