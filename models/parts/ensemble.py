"""Several chains of parts that are asked together, held in one array so that a bundle can hold them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.arrays import Floats
from models.errors import BundleError, near_match
from models.parts.base import Part
from models.parts.cascade import Cascade
from models.parts.columns import SelectColumns, Standardise
from models.parts.gaussian import GaussianBayes
from models.parts.kernel import KernelMachine, Pairwise
from models.parts.layers import Layer, Linear
from models.parts.packing import packed, run, unpacked
from models.parts.prototypes import Neighbours, Prototypes
from models.parts.trees import Trees, Turn
from models.probabilities import probabilities

HOWS = ("log odds", "probability", "majority")

HELD: dict[str, Any] = {
    kind.__name__: kind
    for kind in (
        Cascade,
        GaussianBayes,
        KernelMachine,
        Layer,
        Linear,
        Neighbours,
        Pairwise,
        Prototypes,
        SelectColumns,
        Standardise,
        Trees,
        Turn,
    )
}
"""Parts that a chain may hold, by name; and ensembles themselves."""


@dataclass(frozen=True, eq=False)
class Ensemble:
    """The opinion of several chains, each of which ends in logits of the same labels.

    Parameters
    ----------
    numbers : (n_numbers,) float64
        All arrays of all parts.
    chains : tuple of chains
        What they are (`models.parts.packing`).
    how : {"log odds", "probability", "majority"}
        What is averaged: normalised log probabilities, probabilities, or votes with the mean probability as
        one vote more (it settles ties, and gives people with the same votes an order).
    """

    numbers: Floats
    chains: tuple[Any, ...]
    how: str

    def __post_init__(self) -> None:
        if self.how not in HOWS:
            raise BundleError(f"An ensemble's how is {self.how!r}. {near_match(str(self.how), HOWS)}")

    def __call__(self, X: Floats) -> Floats:
        """(n, n_columns) float64 to log probabilities (n, n_labels) float64."""
        known = {**HELD, Ensemble.__name__: Ensemble}
        chains = unpacked(self.numbers, self.chains, known)
        return combined([run(chain, X) for chain in chains], self.how)


def ensemble_of(chains: Sequence[Sequence[Part]], how: str = "log odds") -> Ensemble:
    """An ensemble of chains.

    Parameters
    ----------
    chains : sequence of sequence of Part
        Each from rows to logits.
    how : {"log odds", "probability", "majority"}
        As `Ensemble` has it.
    """
    return Ensemble(*packed(chains), how)


def combined(logits: Sequence[Floats], how: str) -> Floats:
    """One opinion of several.

    Parameters
    ----------
    logits : sequence of (n, n_labels) float64
        One a member.
    how : {"log odds", "probability", "majority"}
        As `Ensemble` has it.

    Returns
    -------
    (n, n_labels) float64
        Logits; with "probability" and "majority" log probabilities.
    """
    if how == "log odds":
        return np.asarray(np.mean([_log_probabilities(one) for one in logits], axis=0))
    mean = np.mean([probabilities(one) for one in logits], axis=0)
    if how == "majority":
        labels = np.arange(mean.shape[1])
        votes = np.sum([one.argmax(axis=1)[:, np.newaxis] == labels for one in logits], axis=0)
        mean = (votes + mean) / (len(logits) + 1)
    return np.asarray(np.log(np.maximum(mean, np.finfo(float).tiny)))


def _log_probabilities(logits: Floats) -> Floats:
    """So that a member whose logits have another zero weighs the same."""
    top = logits - logits.max(axis=1, keepdims=True)
    return np.asarray(top - np.log(np.exp(top).sum(axis=1, keepdims=True)))
