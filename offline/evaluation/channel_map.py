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
from offline.base.sample_table import SampleTable
from offline.evaluation.ridge import labelled_rows
from offline.stats.permutation import FEWEST, permuted_labels

FEATURES = ("mean", "slope", "spread")
"""Of a window, as `offline.estimators.baselines.window_features` has them; all are looked at, and all
corrected for."""
AT_ONCE = 100
"""Permutations whose statistics are computed in one product."""


def channel_map(
    features: Floats,
    table: SampleTable,
    names: tuple[str, ...],
    *,
    by_person: bool,
    permutations: int,
    seed: int = 0,
) -> dict[str, Any] | None:
    """How far labels lie apart in each channel.

    Parameters
    ----------
    features : (n, 3 * n_channels) float64
        `offline.estimators.baselines.window_features` of all samples.
    table : SampleTable
        Two labels.
    names : tuple of str
        Of channels.
    by_person : bool
        Whether the label is the person's: then a person is one row, else a window, less its person's mean.
    permutations : int
        Of the labels.
    seed : int
        What chance follows from.

    Returns
    -------
    dict or None
        JSON types: for each channel, the farthest first, its feature that lies farthest apart, the statistic
        (second label less first) and the corrected p value.  None under `FEWEST` permutations, or where
        no permutation differs from another.
    """
    if permutations < FEWEST:
        return None
    rows = labelled_rows(features, table.target, table.person, by_person=by_person)
    values = rows.features if by_person else _within(rows.features, rows.person, rows.weight)
    whole = table.rows(np.unique(table.person, return_index=True)[1]) if by_person else table
    weight = rows.weight / rows.weight.mean()
    found = _apart(values, rows.y[:, np.newaxis] == 1, weight)[:, 0]
    n_channels = len(names)
    greatest: list[float] = []
    for begin in range(0, permutations, AT_ONCE):
        numbers = range(begin, min(begin + AT_ONCE, permutations))
        y = [permuted_labels(whole, n, seed=seed, by_person=by_person) for n in numbers]
        greatest += np.abs(_apart(values, np.stack(y, axis=1) == 1, weight)).max(axis=0).tolist()
    null = np.array(greatest)
    if np.ptp(null) == 0:
        return None
    of_channel = found.reshape(len(FEATURES), n_channels)
    which = np.abs(of_channel).argmax(axis=0)
    statistic = of_channel[which, np.arange(n_channels)]
    p = (1 + (null[:, np.newaxis] >= np.abs(statistic) - 1e-12).sum(axis=0)) / (1 + len(null))
    return {
        "permutations": permutations,
        "threshold": float(np.quantile(null, 0.95)),
        "channels": [
            {
                "channel": names[i],
                "feature": FEATURES[which[i]],
                "statistic": round(float(statistic[i]), 6),
                "p": float(p[i]),
            }
            for i in np.argsort(-np.abs(statistic), kind="stable")
        ],
    }


def _within(features: Floats, person: npt.NDArray[np.str_], weight: Floats) -> Floats:
    """Less each person's mean, in units of the whole's SD within people."""
    _, whose = np.unique(person, return_inverse=True)
    total = np.zeros((int(whose.max()) + 1, features.shape[1]))
    np.add.at(total, whose, features)
    centred = features - (total / np.bincount(whose)[:, np.newaxis])[whose]
    scale = np.sqrt((weight / weight.sum()) @ np.square(centred))
    return np.asarray(centred / np.where(scale > 0, scale, 1.0))


def _apart(values: Floats, second: npt.NDArray[np.bool_], weight: Floats) -> Floats:
    """Difference of the labels' means over its standard error, were rows independent: (n_features, n).

    They are not, where they are windows; but so are the statistics of permuted labels.
    """
    own = second * weight[:, np.newaxis]
    other = ~second * weight[:, np.newaxis]
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
