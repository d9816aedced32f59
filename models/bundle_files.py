"""The folder of a bundle: a card and weights, written whole or not at all, and pinned by a hash."""

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.card import canonical
from models.errors import BundleError
from models.output_place import check_folder
from models.regular_file import MOST_TEXT, read_regular

CARD = "card.json"
WEIGHTS = "weights.safetensors"
MOST_BYTES = {CARD: MOST_TEXT, WEIGHTS: 2**32}
"""Of each file: what is larger is none of ours, and would exhaust the memory."""
SHORTEST_HASH = 12
"""Fewest hexadecimal digits by which a bundle may be pinned."""
AGAIN = "Fetch it again from where it was trained, or train again."


def hash_of(values: Mapping[str, Any]) -> str:
    """SHA-256 of a canonical card without its own hash, hexadecimal."""
    return hashlib.sha256(canonical({name: v for name, v in values.items() if name != "hash"})).hexdigest()


def card_values(where: Path) -> Mapping[str, Any]:
    """What a card says, of whatever form; `check_whole` says whether it was changed."""
    try:
        values = json.loads(bytes_of(where, CARD))
        canonical(values if isinstance(values, dict) else {})
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{where / CARD} is not the JSON of a card ({error}). {AGAIN}") from error
    return values if isinstance(values, dict) else {"format": values}


def check_whole(where: Path, values: Mapping[str, Any], weights: bytes) -> None:
    """Refuse a card that is not as it was written, and weights that are not its own.

    Parameters
    ----------
    where : Path
        The bundle's folder.
    values : mapping
        From `card_values`; its form was checked.
    weights : bytes
        The other file.

    Raises
    ------
    BundleError
        A byte of either was changed.
    """
    computed = hash_of(values)
    if canonical(values) != bytes_of(where, CARD) or computed != values["hash"]:
        raise BundleError(
            f"{where / CARD} was changed: its content has hash {computed[:12]}, "
            f"it says {values['hash'][:12]!r}. {AGAIN}"
        )
    if hashlib.sha256(weights).hexdigest() != values["weights_sha256"]:
        raise BundleError(f"{where / WEIGHTS} is not what the card was written for. {AGAIN}")


def check_pin(where: Path, found: str, expected: str) -> None:
    """Refuse a hash that does not begin with the digits (12 at least) that were asked for."""
    wanted = expected.strip().lower()
    if not SHORTEST_HASH <= len(wanted) <= 64 or set(wanted) - set("0123456789abcdef"):
        raise BundleError(
            f"The model hash asked for is {expected!r}; expected {SHORTEST_HASH} to 64 hexadecimal digits."
        )
    if not found.startswith(wanted):
        raise BundleError(
            f"{where} holds model {found}, but {wanted} was asked for. Give the folder of that model, or "
            "its hash if this is the right one."
        )


def bytes_of(folder: Path, name: str) -> bytes:
    """What a file of the folder holds; an error where it cannot be read."""
    try:
        return read_regular(folder / name, most=MOST_BYTES[name])
    except OSError as error:
        raise BundleError(
            f"{folder} is not a readable bundle: {name}: {error.strerror}. Expected a folder with {CARD} and "
            f"{WEIGHTS}, as `hemostream train` writes it."
        ) from error


def check_target(folder: str | Path) -> None:
    """Refuse a folder into which no bundle could be written, before anything is computed for it.

    Raises
    ------
    HemostreamError
        Something else stands there, or nothing can be written.
    """
    target = Path(folder).absolute()
    refuse_other_folders(target)
    check_folder(target, "The bundle", beside=True)


def refuse_other_folders(target: Path) -> None:
    """Refuse a folder that holds anything but a bundle."""
    if not target.exists():
        if target.is_symlink():  # no folder can take the name of a link
            raise BundleError(
                f"{target} is a link that leads nowhere; nothing was written. Give a new folder, "
                "or the place that the link should lead to."
            )
        return
    try:
        names = {each.name for each in target.iterdir()} if target.is_dir() else {target.name}
    except OSError as error:
        raise BundleError(f"{target} cannot be looked into: {error}. Give a new folder.") from error
    if names and names != {CARD, WEIGHTS}:
        raise BundleError(
            f"{target} is there and is not a bundle (it holds {', '.join(sorted(names)[:5])}); "
            "nothing was written. Give a new folder."
        )


def _swap(fresh: Path, target: Path, old: Path) -> None:
    """Let a folder take a name; a folder that is not empty cannot be replaced in one step."""
    if not target.exists():
        fresh.rename(target)
        return
    target.rename(old)
    try:
        fresh.rename(target)
    except OSError:
        old.rename(target)
        raise


def put_files(target: Path, files: Mapping[str, bytes]) -> None:
    """Write the files beside the target, then let the whole folder take its name."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as scratch:
            fresh = Path(scratch) / "new"
            fresh.mkdir()
            for name, content in files.items():
                with (fresh / name).open("wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
            _swap(fresh, target, Path(scratch) / "old")
    except OSError as error:
        raise BundleError(
            f"{target} cannot be written: {error}. Give another folder, or make room."
        ) from error
