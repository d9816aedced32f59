"""Who may be learnt from, by keyed hashes: a card names no one."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from models.errors import RecipeError
from offline.base.people_hash import is_among
from offline.samples.fingerprints import learnt_from
from offline.samples.samples import Samples

LOCKED = "locked_people_hashes"


def locked_of(training: Mapping[str, Any]) -> frozenset[str]:
    """Hashes of the people whom a card's ``training`` says are locked."""
    return frozenset(training.get(LOCKED, ()))


def set_hash(hashes: frozenset[str]) -> str:
    """One name for a set of locked people, hexadecimal."""
    return hashlib.sha256("\n".join(sorted(hashes)).encode()).hexdigest()[:32]


def refuse_locked(training: Mapping[str, Any], people: Sequence[str]) -> None:
    """Refuse to learn from people who are locked for the bundle that is trained from.

    The RecipeError says how many, and who (by the codes of the table that was given).
    """
    locked = locked_of(training)
    found = sorted(p for p in set(people) if is_among(training["people_salt"], p, locked))
    if found:
        raise RecipeError(
            f"{len(found)} of the cohort's people are locked for this bundle ({', '.join(found[:5])}): they "
            "are for comparison only, and expected in no training. Take them out of the table, or give them "
            "by --locked."
        )


def refuse_unlocked(training: Mapping[str, Any], people: Sequence[str]) -> None:
    """Refuse to compare on people who are not locked: the old bundle may have learnt from them.

    The RecipeError says how many, and who.
    """
    locked = locked_of(training)
    others = sorted(p for p in set(people) if not is_among(training["people_salt"], p, locked))
    if others:
        raise RecipeError(
            f"{len(others)} of the {len(set(people))} people of --locked are not locked for this bundle "
            f"({', '.join(others[:5])}); expected only such as were set aside when it was first trained "
            f"({len(locked)} people). Take them out of the table."
        )


def refuse_learnt_from(training: Mapping[str, Any], locked: Samples) -> None:
    """Refuse to compare on recordings whose signal was learnt from, whatever their person is called.

    The candidate's card knows its own signals and, as far as they knew them, its ancestors'.  The RecipeError
    names the recordings.
    """
    found = [each.recording for each in locked.signals if learnt_from(training, each.fingerprint) is not None]
    if found:
        raise RecipeError(
            f"{len(found)} recordings of --locked hold a signal that was learnt from, by this bundle or one "
            f"it descends from ({', '.join(found[:5])}); expected only such as none of them has seen. "
            "Take them out of the table of locked people, or their copies out of the cohort."
        )
