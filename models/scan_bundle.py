"""A system for whole scans on disk: as `models.bundle`, but plain arrays instead of a network."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import safetensors
import safetensors.numpy

from models.bundle_files import WEIGHTS, is_scan_bundle, read_files, write_files
from models.cards.card import AGAIN
from models.cards.scan_card import ScanCard
from models.errors import BundleError
from models.scan_model import ScanModel
from models.scans.novelty import ScanNovelty

__all__ = ["ScanBundle", "is_scan_bundle", "read_scan_bundle", "write_scan_bundle"]

LEAST_PROBE, MOST_PROBE = 64, 1024
"""Volumes of the scan with which a bundle is tried out."""
OF_NOVELTY = "novelty."
"""How the names of arrays begin that are of what the training looked like, not of the system."""


@dataclass(frozen=True)
class ScanBundle:
    """A system for whole scans in memory.

    Parameters
    ----------
    card : ScanCard
        What it is.
    system : ScanModel
        What it computes.
    novelty : ScanNovelty or None
        What scans of the training looked like.
    """

    card: ScanCard
    system: ScanModel
    novelty: ScanNovelty | None = None


def write_scan_bundle(
    folder: str | Path, card: ScanCard, system: ScanModel, novelty: ScanNovelty | None = None
) -> str:
    """Write a bundle, whole or not at all; a bundle that stands there is replaced.

    Parameters
    ----------
    folder : path
        Where to; must not exist, or be empty, or hold a bundle and nothing else.
    card : ScanCard
        What it is; layout, bounds of novelty and hashes are filled in here.
    system : ScanModel
        What it computes.
    novelty : ScanNovelty, optional
        What scans of the training looked like.

    Returns
    -------
    str
        The bundle's hash, 64 hexadecimal digits.

    Raises
    ------
    BundleError
        The folder holds something else, or a number of the system is none.
    """
    arrays, layout = system.to_arrays()
    looked, bounds = ({}, {}) if novelty is None else novelty.to_arrays()
    arrays |= {OF_NOVELTY + name: values for name, values in looked.items()}
    weights = safetensors.numpy.save({name: np.ascontiguousarray(values) for name, values in arrays.items()})
    card = card.model_copy(update={"system": layout, "novelty": bounds})
    return write_files(folder, card, weights, lambda written: _made(written, weights)).hash


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
    card, weights = read_files(Path(folder), ScanCard, expected_hash)
    return _made(card, weights)


def _made(card: ScanCard, weights: bytes) -> ScanBundle:
    """The bundle, once it has predicted a made-up scan: parts of other sizes than each other's show there."""
    try:
        arrays = safetensors.numpy.load(weights)
    except safetensors.SafetensorError as error:
        raise BundleError(f"The bundle's {WEIGHTS} is not a safetensors file ({error}). {AGAIN}") from error
    for name, numbers in arrays.items():
        if not np.isfinite(numbers).all():
            raise BundleError(f"{name} holds values that are not finite; it is of no use. {AGAIN}")
    looked = {
        name.removeprefix(OF_NOVELTY): arrays.pop(name)
        for name in list(arrays)
        if name.startswith(OF_NOVELTY)
    }
    system = ScanModel.from_arrays(arrays, card.system)
    needs = card.input
    novelty = None
    if card.novelty or looked:
        novelty = ScanNovelty.from_arrays(looked, card.novelty, len(needs.regions))
    seconds = float(np.mean(needs.repetition_time))
    n_times = int(min(max(needs.least_s / seconds, LEAST_PROBE), MOST_PROBE)) + 1
    time = np.arange(n_times)
    series = np.sin(np.outer(1.0 + np.arange(len(needs.regions)) % 7, time) + np.sqrt(1.0 + time))
    try:
        with np.errstate(all="ignore"):
            logits = system.logits(series[np.newaxis].astype(np.float32), np.array([seconds]))
            if novelty is not None:
                novelty.findings(series, seconds, np.ones(len(series), dtype=np.bool_))
    except Exception as error:
        raise BundleError(f"The bundle's parts do not fit one another ({error}). {AGAIN}") from error
    if logits.shape != (1, len(card.labels)):
        raise BundleError(
            f"The bundle's system gives {logits.shape[1:]} logits; expected {len(card.labels)}, one a label."
        )
    return ScanBundle(card, system, novelty)
