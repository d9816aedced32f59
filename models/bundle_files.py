"""The folder of a bundle, whatever it holds: a card and weights, whole or not there at all, pinned by a hash.

The card is JSON in one canonical form and names the SHA-256 of the weights; the bundle's hash is the
SHA-256 of the card without that hash.  So one hash stands for everything that a classifier is, and
a changed byte in either file is found when the bundle is read.  A hash proves that a bundle is
whole; that it is the right one is proved by whoever pins the hash.  Nothing is ever unpickled.
"""

import hashlib
import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from models.cards.card import AGAIN, AnyCard, card_of_json
from models.cards.scan_card import ScanCard
from models.cards.window_card import CardRecording, WindowCard
from models.errors import BundleError
from models.files.output_place import check_folder
from models.files.regular_file import MOST_TEXT, read_regular
from models.files.write_atomic import write_atomic

CARD = "card.json"
WEIGHTS = "weights.safetensors"
MOST_BYTES = {CARD: MOST_TEXT, WEIGHTS: 2**32}
"""Of each file: what is larger is none of ours, and would exhaust the memory."""
SHORTEST_HASH = 12
"""Fewest hexadecimal digits by which a bundle may be pinned."""


def canonical(values: Mapping[str, Any]) -> bytes:
    """The one way in which a card is written: sorted keys, UTF-8, a newline at the end.

    Parameters
    ----------
    values : mapping
        JSON types, finite numbers only.
    """
    text = json.dumps(values, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False, default=_plain)
    return (text + "\n").encode()


def hash_of(values: Mapping[str, Any]) -> str:
    """SHA-256 of a canonical card without its own hash, hexadecimal."""
    return hashlib.sha256(canonical({name: v for name, v in values.items() if name != "hash"})).hexdigest()


def read_files(folder: Path, kind: type[AnyCard], expected_hash: str | None) -> tuple[AnyCard, bytes]:
    """The card and the weights of a bundle, refused unless every byte is as it was written.

    Parameters
    ----------
    folder : Path
        Where it stands.
    kind : type of Card
        Which payload is wanted.
    expected_hash : str or None
        The hash it must have, or its first digits (12 at least).

    Raises
    ------
    BundleError
        It is not such a bundle, not whole, not readable by this version, or not the one asked for.
    """
    values, weights = card_values(folder), _bytes_of(folder, WEIGHTS)
    card = card_of_json(kind, values)
    computed = hash_of(values)
    if canonical(values) != _bytes_of(folder, CARD) or computed != card.hash:
        raise BundleError(
            f"{folder / CARD} was changed: its content has hash {computed[:12]}, "
            f"it says {card.hash[:12]!r}. {AGAIN}"
        )
    if hashlib.sha256(weights).hexdigest() != card.weights_sha256:
        raise BundleError(f"{folder / WEIGHTS} is not what the card was written for. {AGAIN}")
    if expected_hash is not None:
        _check_pin(folder, card.hash, expected_hash)
    return card, weights


def write_files(
    folder: str | Path, card: AnyCard, weights: bytes, try_out: Callable[[AnyCard], object]
) -> AnyCard:
    """Write a bundle, whole or not at all; a bundle that stands there is replaced.

    Parameters
    ----------
    folder : path
        Where to; must not exist, or be empty, or hold a bundle and nothing else.
    card : Card
        What it is; the two hashes are filled in here.
    weights : bytes
        The other file.
    try_out : callable of Card
        Makes the classifier from the card as it will be read; raises where that cannot be.

    Returns
    -------
    Card
        As it was written.

    Raises
    ------
    BundleError
        The folder holds something else, or the card is not JSON.
    """
    target = Path(folder).absolute()
    refuse_other_folders(target)
    whole = card.model_copy(update={"weights_sha256": hashlib.sha256(weights).hexdigest(), "hash": ""})
    try:
        values = json.loads(canonical(whole.to_json()))
    except (TypeError, ValueError) as error:
        raise BundleError(
            f"The card cannot be written as JSON: {error}. Give plain finite values."
        ) from error
    values["hash"] = hash_of(values)
    written = card_of_json(type(card), values)
    try_out(written)
    _put(target, {WEIGHTS: weights, CARD: canonical(values)})
    return written


def card_values(folder: Path) -> Mapping[str, Any]:
    """What a card holds, of whatever form; `read_files` checks whether it was changed."""
    try:
        values = json.loads(_bytes_of(folder, CARD))
        canonical(values if isinstance(values, dict) else {})
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{folder / CARD} is not the JSON of a card ({error}). {AGAIN}") from error
    return values if isinstance(values, dict) else {"format": values}


def recording_of(folder: Path | None) -> CardRecording:
    """How the recordings of a bundle's training were read; as they are where there is none.

    Raises
    ------
    BundleError
        It is not a bundle of windows.
    """
    return CardRecording() if folder is None else read_files(folder, WindowCard, None)[0].recording


def is_scan_bundle(folder: str | Path) -> bool:
    """Whether a folder holds a scan model; whether it is whole, `read_files` checks."""
    return str(card_values(Path(folder)).get("format")).partition(" ")[0] == ScanCard.FORMAT.partition(" ")[0]


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


def _plain(value: Any) -> Any:
    """JSON form of mappings that are not dicts."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not a JSON type")


def _check_pin(where: Path, found: str, expected: str) -> None:
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


def _bytes_of(folder: Path, name: str) -> bytes:
    """What a file of the folder holds; an error where it cannot be read."""
    try:
        return read_regular(folder / name, most=MOST_BYTES[name])
    except OSError as error:
        raise BundleError(
            f"{folder} is not a readable bundle: {name}: {error.strerror}. Expected a folder with {CARD} and "
            f"{WEIGHTS}, as `hemostream train` writes it."
        ) from error


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


def _put(target: Path, files: Mapping[str, bytes]) -> None:
    """Write the files beside the target, then let the whole folder take its name."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as scratch:
            fresh = Path(scratch) / "new"
            fresh.mkdir()
            for name, content in files.items():
                write_atomic(fresh / name, content, sync=True)
            _swap(fresh, target, Path(scratch) / "old")
    except OSError as error:
        raise BundleError(
            f"{target} cannot be written: {error}. Give another folder, or make room."
        ) from error
