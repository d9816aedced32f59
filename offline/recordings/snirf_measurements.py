"""Which measurement of a SNIRF file is meant: it may hold several, and several blocks of data in each."""

import re

import h5py

from models.errors import RecordingError
from offline.recordings import hdf5

_ADDRESS = re.compile(r"/?(?:(?P<nirs>nirs\d*|\d+)/?)?(?P<data>data\d*)?")


def choose(file: h5py.File, wanted: str | None) -> tuple[h5py.Group, h5py.Group, list[str]]:
    """The measurement and the data block that are meant, and a remark on what else the file holds.

    Wanted is ``nirs2`` or its number, ``data2`` (of the first measurement), or both, ``nirs2/data1``; None
    takes the first of each.  Another word is the name of an XDF stream, ignored where a file holds one
    measurement, for one set of options serves a cohort.

    A RecordingError lists the groups where there is no such one, or a word fits none of several.
    """
    measurements = _groups(file, "nirs")
    address = _ADDRESS.fullmatch(wanted.strip()) if wanted and wanted.strip("/ ") else None
    if wanted is not None and address is None and len(measurements) > 1:
        raise _no_such(wanted, measurements)
    named_nirs, named_data = (address["nirs"], address["data"]) if address else (None, None)
    nirs = _one(measurements, named_nirs, wanted)
    blocks = _groups(nirs, "data")
    block = _one(blocks, named_data, wanted)
    if (len(measurements) == 1 or named_nirs) and (len(blocks) == 1 or named_data):
        return nirs, block, []
    other = (measurements if len(measurements) > 1 else blocks)[-1]
    remark = (
        f"{len(measurements)} measurements ({_names(measurements)}) and {len(blocks)} data blocks in "
        f"{_name(nirs)}; only {_name(nirs)}/{_name(block)} was read; --stream (stream) names another, for "
        f'instance "{_name(other)}"'
    )
    return nirs, block, [remark]


def _groups(group: h5py.Group, stem: str) -> list[h5py.Group]:
    """The groups ``stem``, ``stem1``, ``stem2`` ...; an error where there is none."""
    if groups := hdf5.numbered(group, stem):
        return groups
    raise RecordingError(f"There is no group '{stem}' in {group.name}; the file is no SNIRF file.")


def _one(groups: list[h5py.Group], name: str | None, wanted: str | None) -> h5py.Group:
    """The group of that name, or whose name has that number; the first where nothing is asked for."""
    if not name:
        return groups[0]
    for group in groups:
        if name in (_name(group), re.sub(r"\D", "", _name(group))):
            return group
    # The first may be called without a number: nirs, nirs2 ...
    if re.sub(r"\D", "", name) == "1" and _name(groups[0]).isalpha():
        return groups[0]
    raise _no_such(str(wanted), groups)


def _no_such(wanted: str, groups: list[h5py.Group]) -> RecordingError:
    return RecordingError(
        f"--stream is {wanted!r}; the file holds {_names(groups)}. Name one of them, or its number."
    )


def _names(groups: list[h5py.Group]) -> str:
    return ", ".join(map(_name, groups))


def _name(group: h5py.Group) -> str:
    return str(group.name).rsplit("/", 1)[-1]
