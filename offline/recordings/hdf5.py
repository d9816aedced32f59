"""Values out of an HDF5 group, whatever shape their writer gave them.

Vendors write a single text as a scalar, as an array of one, as fixed or variable length; a reader
of SNIRF must take them all.
"""

import re
from typing import Any

import h5py
import numpy as np

from models.arrays import Floats
from models.errors import RecordingError
from models.outside import decoded
from offline.recordings.checks import FREE, MOST_PACKED


def member(group: h5py.Group, name: str) -> Any:
    """What stands in a group under a name, None where nothing does; an error where it is in another file."""
    link = group.get(name, getlink=True)
    if isinstance(link, h5py.ExternalLink):
        raise RecordingError(
            f"{group.name}/{name} lies in another file, {link.filename!r}; a recording must be whole in "
            "itself. Copy the content in."
        )
    return group.get(name)


def numbered(group: h5py.Group, stem: str) -> list[h5py.Group]:
    """The groups ``stem``, ``stem1``, ``stem2`` ... in order of their numbers."""
    # In a damaged file a name can be bytes, and what it names no group.
    names = [name for name in group if isinstance(name, str) and re.fullmatch(rf"{stem}\d*", name)]
    names.sort(key=lambda name: (int(name.removeprefix(stem) or 0), name))
    return [found for found in (member(group, name) for name in names) if isinstance(found, h5py.Group)]


def array(group: h5py.Group, name: str) -> Any:
    """A dataset as an array, None where there is none.

    An error where it lies in another file, claims to be far larger than what the file holds of it, or is of a
    type that the HDF5 library does not know.
    """
    found = member(group, name)
    if not isinstance(found, h5py.Dataset):
        return None
    if found.external or found.is_virtual:
        raise RecordingError(
            f"The values of {group.name}/{name} lie in other files; a recording must be whole in itself. "
            "Copy the values in."
        )
    try:
        itemsize = found.dtype.itemsize
    except TypeError as error:
        raise RecordingError(f"{group.name}/{name} is of no type that can be read: {error}.") from error
    claimed, stored = (found.size or 0) * itemsize, found.id.get_storage_size()
    if claimed > FREE + MOST_PACKED * stored:
        raise RecordingError(
            f"{group.name}/{name} claims {claimed} bytes, shape {found.shape}, of which the file holds "
            f"{stored}; it is damaged, or not a recording."
        )
    return np.asarray(found[()])


def texts(group: h5py.Group, name: str) -> list[str]:
    """A dataset of texts, empty where there is none."""
    values = array(group, name)
    return [] if values is None else [_decoded(value) for value in np.ravel(values).tolist()]


def _decoded(value: Any) -> str:
    if isinstance(value, str):
        value = value.encode("utf-8", "surrogateescape")
    return decoded(value) if isinstance(value, bytes) else str(value)


def text(group: h5py.Group, name: str, default: str = "") -> str:
    """A single text, or else the default."""
    found = texts(group, name)
    return found[0].strip() if found else default


def numbers(group: h5py.Group, name: str) -> Floats:
    """A dataset of real numbers in the shape of the file, (...) float64; an error where there is none."""
    values = array(group, name)
    where = f"{group.name}/{name}"
    if values is None:
        raise RecordingError(f"{where} is absent; the file is not whole, or no SNIRF file.")
    if values.dtype.kind not in "fiub":
        raise RecordingError(f"{where} holds {values.dtype}; expected real numbers.")
    return np.asarray(values, dtype=np.float64)


def integers(group: h5py.Group, name: str) -> list[int]:
    """A row of whole numbers; an error where there is none, or some are not whole."""
    values = numbers(group, name).ravel()
    if not _are_whole(values):
        raise RecordingError(f"{group.name}/{name} is {values.tolist()[:3]} ...; expected whole numbers.")
    return [int(value) for value in values]


def integer(group: h5py.Group, name: str) -> int:
    """A single whole number; an error where there is none."""
    values = numbers(group, name).ravel()
    if len(values) != 1 or not _are_whole(values):
        raise RecordingError(f"{group.name}/{name} is {values.tolist()[:3]}; expected one whole number.")
    return int(values[0])


def _are_whole(values: Floats) -> bool:
    return bool(np.isfinite(values).all() and np.all(values == np.floor(values)))
