"""A DICOM file as pydicom reads it, and its values as bounded numbers: damaged ones are a `VolumeError`."""

import io
import math
import struct
import warnings
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError

from models.arrays import Floats
from models.errors import UnfinishedVolumeError, VolumeError
from models.outside import printable
from realtime.sources.scanner.image import MOST_VOXELS

PREAMBLE = 132
"""Bytes of a DICOM file up to its magic word ``DICM``, that included."""
_DEFLATED = b"1.2.840.10008.1.2.1.99"
_PLAIN = {
    "1.2.840.10008.1.2": "<",  # implicit VR, little endian
    "1.2.840.10008.1.2.1": "<",
    "1.2.840.10008.1.2.2": ">",
}
"""Transfer syntaxes whose pixels stand as they are, and their byte order."""
_BROKEN = (
    BytesLengthException, InvalidDicomError, EOFError, OSError, ValueError, TypeError, KeyError,
    AttributeError, IndexError, OverflowError, NotImplementedError, RecursionError, AssertionError,
    struct.error,
)  # fmt: skip
"""What pydicom raises where a file does not hold what its own headers say."""


def parse(content: bytes) -> Dataset:
    """The elements of a DICOM file.

    Raises
    ------
    VolumeError
        It is none, or its pixels are compressed.
    """
    if _DEFLATED in content:
        raise VolumeError("The file is deflated DICOM. Set the export to uncompressed DICOM.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = pydicom.dcmread(io.BytesIO(content))
            syntax = str(found.file_meta.TransferSyntaxUID)
    except _BROKEN as error:
        raise UnfinishedVolumeError(f"The file is not whole DICOM ({_said(error)}).") from error
    if any(known.startswith(syntax) and known != syntax for known in _PLAIN) and not _is_known(syntax):
        raise UnfinishedVolumeError(f"The file ends within its transfer syntax ({printable(syntax, 60)}).")
    if syntax not in _PLAIN:
        name = printable(pydicom.uid.UID(syntax).name, 60)
        raise VolumeError(f"Pixels are stored as {name!r}. Set the export to uncompressed DICOM.")
    return found


def _is_known(syntax: str) -> bool:
    """Whether it is the whole name of a transfer syntax."""
    return syntax in map(str, pydicom.uid.AllTransferSyntaxes)


def value(elements: Dataset, name: str) -> object:
    """The value of an element by its DICOM name; None where it is absent or empty.

    Raises
    ------
    VolumeError
        It is damaged.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = elements.get(name)
            return None if found is None or (hasattr(found, "__len__") and len(found) == 0) else found
    except _BROKEN as error:
        raise VolumeError(f"{name} is damaged ({_said(error)}).") from error


def text(elements: Dataset, name: str) -> str:
    """A text, printable; empty where it is absent."""
    found = value(elements, name)
    return "" if found is None else printable(str(found), 200)


def numbers(elements: Dataset, name: str, count: int) -> Floats | None:
    """So many finite numbers: (count,) float64; None where the element is absent.

    Raises
    ------
    VolumeError
        It has others.
    """
    found = value(elements, name)
    if found is None:
        return None
    try:
        each = [found] if isinstance(found, str | float | int) or not isinstance(found, Sequence) else found
        out = np.array([float(one) for one in each])  # type: ignore[arg-type]
    except _BROKEN as error:
        raise VolumeError(f"{name} is {printable(str(found), 60)!r}; expected numbers.") from error
    if len(out) != count or not np.isfinite(out).all() or np.abs(out).max() > 1e9:
        raise VolumeError(f"{name} is {printable(str(found), 60)!r}; expected {count} numbers.")
    return out


def number(elements: Dataset, name: str) -> float | None:
    """A finite number; None where the element is absent."""
    found = numbers(elements, name, 1)
    return None if found is None else float(found[0])


def whole(elements: Dataset, name: str, least: int, most: int) -> int | None:
    """A whole number within bounds; None where the element is absent.

    Raises
    ------
    VolumeError
        It has another.
    """
    found = number(elements, name)
    if found is None:
        return None
    if found != int(found) or not least <= found <= most:
        raise VolumeError(f"{name} is {found:g}; expected a whole number from {least} to {most}.")
    return int(found)


def needed(elements: Dataset, name: str, least: int, most: int) -> int:
    """`whole`, of an element that must be there: a file that still lacks it is not finished."""
    found = whole(elements, name, least, most)
    if found is None:
        raise UnfinishedVolumeError(f"The file ends before it says {name}.")
    return found


def items(elements: Dataset, name: str) -> Sequence[Dataset]:
    """The items of a sequence; none where it is absent.

    Raises
    ------
    VolumeError
        It is none.
    """
    found = value(elements, name)
    if found is None:
        return ()
    if not isinstance(found, pydicom.Sequence):
        raise VolumeError(f"{name} is {printable(str(found), 60)!r}; expected a sequence.")
    return found


def pixels(elements: Dataset, frames: int) -> npt.NDArray[np.generic]:
    """All pixels as stored: (frames, rows, columns) int or uint of 8, 16 or 32 bits.

    Raises
    ------
    UnfinishedVolumeError
        There are fewer than declared.
    VolumeError
        They are no grey values.
    """
    rows, columns = (needed(elements, name, 1, 65535) for name in ("Rows", "Columns"))
    bits = needed(elements, "BitsAllocated", 1, 64)
    signed = whole(elements, "PixelRepresentation", 0, 1) or 0
    samples = whole(elements, "SamplesPerPixel", 1, 4) or 1
    if bits not in (8, 16, 32) or samples != 1:
        raise VolumeError(
            f"Pixels have {samples} samples of {bits} bits; expected 1 grey value of 8, 16 or 32."
        )
    if frames * rows * columns > MOST_VOXELS:
        raise VolumeError(
            f"{frames} x {rows} x {columns} voxels are declared; expected at most {MOST_VOXELS}."
        )
    found = value(elements, "PixelData")
    expected = frames * rows * columns * bits // 8
    held = len(found) if isinstance(found, bytes) else 0
    if not isinstance(found, bytes) or held < expected:
        raise UnfinishedVolumeError(f"The file has {held} bytes of pixels; expected {expected}.")
    order = _PLAIN[str(elements.file_meta.TransferSyntaxUID)]
    dtype = np.dtype(f"{order}{'i' if signed else 'u'}{bits // 8}")
    return np.frombuffer(found, dtype, frames * rows * columns).reshape(frames, rows, columns)


def scaled(
    stored: npt.NDArray[np.generic], slope: float | None, intercept: float | None
) -> npt.NDArray[np.float32]:
    """Stored values, (x, y, z) int or uint, as the header scales them: (x, y, z) float32."""
    out = stored.astype(np.float32)
    if slope is not None and slope not in (0.0, 1.0):
        out *= np.float32(slope)
    if intercept:
        out += np.float32(intercept)
    return out


def repetition_time(elements: Dataset) -> float | None:
    """Seconds between volumes; None where it is absent or no such time."""
    found = number(elements, "RepetitionTime")
    return found / 1000 if found is not None and 1 <= found <= 1e5 else None


def acquired_at(elements: Dataset) -> float | None:
    """When the scanner's clock says that it was acquired, s since 1970; None where it does not say."""
    at = text(elements, "AcquisitionDateTime")
    if not at:
        date = text(elements, "AcquisitionDate") or text(elements, "ContentDate")
        at = date + (text(elements, "AcquisitionTime") or text(elements, "ContentTime"))
    return seconds_of(at, text(elements, "TimezoneOffsetFromUTC"))


def seconds_of(at: str, zone: str = "") -> float | None:
    """``YYYYMMDDHHMMSS.FFFFFF``, perhaps with a zone, as seconds since 1970 (UTC without a zone)."""
    digits, zone = (at[:-5], at[-5:]) if at[-5:-4] in ("+", "-") else (at, zone)
    clock, _, fraction = digits.partition(".")
    if len(clock) != 14 or not clock.isdecimal() or not (fraction or "0").isdecimal():
        return None
    try:
        hours = timedelta(hours=int(zone[:3]), minutes=int(zone[0] + zone[3:5])) if len(zone) == 5 else None
        where = UTC if hours is None else timezone(hours)
        found = datetime.strptime(clock, "%Y%m%d%H%M%S").replace(tzinfo=where).timestamp()
    except (ValueError, OverflowError):
        return None
    return found + (float(f"0.{fraction}") if fraction else 0.0) if math.isfinite(found) else None


def _said(error: BaseException) -> str:
    return printable(str(error) or type(error).__name__, 100)
