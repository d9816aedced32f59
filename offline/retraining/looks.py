"""How often the locked people have been looked at: written down before each look, beside the bundle."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from models.errors import HemostreamError
from models.files.output_place import check_file
from models.files.write_atomic import write_atomic
from offline.base.json_files import read_json

MOST = 5
"""After so many looks the locked people have served their time."""


def ledger_of(bundle: Path) -> Path:
    """The file beside a bundle (not in it: a bundle's bytes never change)."""
    bundle = bundle.resolve()
    return bundle.with_name(f"{bundle.name}.looks.json")


def check_look(bundle: Path, locked: str, before: int) -> None:
    """Refuse, before anything is computed, a look that `count_look` could not take or write down."""
    _earlier(bundle, locked, before)
    check_file(ledger_of(bundle), "The ledger of looks", beside=True)


def count_look(bundle: Path, locked: str, before: int) -> int:
    """Write a look down before it is taken, so that a run that dies has looked all the same.

    Of the old bundle, the hash of the set of locked people, and how many looks its card has already.  Returns
    which look this is, from 1; a HemostreamError where there were `MOST` already, or the ledger cannot be
    read or written.
    """
    path = ledger_of(bundle)
    ledger, earlier = _earlier(bundle, locked, before)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    looks = ledger.get(locked, [])
    ledger[locked] = [*looks, *([{"known": "by the card"}] * (before - len(looks))), {"at_utc": now}]
    try:
        write_atomic(path, json.dumps(ledger, indent=1).encode(), sync=True)
    except OSError as error:
        raise HemostreamError(
            f"The look cannot be written down in {path}: {error.strerror}. Nobody was looked at; make "
            "the folder writable."
        ) from error
    return earlier + 1


def _earlier(bundle: Path, locked: str, before: int) -> tuple[dict[str, list[dict[str, Any]]], int]:
    """All looks that were written down, and how many there were at these people."""
    ledger = _read(ledger_of(bundle))
    earlier = max(len(ledger.get(locked, [])), before)
    if earlier >= MOST:
        raise HemostreamError(
            f"The locked people have been looked at {earlier} times; expected at most {MOST}, for with "
            "every look a candidate may do well by luck. Lock new people: train anew with --lock-person."
        )
    return ledger, earlier


def _read(path: Path) -> dict[str, list[dict[str, Any]]]:
    if not path.exists():
        return {}
    why = "how often the locked people were looked at is not known without it"
    found = read_json(path, f"{why}.", f"It is the ledger of looks. Restore it: {why}.")
    if not isinstance(found, dict) or not all(isinstance(each, list) for each in found.values()):
        raise HemostreamError(f"The ledger of looks {path} was not written by hemostream. Restore it.")
    return found
