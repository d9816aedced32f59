"""One recording under two people, or twice under one: found before anything is learnt from it.

Two people who share a signal would stand on both sides of a fold.  The same bytes, and the same signal in
another file, are told by `collect` and refused by all that learns (`refuse_shared`).  Within one person they
are told, for then the recording merely counts twice.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from models.errors import RecipeError
from offline.base.cohort import CohortRow
from offline.base.remarks import Remark
from offline.samples.fingerprints import Alike, Fingerprint, alike_pairs

Pairs = dict[str, str]
"""Which two rows, and what they have in common."""
ADVICE = (
    "What is learnt from the one would be judged on the other. Take one of the rows out, or give both to one "
    "person."
)


@dataclass(frozen=True)
class Shared:
    """Recordings that are one, wholly or in part.

    Parameters
    ----------
    people : mapping of str to str
        Of two people: both rows, and what they have in common (`refuse_shared`).
    person : mapping of str to str
        Of one person (`refuse_doubled`).
    remarks : list of Remark
        On each.
    """

    people: Pairs = field(default_factory=dict)
    person: Pairs = field(default_factory=dict)
    remarks: list[Remark] = field(default_factory=list)

    def add(self, one: CohortRow, other: CohortRow, what: str) -> None:
        """Note what two rows have in common."""
        whose = f"{_named(one)} and {_named(other)}"
        alone = one.person == other.person
        (self.person if alone else self.people)[whose] = what
        of = "two recordings of one person" if alone else "recordings of two people"
        self.remarks.append(Remark(f"{of} {what}", detail=whose))


def same_files(rows: Sequence[CohortRow]) -> Shared:
    """Find rows that name the same bytes.

    Parameters
    ----------
    rows : sequence of Row
        Of the whole table, those too who are ignored.
    """
    by_size: dict[int, list[CohortRow]] = {}
    for row in rows:
        by_size.setdefault(_size(row.recording), []).append(row)
    shared = Shared()
    for group in by_size.values():
        first: dict[str, CohortRow] = {}
        for row in group if len(group) > 1 else ():
            before = first.setdefault(content_of(row.recording), row)
            if before is not row:
                shared.add(before, row, "are the same file, byte for byte")
    return shared


def same_signals(
    rows: Sequence[CohortRow], fingerprints: Sequence[Fingerprint], rates: Sequence[float]
) -> Shared:
    """Find recordings that hold the same signal, wholly or in part.

    Parameters
    ----------
    rows : sequence of Row
        Of the recordings.
    fingerprints : sequence of Fingerprint
        Of each.
    rates : sequence of float
        Samples a second of each, Hz.
    """
    shared = Shared()
    for a, b, found in alike_pairs(fingerprints):
        shared.add(rows[a], rows[b], f"hold the same signal {_stretch(found, rates[a])}")
    return shared


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


def refuse_doubled(doubled: Sequence[str]) -> None:
    """Refuse to judge one part of a person's recordings by another where one recording stands twice.

    Parameters
    ----------
    doubled : sequence of str
        What `same_files` and `same_signals` found within people.

    Raises
    ------
    RecipeError
        Names both rows.
    """
    if doubled:
        more = f" (and {len(doubled) - 1} more such pairs)" if len(doubled) > 1 else ""
        raise RecipeError(
            f"{doubled[0]}{more}. By time, each part of a person's recordings is judged by what was "
            "learnt from the others, and these are one. Take one of the rows out."
        )


def content_of(recording: Path) -> str:
    """SHA-256 of a file, or of what is in a folder's files whatever they are called; hexadecimal."""
    digests = sorted(hashlib.sha256(part.read_bytes()).hexdigest() for part in _parts(recording))
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def _named(row: CohortRow) -> str:
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
