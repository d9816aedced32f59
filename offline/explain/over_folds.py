"""The maps of all folds put together: their mean, and whether they recur."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from models.arrays import Floats
from offline.explain.maps import METHODS
from offline.explain.sanity import ALIKE, stability

TOP = 5
"""Source-detector pairs that are counted as a fold's foremost."""


def put_together(
    folds: Mapping[str, Sequence[Mapping[str, Any]]], names: Sequence[str], places: Sequence[int]
) -> dict[str, Any]:
    """One explanation a method, from the folds' own.

    Each fold's map is divided by its sum first, so that all folds count the same.

    Parameters
    ----------
    folds : mapping of str to sequence of mappings
        By fold, what `offline.explain.maps.explain` gave.
    names : sequence of str
        The channels.
    places : sequence of int
        The source-detector pair of each.

    Returns
    -------
    dict
        JSON types, by method: ``channels`` and ``times`` (shares, each summing to 1), ``stability`` of
        either, ``like_untrained``, ``believed`` (whether it depends on what was learnt), and ``foremost``: in
        what share of folds a channel's pair was among the first.
    """
    out: dict[str, Any] = {}
    for method in METHODS:
        own = [each for its in folds.values() for each in its if each["method"] == method]
        if not own:
            continue
        channels = [_shares(each["channels"]) for each in own]
        times = [_shares(each["times"]) for each in own]
        alike = float(np.mean([each["like_untrained"] for each in own]))
        out[method] = {
            "shows": METHODS[method],
            "folds": len(own),
            "names": list(names),
            "channels": np.mean(channels, axis=0).tolist(),
            "times": np.mean(times, axis=0).tolist(),
            "stability": {"channels": stability(channels), "times": stability(times)},
            "like_untrained": alike,
            "believed": alike < ALIKE,
            "foremost": _foremost(channels, names, places),
        }
    return out


def _shares(values: Sequence[float]) -> Floats:
    each = np.asarray(values, dtype=np.float64)
    return each / max(float(each.sum()), np.finfo(float).tiny)


def _foremost(channels: Sequence[Floats], names: Sequence[str], places: Sequence[int]) -> dict[str, float]:
    """Share of folds in which a pair is among the `TOP`, by the name of its first channel; most first."""
    _, first, pair = np.unique(np.array(places), return_index=True, return_inverse=True)
    in_order = np.argsort(first)  # of the channels, which settles ties
    counts = np.zeros(len(first), dtype=int)
    for each in channels:
        sums = np.array([each[pair == k].sum() for k in range(len(first))])
        counts[sorted(in_order, key=lambda k: -sums[k])[:TOP]] += 1
    ranked = sorted(in_order, key=lambda k: -counts[k])
    return {names[first[k]]: int(counts[k]) / len(channels) for k in ranked if counts[k]}
