"""Where labels differ: a map over channels, each p value corrected for all the channels that were looked at.

No classifier: for each channel how far apart the labels' windows lie, in standard errors, and how often as
much is found anywhere on the head when labels are permuted as they could have been.  So where there is
nothing, one map of twenty has a p value of 0.05 or less anywhere, however many channels there are.

Nichols TE, Holmes AP (2002). Nonparametric permutation tests for functional neuroimaging: a primer with
examples. Human Brain Mapping 15:1-25.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from offline.evaluation.order_null import common_orders
from offline.stats.label_order import LabelOrder
from offline.stats.permutation import FEWEST, p_value
from offline.training.feature_table import FeatureTable, Labelled, group_means

FEATURES = ("mean", "slope", "spread")
"""Of a window, as `offline.estimators.baselines.window_features` has them; all are looked at, and all
corrected for."""
AT_ONCE = 100
"""Permutations whose statistics are computed in one product."""


def channel_map(
    data: FeatureTable,
    names: tuple[str, ...],
    *,
    permutations: int,
    seed: int = 0,
    order: LabelOrder | None = None,
) -> dict[str, Any] | None:
    """How far labels lie apart in each channel.

    Parameters
    ----------
    data : FeatureTable
        Two labels.  Where they are people's a person is one row, else a window, less its person's mean.
    names : tuple of str
        Of channels.
    permutations, seed : int
        Of the labels, and what they follow from.
    order : LabelOrder or None
        Where recordings share an order, which is then permuted for all at once.

    Returns
    -------
    dict or None
        JSON types: for each channel, the farthest first, its feature that lies farthest apart, the statistic
        (second label less first) and the corrected p value.  None under `FEWEST` permutations, or where
        no permutation differs from another.
    """
    if permutations < FEWEST:
        return None
    if data.by_person:
        data = data.people()
    rows = data.rows(np.arange(len(data.table)))
    values = rows.features if data.by_person else _within(rows)
    weight = rows.weight / rows.weight.mean()
    found = _statistic(values, rows.y[:, np.newaxis] == 1, weight).reshape(len(FEATURES), len(names))
    greatest: list[float] = []
    if order is None:
        labels, exact = [data.permuted(k, seed=seed).table.target for k in range(permutations)], False
    else:
        labels, exact = common_orders(order, permutations, seed=seed)
    like_true = order.like_true if order is not None and exact else 1
    for begin in range(0, len(labels), AT_ONCE):
        y = np.stack(labels[begin : begin + AT_ONCE], axis=1)
        greatest += np.abs(_statistic(values, y == 1, weight)).max(axis=0).tolist()
    null = np.array(greatest)
    if not len(null) or np.ptp(null) == 0:
        return None
    which = np.abs(found).argmax(axis=0)
    statistic = found[which, np.arange(len(names))]
    return {
        "permutations": len(null),
        "of": "the labels" if order is None else "the order common to all",
        "threshold": float(np.quantile(null, 0.95)),
        "channels": [
            {
                "channel": names[i],
                "feature": FEATURES[which[i]],
                "statistic": round(float(statistic[i]), 6),
                "p": p_value(abs(float(statistic[i])), null, like_true=like_true, exact=exact),
            }
            for i in np.argsort(-np.abs(statistic), kind="stable")
        ],
    }


def _within(rows: Labelled) -> Floats:
    """Features less each person's mean, in units of the whole's SD within people."""
    _, whose = np.unique(rows.person, return_inverse=True)
    centred = rows.features - group_means(rows.features, whose)[whose]
    scale = np.sqrt((rows.weight / rows.weight.sum()) @ np.square(centred))
    return np.asarray(centred / np.where(scale > 0, scale, 1.0))


def _statistic(values: Floats, second: npt.NDArray[np.bool_], weight: Floats) -> Floats:
    """Difference of the labels' means over its standard error, were rows independent: (n_features, n).

    They are not, where they are windows; but so are the statistics of permuted labels.
    """
    own, other = second * weight[:, np.newaxis], ~second * weight[:, np.newaxis]
    n_own, n_other = own.sum(axis=0), other.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_own, mean_other = values.T @ own / n_own, values.T @ other / n_other
        square = np.square(values).T
        spread = (square @ own - n_own * mean_own**2 + square @ other - n_other * mean_other**2) / (
            n_own + n_other
        )
        error = np.sqrt(np.maximum(spread, 0.0) * (1.0 / n_own + 1.0 / n_other))
        found = (mean_own - mean_other) / error
    return np.asarray(np.where(np.isfinite(found) & (spread > 1e-12), found, 0.0))
