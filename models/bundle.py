"""A trained classifier on disk: a folder with ``weights.safetensors`` and ``card.json``.

The card is JSON in one canonical form and names the SHA-256 of the weights; the bundle's hash is the
SHA-256 of the card without that hash.  So one hash stands for everything that a classifier is, and
a changed byte in either file is found when the bundle is read.  A hash proves that a bundle is
whole; that it is the right one is proved by whoever pins the hash.  Nothing is ever unpickled.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import nn

from models.bundle_files import (
    AGAIN,
    CARD,
    WEIGHTS,
    bytes_of,
    card_values,
    check_pin,
    check_whole,
    put_files,
    refuse_other_folders,
)
from models.card import Card, canonical
from models.errors import BundleError, RecipeError
from models.networks.registry import make_network


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
    refuse_other_folders(target)
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
    put_files(target, {WEIGHTS: weights, CARD: canonical(card.to_json())})
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
    values, weights = card_values(where), bytes_of(where, WEIGHTS)
    if str(values.get("format")).startswith("scan"):
        raise BundleError(
            f"{where} judges whole scans: it has no windows. Give it to classify once the scan is over, or "
            "take a bundle that train wrote."
        )
    card = Card.from_json(values)
    check_whole(where, values, weights)
    if expected_hash is not None:
        check_pin(where, card.hash, expected_hash)
    try:
        tensors = safetensors.torch.load(weights)
    except safetensors.SafetensorError as error:
        raise BundleError(f"{where / WEIGHTS} is not a safetensors file ({error}). {AGAIN}") from error
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
