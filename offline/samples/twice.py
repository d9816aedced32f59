"""One recording under two people, or twice under one: found before anything is learnt from it.

Two people who share a signal would stand on both sides of a fold.  The same bytes, and the same signal in
another file, are reported by `collect` and refused by all that learns (`refuse_shared`).  Within one person
they are reported, for then the recording merely counts twice.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from models.errors import RecipeError
from offline.base.cohort import CohortRow, files_of
from offline.base.remarks import Remark
from offline.samples.fingerprints import Alike, Fingerprint, alike_pairs

Pairs = dict[str, str]
"""Which two rows, and what they have in common."""
ADVICE = (
    "What is learnt from the one would be evaluated on the other. Take one of the rows out, or give both to "
    "one person."
)


@dataclass(frozen=True)
class Shared:
    """Recordings that are one, wholly or in part: both rows, and what they have in common; remarks on each.

    ``people`` are recordings of two people (`refuse_shared`), ``person`` those of one (`refuse_doubled`).
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
    """Find rows that name the same bytes, of the whole table, those too who are ignored."""
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
    """Find recordings that hold the same signal, wholly or in part; of each its row, and its rate, Hz."""
    shared = Shared()
    for a, b, found in alike_pairs(fingerprints):
        shared.add(rows[a], rows[b], f"hold the same signal {_stretch(found, rates[a])}")
    return shared


def refuse_shared(shared: Sequence[str]) -> None:
    """Refuse to learn where two people share a signal: a RecipeError that names both rows."""
    _refuse(shared, ADVICE)


def refuse_doubled(doubled: Sequence[str]) -> None:
    """Refuse to evaluate one part of a person's recordings by another where one recording stands twice."""
    _refuse(
        doubled,
        "By time, each part of a person's recordings is predicted by what was learnt from the others, and "
        "these are one. Take one of the rows out.",
    )


def _refuse(pairs: Sequence[str], advice: str) -> None:
    if pairs:
        more = f" (and {len(pairs) - 1} more such pairs)" if len(pairs) > 1 else ""
        raise RecipeError(f"{pairs[0]}{more}. {advice}")


def content_of(recording: Path) -> str:
    """SHA-256 of a file, or of what is in a folder's files whatever they are called; hexadecimal."""
    digests = sorted(hashlib.sha256(part.read_bytes()).hexdigest() for part in files_of(recording))
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def _named(row: CohortRow) -> str:
    line = f"line {row.line}, " if row.line else ""
    return f"{row.recording.name} ({line}person {row.person!r})"


def _stretch(found: Alike, rate: float) -> str:
    length = f"{found.samples / rate:.0f} s" if rate > 0 else f"{found.samples} samples"
    late = "" if found.shift == 0 else f", {abs(found.shift)} samples apart"
    return f"over {length} or more{late}"


def _size(recording: Path) -> int:
    return sum(part.stat().st_size for part in files_of(recording))
