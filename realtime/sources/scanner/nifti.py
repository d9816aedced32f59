"""A NIfTI file of a scanner to images (``.nii``, ``.nii.gz``, versions 1 and 2).

The series is the file's name without its last number, that number is the place in the series: what volumes of
one run share, and what they are ordered by.  A file of four dimensions with several volumes is a series of
its own.
"""

import re
import zlib
from pathlib import Path

import nibabel
import numpy as np
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError

from models.errors import SignalError, UnfinishedVolumeError, VolumeError
from realtime.sources.scanner.emulated import origin_of
from realtime.sources.scanner.image import MOST_BYTES, MOST_VOXELS, ScannerImage
from realtime.volumes.volume import VoxelGrid

SUFFIXES = (".nii", ".nii.gz")
_SIZES = {348: nibabel.Nifti1Header, 540: nibabel.Nifti2Header}
_SECONDS = {"sec": 1.0, "msec": 1e-3, "usec": 1e-6}
_LAST_NUMBER = re.compile(r"(\d{1,9})(?=\D*$)")
_CHUNK = 2**20


def is_nifti(path: Path) -> bool:
    """Whether a file is named as one."""
    return path.name.lower().endswith(SUFFIXES)


def read_nifti(content: bytes, path: Path) -> list[ScannerImage]:
    """The images of a NIfTI file.

    Parameters
    ----------
    content : bytes
        Of the file, packed as it is.
    path : Path
        Its name.

    Raises
    ------
    UnfinishedVolumeError
        It ends before it holds what it declares.
    VolumeError
        It is none, or holds no grey values in three or four dimensions.
    """
    packed = path.name.lower().endswith(".gz")
    head = _unpacked(content, 544) if packed else content[:544]
    header = _header(head)
    shape = tuple(int(n) for n in header.get_data_shape())
    if not 3 <= len(shape) <= 4 or min(shape) < 1 or int(np.prod(shape, dtype=object)) > MOST_VOXELS:
        raise VolumeError(f"The image has the shape {shape}; expected three or four dimensions.")
    dtype = header.get_data_dtype()
    if dtype.kind not in "iuf" or dtype.itemsize > 8:
        raise VolumeError(f"The image has values of type {dtype}; expected whole numbers or floats.")
    place = float(header["vox_offset"])
    offset = int(place) if 348 <= place <= 2**24 else 0
    expected = offset + int(np.prod(shape, dtype=object)) * dtype.itemsize
    if not offset or expected > MOST_BYTES:
        raise VolumeError(f"Values begin at byte {place:g} and end at {expected}; that is no NIfTI file.")
    whole = _unpacked(content, expected) if packed else content
    if len(whole) < expected:
        raise UnfinishedVolumeError(f"The file has {len(whole)} bytes; expected {expected}.")
    stored = np.frombuffer(whole, dtype, int(np.prod(shape)), offset).reshape(shape, order="F")
    slope, intercept = _scale(header)
    with np.errstate(over="ignore", invalid="ignore"):
        data = (stored * slope + intercept if (slope, intercept) != (1.0, 0.0) else stored).astype(np.float32)
    try:
        grid = VoxelGrid(shape[:3], header.get_best_affine())  # type: ignore[arg-type]
    except (SignalError, HeaderDataError, ValueError) as error:
        raise VolumeError(f"The image says of its geometry: {error}") from error
    return _images(data, grid, header, path)


def _images(
    data: "np.typing.NDArray[np.float32]", grid: VoxelGrid, header: nibabel.Nifti1Header, path: Path
) -> list[ScannerImage]:
    volumes = [data] if data.ndim == 3 else [data[..., k] for k in range(data.shape[3])]
    stem = path.name[: -len(".nii.gz")] if path.name.lower().endswith(".gz") else path.name[: -len(".nii")]
    found = _LAST_NUMBER.search(stem)
    if len(volumes) > 1 or found is None:
        series, first = stem, 1
    else:
        series, first = stem[: found.start()] + "#" + stem[found.end() :], int(found[0])
    origin = origin_of(bytes(header["descrip"].tobytes()).decode("latin-1"))
    tr = _repetition_time(header)
    return [
        ScannerImage(
            np.asfortranarray(volume), grid, series, first + k, "", "nifti", tr, None, origin, called=series
        )
        for k, volume in enumerate(volumes)
    ]


def _header(head: bytes) -> nibabel.Nifti1Header:
    if len(head) < 348:
        raise UnfinishedVolumeError(f"The file has {len(head)} bytes; a NIfTI header has 348.")
    size = int.from_bytes(head[:4], "little")
    kind = _SIZES.get(size) or _SIZES.get(int.from_bytes(head[:4], "big"))
    if kind is None:
        raise VolumeError(f"The file begins with {head[:4]!r}; expected a NIfTI header (348 or 540 bytes).")
    length = kind.sizeof_hdr
    if len(head) < length:
        raise UnfinishedVolumeError(f"The file has {len(head)} bytes; its header has {length}.")
    try:
        header = kind(head[:length], check=False)
        header.get_data_dtype()
        header.get_best_affine()
        header.get_data_shape()
    except (HeaderDataError, WrapStructError, ValueError, KeyError, ArithmeticError) as error:
        raise VolumeError(f"The NIfTI header is damaged: {error}") from error
    return header


def _scale(header: nibabel.Nifti1Header) -> tuple[float, float]:
    """Slope and intercept; 1 and 0 where the header has none."""
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    if slope == 0.0 or not np.isfinite(slope):
        return 1.0, 0.0
    return slope, intercept if np.isfinite(intercept) else 0.0


def _repetition_time(header: nibabel.Nifti1Header) -> float | None:
    """Seconds between volumes; None where the header has none."""
    try:
        unit = _SECONDS.get(header.get_xyzt_units()[1])
    except KeyError:
        return None
    seconds = float(header["pixdim"][4]) * (unit or 0.0)
    return seconds if 1e-3 <= seconds <= 100 else None


def _unpacked(content: bytes, most: int) -> bytes:
    """So many bytes of a gzip file, or what it has of them.

    Raises
    ------
    VolumeError
        It is no gzip.
    """
    out = bytearray()
    rest = content
    try:
        while rest and len(out) < most:
            worker = zlib.decompressobj(wbits=31)
            while rest and len(out) < most and not worker.eof:
                out += worker.decompress(rest, min(_CHUNK, most - len(out)))
                rest = worker.unconsumed_tail
            rest = worker.unused_data
    except zlib.error as error:
        if not content.startswith(b"\x1f\x8b"[: len(content)]):
            raise VolumeError(f"The file is no gzip ({error}); its name says .nii.gz.") from error
        raise UnfinishedVolumeError(f"The packed file is damaged or not whole ({error}).") from error
    return bytes(out)
