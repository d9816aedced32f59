"""Chains of parts in one array, so that a part may hold others and a bundle hold it."""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from models.arrays import Floats
from models.errors import BundleError, near_match
from models.parts.base import Array, Part, from_arrays, to_arrays


def packed(chains: Sequence[Sequence[Part]]) -> tuple[Floats, tuple[Any, ...]]:
    """All arrays of all parts one after the other, and where each begins.

    Parameters
    ----------
    chains : sequence of sequence of Part
        A chain is a list of parts, each of which takes what the one before it gives.

    Returns
    -------
    numbers : (n_numbers,) float64
        All arrays; integers to 2**53 are exact.
    layout : tuple of chains
        JSON types: a part is ``{"kind", "settings", "arrays"}``, an array ``{"at", "shape", "integers"}``.
    """
    numbers: list[Floats] = []
    at = 0
    layout = []
    for chain in chains:
        parts = []
        for part in chain:
            arrays, settings = to_arrays(part)
            places: dict[str, Any] = {}
            for name, array in arrays.items():
                integers = bool(np.issubdtype(array.dtype, np.integer))
                places[name] = {"at": at, "shape": list(array.shape), "integers": integers}
                numbers.append(np.asarray(array, dtype=np.float64).ravel())
                at += array.size
            parts.append({"kind": type(part).__name__, "settings": settings, "arrays": places})
        layout.append(parts)
    return np.concatenate(numbers), tuple(layout)


def unpacked(numbers: Floats, layout: Sequence[Any], known: Mapping[str, Any]) -> list[list[Part]]:
    """The chains again.

    Parameters
    ----------
    numbers : (n_numbers,) float64
        From `packed`.
    layout : sequence
        From `packed`.
    known : mapping of str to type
        Parts that may be held, by name.

    Raises
    ------
    BundleError
        A part is not known, or its numbers are not there.
    """
    return [[_part(numbers, entry, known) for entry in chain] for chain in layout]


def _part(numbers: Floats, entry: Any, known: Mapping[str, Any]) -> Part:
    kind = entry["kind"]
    if kind not in known:
        raise BundleError(f"The bundle holds a {kind!r} in a chain. {near_match(str(kind), known)}")
    arrays: dict[str, Array] = {}
    for name, place in entry["arrays"].items():
        wanted = prod(place["shape"])
        values = numbers[place["at"] : place["at"] + wanted]
        if len(values) != wanted:
            raise BundleError(
                f"{name} of a {kind} needs {wanted} numbers and has {len(values)}; the bundle is damaged."
            )
        shaped = values.reshape(place["shape"])
        arrays[name] = shaped.astype(np.int64) if place["integers"] else shaped
    part: Part = from_arrays(known[kind], arrays, entry["settings"])
    return part


def run(chain: Sequence[Part], X: Floats) -> Floats:
    """Rows through one part after the other.

    Parameters
    ----------
    chain : sequence of Part
        In order.
    X : (n, n_columns) float64
        Rows.

    Returns
    -------
    (n, n_out) float64
        What the last gives.
    """
    for part in chain:
        X = part(X)
    return X
