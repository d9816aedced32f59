"""A system for whole scans on disk: as `models.bundle`, but plain arrays instead of a network."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import safetensors
import safetensors.numpy

from models.bundle_files import (
    AGAIN,
    CARD,
    WEIGHTS,
    bytes_of,
    card_values,
    check_pin,
    check_whole,
    hash_of,
    put_files,
    refuse_other_folders,
)
from models.card import canonical
from models.errors import BundleError
from models.layers.base import Array
from models.scan_card import SCAN_FORMAT, ScanCard
from models.scan_model import ScanModel

LEAST_PROBE, MOST_PROBE = 64, 1024
"""Volumes of the scan with which a bundle is tried out."""


@dataclass(frozen=True)
class ScanBundle:
    """A system for whole scans in memory.

    Parameters
    ----------
    card : ScanCard
        What it is.
    system : ScanModel
        What it computes.
    """

    card: ScanCard
    system: ScanModel


def is_scan_bundle(folder: str | Path) -> bool:
    """Whether a folder holds a bundle for whole scans; whether it is whole, `read_scan_bundle` says."""
    return str(card_values(Path(folder)).get("format", "")).partition(" ")[0] == SCAN_FORMAT.partition(" ")[0]


def write_scan_bundle(folder: str | Path, card: ScanCard, system: ScanModel) -> str:
    """Write a bundle, whole or not at all; a bundle that stands there is replaced.

    Parameters
    ----------
    folder : path
        Where to; must not exist, or be empty, or hold a bundle and nothing else.
    card : ScanCard
        What it is; layout and hashes are filled in here.
    system : ScanModel
        What it computes.

    Returns
    -------
    str
        The bundle's hash, 64 hexadecimal digits.

    Raises
    ------
    BundleError
        The folder holds something else, or a number of the system is none.
    """
    target = Path(folder).absolute()
    refuse_other_folders(target)
    arrays, layout = system.to_arrays()
    for name, values in arrays.items():
        if not np.isfinite(values).all():
            raise BundleError(f"{name} of the system holds values that are not finite; it cannot be written.")
    weights = safetensors.numpy.save({name: np.ascontiguousarray(values) for name, values in arrays.items()})
    card = replace(card, system=layout, weights_sha256=hashlib.sha256(weights).hexdigest(), hash="")
    try:
        values = json.loads(canonical(card.to_json()))
        values["hash"] = hash_of(values)
        card = ScanCard.from_json(values)
    except (TypeError, ValueError) as error:
        raise BundleError(
            f"The card cannot be written as JSON: {error}. Give plain finite values."
        ) from error
    _system(safetensors.numpy.load(weights), card)
    put_files(target, {WEIGHTS: weights, CARD: canonical(card.to_json())})
    return card.hash


def read_scan_bundle(folder: str | Path, expected_hash: str | None = None) -> ScanBundle:
    """Read a bundle, refusing it unless every byte is as it was written.

    Parameters
    ----------
    folder : path
        Where it stands.
    expected_hash : str or None
        The hash it must have, or its first digits (12 at least).

    Raises
    ------
    BundleError
        It is not such a bundle, not whole, not readable by this version, or not the one asked for.
    """
    where = Path(folder)
    values, weights = card_values(where), bytes_of(where, WEIGHTS)
    card = ScanCard.from_json(values)
    check_whole(where, values, weights)
    if expected_hash is not None:
        check_pin(where, card.hash, expected_hash)
    try:
        arrays = safetensors.numpy.load(weights)
    except safetensors.SafetensorError as error:
        raise BundleError(f"{where / WEIGHTS} is not a safetensors file ({error}). {AGAIN}") from error
    for name, numbers in arrays.items():
        if not np.isfinite(numbers).all():
            raise BundleError(f"{name} holds values that are not finite. {AGAIN}")
    return ScanBundle(card, _system(arrays, card))


def _system(arrays: Mapping[str, Array], card: ScanCard) -> ScanModel:
    """The system, once it has judged a made-up scan: parts of other sizes than each other's show there."""
    system = ScanModel.from_arrays(arrays, card.system)
    needs = card.needs
    seconds = float(np.mean(needs.repetition_time))
    n_times = int(min(max(needs.least_s / seconds, LEAST_PROBE), MOST_PROBE)) + 1
    time = np.arange(n_times)
    series = np.sin(np.outer(1.0 + np.arange(len(needs.regions)) % 7, time) + np.sqrt(1.0 + time))
    try:
        with np.errstate(all="ignore"):
            logits = system.logits(series[np.newaxis].astype(np.float32), np.array([seconds]))
    except Exception as error:
        raise BundleError(f"The bundle's parts do not fit one another ({error}). {AGAIN}") from error
    if logits.shape != (1, len(card.labels)):
        raise BundleError(
            f"The bundle's system gives {logits.shape[1:]} logits; expected {len(card.labels)}, one a label."
        )
    return system
