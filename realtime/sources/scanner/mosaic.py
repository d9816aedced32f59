"""Siemens mosaics: all slices of a volume as tiles of one image.

How many tiles are slices, and which way they are counted, stands in Siemens' own header (CSA).  The position
that
the file gives is that of the mosaic's corner, as if all of it were one slice; what nibabel's documentation
calls
the mosaic's translation error is undone.
"""

import math
import struct

import numpy as np
from pydicom.dataset import Dataset

from models.arrays import Floats
from models.errors import UnfinishedVolumeError, VolumeError
from realtime.sources.scanner.dicom_values import needed, number, numbers, pixels, scaled, value, whole
from realtime.sources.scanner.dicom_values import text as text_of
from realtime.sources.scanner.plane import plane_of
from realtime.volumes.volume import VoxelGrid

_CSA_IMAGE = 0x00291010
_SLICES = 0x0019100A
MOST_SLICES = 4096
_VALUES = 64
"""Most values of a field of Siemens' header that are read."""


def is_mosaic(elements: Dataset) -> bool:
    """Whether the file calls itself a mosaic."""
    return "MOSAIC" in text_of(elements, "ImageType").upper()


def read_mosaic(elements: Dataset) -> tuple["np.typing.NDArray[np.float32]", VoxelGrid]:
    """The volume of a mosaic: (rows, columns, slices) float32, and its grid.

    Raises
    ------
    VolumeError
        The headers contradict each other.
    """
    header = _csa(elements)
    slices = _slices(elements, header)
    tiles = math.ceil(math.sqrt(slices))
    height, width = (needed(elements, name, 1, 65535) for name in ("Rows", "Columns"))
    if height % tiles or width % tiles:
        raise VolumeError(
            f"A mosaic of {slices} slices has {height} x {width} pixels; expected a multiple of {tiles} each."
        )
    rows, columns = height // tiles, width // tiles
    stored = pixels(elements, 1)[0]
    tiled = stored.reshape(tiles, rows, tiles, columns).transpose(1, 3, 0, 2).reshape(rows, columns, -1)
    data = scaled(tiled[..., :slices], number(elements, "RescaleSlope"), number(elements, "RescaleIntercept"))
    plane = plane_of(elements)
    corner = numbers(elements, "ImagePositionPatient", 3)
    if corner is None:
        raise VolumeError("The mosaic has no ImagePositionPatient. Set the export to keep positions.")
    beside = (np.array([height, width]) - [rows, columns]) / 2 * plane.spacing_mm
    first = corner + plane.orientation[3:] * beside[0] + plane.orientation[:3] * beside[1]
    normal = _normal(header, plane.normal)
    return data, plane.grid((rows, columns, slices), first, normal * plane.distance_mm)


def _csa(elements: Dataset) -> bytes:
    found = value(elements, _CSA_IMAGE)  # type: ignore[arg-type]
    held = getattr(found, "value", None)
    return held if isinstance(held, bytes) else b""


def _slices(elements: Dataset, header: bytes) -> int:
    standing = value(elements, _SLICES)  # type: ignore[arg-type]
    held = getattr(standing, "value", None)
    found = held if isinstance(held, int) else None
    if found is None:
        fields = csa_field(header, b"NumberOfImagesInMosaic")
        found = int(fields[0]) if fields and fields[0] == int(fields[0]) else None
    if found is None:
        if whole(elements, "Rows", 1, 65535) is None:
            raise UnfinishedVolumeError("The file ends before it says how many slices its mosaic has.")
        raise VolumeError(
            "The mosaic does not say how many slices it has: Siemens' own header was taken out. Export "
            "without "
            "removing private elements."
        )
    if not 1 <= found <= MOST_SLICES:
        raise VolumeError(f"The mosaic has {found} slices; expected 1 to {MOST_SLICES}.")
    return found


def _normal(header: bytes, normal: Floats) -> Floats:
    """Which way slices are counted: the normal of the image, or the opposite where Siemens' header says
    so."""
    said = csa_field(header, b"SliceNormalVector")
    if len(said) != 3:
        return normal
    cosine = float(np.array(said) @ normal)
    if abs(abs(cosine) - 1) > 1e-2:
        raise VolumeError(
            f"Siemens' header counts slices along {said}, the image's normal is {normal.tolist()}; "
            f"expected the "
            "same line. Correct the export."
        )
    return np.asarray(normal * np.sign(cosine))


def csa_field(header: bytes, name: bytes) -> list[float]:
    """The numbers of a field of Siemens' header (``SV10``); none where it is absent or holds no numbers.

    A field is its name in 64 bytes, then counts, then values, each led by four integers of which the second
    is
    its length, and padded to four bytes.
    """
    at = header.find(name + b"\0")
    if at < 0 or at + 84 > len(header):
        return []
    (count,) = struct.unpack_from("<i", header, at + 76)
    at += 84
    out: list[float] = []
    for _ in range(min(count, _VALUES)):
        if at + 16 > len(header):
            break
        (length,) = struct.unpack_from("<i", header, at + 4)
        at += 16
        if not 0 <= length <= 1024:
            break
        word = header[at : at + length].partition(b"\0")[0].strip()
        at += length + -length % 4
        try:
            if word:
                out.append(float(word))
        except ValueError:
            return []
    return out if all(map(math.isfinite, out)) else []
