"""A trained classifier on disk: a folder with ``weights.safetensors`` and ``card.json``.

The card is JSON in one canonical form and names the SHA-256 of the weights; the bundle's hash is the
SHA-256 of the card without that hash.  So one hash stands for everything that a classifier is, and
a changed byte in either file is found when the bundle is read.  A hash proves that a bundle is
whole; that it is the right one is proved by whoever pins the hash.  Nothing is ever unpickled.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import nn

from models.card import Card, canonical
from models.errors import BundleError, RecipeError
from models.networks import make_network

CARD = "card.json"
WEIGHTS = "weights.safetensors"
SHORTEST_HASH = 12
"""Fewest hexadecimal digits by which a bundle may be pinned."""


@dataclass(frozen=True)
class Bundle:
    """A classifier in memory.

    Parameters
    ----------
    card : Card
        What it is.
    network : torch.nn.Module
        Maps ``(batch, n_chans, n_times) float32`` to logits ``(batch, n_outputs) float32``; on the
        CPU and in evaluation mode when it was read.
    """

    card: Card
    network: nn.Module


def write_bundle(folder: str | Path, card: Card, network: nn.Module) -> str:
    """Write a bundle, whole or not at all; a bundle that stands there is replaced.

    Parameters
    ----------
    folder : path
        Where to; must not exist, or be empty, or hold a bundle and nothing else.
    card : Card
        What it is; the two hashes are filled in here.
    network : torch.nn.Module
        What ``card.network`` describes, trained.

    Returns
    -------
    str
        The bundle's hash, 64 hexadecimal digits.

    Raises
    ------
    BundleError
        The folder holds something else, the card is not JSON or does not describe the network, or a
        weight is not a finite number.
    """
    target = Path(folder).absolute()
    _refuse_other_folders(target)
    tensors = {name: each.detach().cpu().contiguous().clone() for name, each in network.state_dict().items()}
    weights = safetensors.torch.save(tensors)
    card = replace(card, weights_sha256=hashlib.sha256(weights).hexdigest(), hash="")
    try:
        card = Card.from_json(json.loads(canonical(replace(card, hash=card.computed_hash()).to_json())))
    except (TypeError, ValueError) as error:
        raise BundleError(
            f"The card cannot be written as JSON: {error}. Give plain finite values."
        ) from error
    _fill(_empty_network(card), tensors)
    _put(target, {WEIGHTS: weights, CARD: canonical(card.to_json())})
    return card.hash


def read_bundle(folder: str | Path, expected_hash: str | None = None) -> Bundle:
    """Read a bundle, refusing it unless every byte is as it was written.

    Parameters
    ----------
    folder : path
        Where it stands.
    expected_hash : str or None
        The hash it must have, or its first digits (12 at least).

    Returns
    -------
    Bundle
        Network on the CPU, in evaluation mode.

    Raises
    ------
    BundleError
        It is not a bundle, not whole, not readable by this version, or not the one asked for.
    """
    where = Path(folder)
    card_bytes, weights = _bytes_of(where, CARD), _bytes_of(where, WEIGHTS)
    again = "Fetch it again from where it was trained, or train again."
    try:
        values = json.loads(card_bytes)
        rewritten = canonical(values) if isinstance(values, dict) else b""
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{where / CARD} is not the JSON of a card ({error}). {again}") from error
    card = Card.from_json(values)
    computed = card.computed_hash()
    if rewritten != card_bytes or computed != card.hash:
        raise BundleError(
            f"{where / CARD} was changed: its content has hash {computed[:12]}, "
            f"it says {card.hash[:12]!r}. {again}"
        )
    if hashlib.sha256(weights).hexdigest() != card.weights_sha256:
        raise BundleError(f"{where / WEIGHTS} is not what the card was written for. {again}")
    if expected_hash is not None:
        _check_pin(where, card.hash, expected_hash)
    try:
        tensors = safetensors.torch.load(weights)
    except safetensors.SafetensorError as error:
        raise BundleError(f"{where / WEIGHTS} is not a safetensors file ({error}). {again}") from error
    return Bundle(card, _fill(_empty_network(card), tensors).eval())


def _empty_network(card: Card) -> nn.Module:
    """The card's network without memory for weights: nothing is drawn, a huge size costs nothing."""
    try:
        with torch.device("meta"):
            return make_network(**card.network)
    except RecipeError as error:
        raise BundleError(f"The card's network cannot be made: {error}") from error


def _fill(network: nn.Module, tensors: Mapping[str, torch.Tensor]) -> nn.Module:
    """Put the weights into the network they belong to; nothing missing, extra, misshapen or not finite."""
    expected = network.state_dict()
    if expected.keys() != tensors.keys():
        raise BundleError(
            f"The weights lack {sorted(expected.keys() - tensors.keys())} and have extra "
            f"{sorted(tensors.keys() - expected.keys())}; the card describes another network."
        )
    for name, tensor in tensors.items():
        wanted = expected[name]
        if tensor.shape != wanted.shape or tensor.dtype != wanted.dtype:
            raise BundleError(
                f"Weight {name!r} is {tensor.dtype} {tuple(tensor.shape)}; the card's network needs "
                f"{wanted.dtype} {tuple(wanted.shape)}. Card and weights do not belong together."
            )
        if not torch.isfinite(tensor).all():
            raise BundleError(
                f"Weight {name!r} holds values that are not finite; the training diverged. "
                "Train again with a lower learning rate."
            )
    network.load_state_dict(tensors, assign=True)
    return network


def _check_pin(where: Path, found: str, expected: str) -> None:
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
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        raise BundleError(
            f"{folder} is not a readable bundle: {name}: {error.strerror}. Expected a folder with {CARD} and "
            f"{WEIGHTS}, as `hemostream train` writes it."
        ) from error


def _refuse_other_folders(target: Path) -> None:
    if not target.exists():
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


def _put(target: Path, files: Mapping[str, bytes]) -> None:
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
