"""A trained network on disk: ``weights.safetensors`` and ``card.json`` in one folder (`bundle_files`)."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from models.bundle_files import is_scan_bundle, read_files, write_files
from models.cards.window_card import WindowCard
from models.errors import BundleError, RecipeError
from models.files.weights import filled, weights_of
from models.networks.registry import make_model


@dataclass(frozen=True)
class Bundle:
    """A classifier in memory.

    Parameters
    ----------
    card : WindowCard
        What it is.
    network : torch.nn.Module
        Maps ``(batch, n_chans, n_times) float32`` to logits ``(batch, n_outputs) float32``; on the
        CPU and in evaluation mode when it was read.
    """

    card: WindowCard
    network: nn.Module


def write_bundle(folder: str | Path, card: WindowCard, network: nn.Module) -> str:
    """Write a bundle, whole or not at all; a bundle that stands there is replaced.

    Parameters
    ----------
    folder : path
        Where to; must not exist, or be empty, or hold a bundle and nothing else.
    card : WindowCard
        What it is; the two hashes are filled in here.
    network : torch.nn.Module
        What ``card.model`` describes, trained.

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
    weights = weights_of(network)
    return write_files(folder, card, weights, lambda written: _made(written, weights)).hash


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
    if is_scan_bundle(where):
        raise BundleError(
            f"{where} classifies whole scans: it has no windows. Give it to classify once the scan is over, "
            "or take a bundle that train wrote."
        )
    card, weights = read_files(where, WindowCard, expected_hash)
    return Bundle(card, _made(card, weights))


def _made(card: WindowCard, weights: bytes) -> nn.Module:
    """The card's network with these weights."""
    try:
        with torch.device("meta"):  # nothing is drawn, and a huge size costs nothing
            network = make_model(**card.model.model_dump())
    except RecipeError as error:
        raise BundleError(f"The card's model cannot be made: {error}") from error
    return filled(network, weights)
