"""Several classifiers of columns of their own, their votes fused as if they erred independently.

Xu L, Krzyzak A, Suen CY (1992). Methods of combining multiple classifiers. IEEE Transactions on Systems,
Man and Cybernetics 22:418-435.  In the review: Aghdam MA, Sharifi A, Pedram MM (2019), Journal of Digital
Imaging 32:899-918.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from models.errors import BundleError, near_match
from models.parts.base import Array, Floats, Part, from_arrays, to_arrays
from models.parts.convolution import Convolutions
from models.parts.experts import Experts
from models.parts.network import TableNetwork
from models.parts.tree_bayes import TreeBayes

MEMBERS: dict[str, Any] = {kind.__name__: kind for kind in (Convolutions, Experts, TableNetwork, TreeBayes)}
"""Parts of which a member's chain may be made."""


@dataclass(frozen=True, eq=False)
class VoteFusion:
    """Naive Bayes over the labels for which the members vote.

    Parameters
    ----------
    numbers : (n_numbers,) float64
        All arrays of all members' parts, one after the other.
    members : tuple of chains
        A chain is a list of parts, a part ``{"kind", "settings", "arrays"}``, an array ``{"at", "shape",
        "integers"}``: where in `numbers` it begins, and whether it holds integers.
    channel : (n_columns,) int64
        Which member sees a column, from 0.
    confusion : (n_members, n_labels, n_labels) float64
        Log probability of a vote (last axis) given the true label.
    prior : (n_labels,) float64
        Log probability of each label.
    """

    numbers: Floats
    members: tuple[Any, ...]
    channel: npt.NDArray[np.int64]
    confusion: Floats
    prior: Floats

    def __call__(self, X: Floats) -> Floats:
        """(n, n_columns) float64 to logits (n, n_labels) float64."""
        logits = np.tile(self.prior, (len(X), 1))
        for k, chain in enumerate(unpacked(self.numbers, self.members)):
            own = X[:, self.channel == k]
            for part in chain:
                own = part(own)
            logits += self.confusion[k][:, own.argmax(axis=1)].T
        return logits


def packed(chains: Sequence[Sequence[Part]]) -> tuple[Floats, tuple[Any, ...]]:
    """Numbers and members, as `VoteFusion` has them.

    Parameters
    ----------
    chains : sequence of sequence of Part
        One a member, from its columns to logits.

    Returns
    -------
    numbers : (n_numbers,) float64
        All arrays.
    members : tuple of chains
        What they are; JSON types.
    """
    numbers: list[Floats] = []
    members, at = [], 0
    for chain in chains:
        parts = []
        for part in chain:
            arrays, settings = to_arrays(part)
            places: dict[str, Any] = {}
            for name, array in arrays.items():
                integers = bool(np.issubdtype(array.dtype, np.integer))
                places[name] = {"at": at, "shape": list(array.shape), "integers": integers}
                # Integers up to 2**53 are exact in float64.
                numbers.append(np.asarray(array, dtype=np.float64).ravel())
                at += array.size
            parts.append({"kind": type(part).__name__, "settings": settings, "arrays": places})
        members.append(parts)
    return np.concatenate(numbers), tuple(members)


def unpacked(numbers: Floats, members: Sequence[Any]) -> list[list[Part]]:
    """The chains again, from (n_numbers,) float64 and what they are."""
    return [[_part(numbers, entry) for entry in chain] for chain in members]


def _part(numbers: Floats, entry: Any) -> Part:
    if entry["kind"] not in MEMBERS:
        raise BundleError(f"A fusion holds a {entry['kind']!r}. {near_match(str(entry['kind']), MEMBERS)}")
    arrays: dict[str, Array] = {}
    for name, place in entry["arrays"].items():
        wanted = prod(place["shape"])
        values = numbers[place["at"] : place["at"] + wanted]
        if len(values) != wanted:
            raise BundleError(
                f"{name} of a {entry['kind']} has {len(values)} numbers; expected {wanted}. "
                "The bundle is damaged."
            )
        shaped = values.reshape(place["shape"])
        arrays[name] = shaped.astype(np.int64) if place["integers"] else shaped
    part: Part = from_arrays(MEMBERS[entry["kind"]], arrays, entry["settings"])
    return part
