"""Which measurement of a SNIRF file is meant: it may hold several, and several blocks of data in each."""

import re
from dataclasses import dataclass

import h5py

from models.errors import RecordingError
from offline.recordings import hdf5

_ADDRESS = re.compile(r"/?(?:(?P<nirs>nirs\d*|\d+)/?)?(?P<data>data\d*)?")


@dataclass(frozen=True)
class Measurement:
    """What is read of a file.

    Parameters
    ----------
    nirs, block : h5py.Group
        A measurement, and one of its data blocks.
    remark : str
        What else the file holds; empty where there is nothing, or this was asked for.
    """

    nirs: h5py.Group
    block: h5py.Group
    remark: str


def choose(file: h5py.File, wanted: str | None) -> Measurement:
    """The measurement and the data block that are meant.

    Parameters
    ----------
    file : h5py.File
        The file.
    wanted : str or None
        ``nirs2`` or its number, ``data2`` (of the first measurement), or both, ``nirs2/data1``; None takes
        the first of each.  Another word is the name of an XDF stream, ignored where a file holds one
        measurement, for one set of options serves a cohort.

    Raises
    ------
    RecordingError
        There is no such group, or a word that tells none of several; the message lists them.
    """
    measurements = _groups(file, "nirs")
    address = None if wanted is None else _ADDRESS.fullmatch(wanted.strip())
    if wanted is not None and (address is None or not wanted.strip("/ ")):
        if len(measurements) > 1:
            raise _no_such(wanted, measurements)
        address = None
    nirs = _one(measurements, address and address["nirs"], wanted)
    blocks = _groups(nirs, "data")
    block = _one(blocks, address and address["data"], wanted)
    remark = ""
    if (len(measurements) > 1 and not (address and address["nirs"])) or (
        len(blocks) > 1 and not (address and address["data"])
    ):
        names = ", ".join(_name(group) for group in measurements)
        remark = (
            f"{len(measurements)} measurements ({names}) and {len(blocks)} data blocks in {_name(nirs)}; "
            f"only {_name(nirs)}/{_name(block)} was read; --stream (stream) names another, for instance "
            f'"{_name((measurements if len(measurements) > 1 else blocks)[-1])}"'
        )
    return Measurement(nirs, block, remark)


def _groups(group: h5py.Group, stem: str) -> list[h5py.Group]:
    """The groups ``stem``, ``stem1``, ``stem2`` ...; an error where there is none."""
    groups = hdf5.numbered(group, stem)
    if not groups:
        raise RecordingError(f"There is no group '{stem}' in {group.name}; the file is no SNIRF file.")
    return groups


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
    names = ", ".join(_name(group) for group in groups)
    return RecordingError(f"--stream is {wanted!r}; the file holds {names}. Name one of them, or its number.")


def _name(group: h5py.Group) -> str:
    return str(group.name).rsplit("/", 1)[-1]
