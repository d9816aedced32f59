"""One recording under two people, or twice under one: found before anything is learnt from it.

Two people who share a signal would stand on both sides of a fold.  The same bytes, and the same signal in
another file, are told by `collect` and refused by all that learns (`refuse_shared`).  Within one person they
are told, for then the recording merely counts twice.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from models.errors import RecipeError
from offline.cohort import Row
from offline.fingerprints import Alike, Fingerprint, alike_pairs
from offline.remarks import Remark

ADVICE = (
    "What is learnt from the one would be judged on the other. Take one of the rows out, or give both to one "
    "person."
)


def same_files(rows: Sequence[Row]) -> tuple[list[Remark], dict[str, str]]:
    """Find rows that name the same bytes.

    Parameters
    ----------
    rows : sequence of Row
        Of the whole table, those too who are left aside.

    Returns
    -------
    remarks : list of Remark
        On each.
    shared : mapping of str to str
        Those of two people: both rows, and what they have in common (`refuse_shared`).
    """
    by_size: dict[int, list[Row]] = {}
    for row in rows:
        by_size.setdefault(_size(row.recording), []).append(row)
    remarks: list[Remark] = []
    shared: dict[str, str] = {}
    for group in by_size.values():
        first: dict[str, Row] = {}
        for row in group if len(group) > 1 else ():
            before = first.setdefault(content_of(row.recording), row)
            if before is not row:
                _note(before, row, "are the same file, byte for byte", remarks, shared)
    return remarks, shared


def same_signals(
    rows: Sequence[Row], fingerprints: Sequence[Fingerprint], rates: Sequence[float]
) -> tuple[list[Remark], dict[str, str]]:
    """Find recordings that hold the same signal, wholly or in part.

    Parameters
    ----------
    rows : sequence of Row
        Of the recordings.
    fingerprints : sequence of Fingerprint
        Of each.
    rates : sequence of float
        Samples a second of each, Hz.

    Returns
    -------
    remarks : list of Remark
        On each.
    shared : mapping of str to str
        Those of two people: both rows, and how long the stretch is (`refuse_shared`).
    """
    remarks: list[Remark] = []
    shared: dict[str, str] = {}
    for a, b, found in alike_pairs(fingerprints):
        what = f"hold the same signal {_stretch(found, rates[a])}"
        _note(rows[a], rows[b], what, remarks, shared)
    return remarks, shared


def refuse_shared(shared: Sequence[str]) -> None:
    """Refuse to learn where two people share a signal.

    Parameters
    ----------
    shared : sequence of str
        What `same_files` and `same_signals` found.

    Raises
    ------
    RecipeError
        Names both rows.
    """
    if shared:
        more = f" (and {len(shared) - 1} more such pairs)" if len(shared) > 1 else ""
        raise RecipeError(f"{shared[0]}{more}. {ADVICE}")


def content_of(recording: Path) -> str:
    """SHA-256 of a file, or of what is in a folder's files whatever they are called; hexadecimal."""
    digests = sorted(hashlib.sha256(part.read_bytes()).hexdigest() for part in _parts(recording))
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def _note(one: Row, other: Row, what: str, remarks: list[Remark], shared: dict[str, str]) -> None:
    """Add what two rows have in common."""
    whose = f"{_named(one)} and {_named(other)}"
    if one.person == other.person:
        remarks.append(Remark(f"two recordings of one person {what}", detail=whose))
    else:
        remarks.append(Remark(f"recordings of two people {what}", detail=whose))
        shared[whose] = what


def _named(row: Row) -> str:
    line = f"line {row.line}, " if row.line else ""
    return f"{row.recording.name} ({line}person {row.person!r})"


def _stretch(found: Alike, rate: float) -> str:
    length = f"{found.samples / rate:.0f} s" if rate > 0 else f"{found.samples} samples"
    late = "" if found.shift == 0 else f", {abs(found.shift)} samples apart"
    return f"over {length} or more{late}"


def _parts(recording: Path) -> list[Path]:
    every = sorted(recording.rglob("*")) if recording.is_dir() else [recording]
    return [each for each in every if each.is_file()]


def _size(recording: Path) -> int:
    return sum(part.stat().st_size for part in _parts(recording))
