"""An audit of windows: divisions, channels and rows of every protocol, whatever model is fitted.

All protocols predict the same windows (none of which overlap), train on the same number of windows, choose as
many channels, and share one honest twin: people in folds, channels chosen and features standardised on
training people.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from offline.base.sample_table import SampleTable
from offline.base.splits import Fold, evaluation_folds
from offline.evaluation.leakage.protocols import (
    HONEST,
    AuditTask,
    Division,
    Labels,
    Rounds,
    Rows,
    fold_of,
    protocols_for,
)
from offline.training.feature_table import FeatureTable, Labelled

SELECTED = 0.1
"""Share of the channels that are chosen; two at least."""
PER_CHANNEL = 3
"""Features of a channel: mean, slope, spread."""
RANDOM_FOLDS = 5
Permuted = Callable[[int | None], FeatureTable]
"""All windows, with the labels of a permutation; None: with the true ones."""


def windows_apart(table: SampleTable) -> Rows:
    """Rows, (m,) intp, of which none overlap: in each recording the first, and the next when it ended."""
    chosen: list[int] = []
    for name in np.unique(table.recording):
        rows = np.flatnonzero(table.recording == name)
        free = -np.inf
        for row in rows[np.argsort(table.start[rows], kind="stable")]:
            if table.start[row] >= free - 1e-6:
                chosen.append(int(row))
                free = float(table.stop[row])
    return np.array(sorted(chosen), dtype=np.intp)


def plan_windows(permuted: Permuted, rounds: Rounds) -> Iterator[AuditTask]:
    """The tasks, round by round, each fitted to as many windows: the honest folds, then every protocol's."""
    apart = windows_apart(permuted(None).table)
    for permutation, seed in rounds:
        table = permuted(permutation).table
        divisions = {
            protocol: divisions_of(table, apart, protocol.division, seed)
            for protocol in (HONEST, *protocols_for(table))
        }
        n_train = min(len(fold.train) for folds in divisions.values() for fold in folds)
        for protocol, folds in divisions.items():
            for fold in folds:
                train = _as_many(fold.train, table.target, n_train, np.random.default_rng([seed, 2]))
                own = replace(fold, train=train)
                yield AuditTask(protocol, protocol is not HONEST, permutation, seed, own)


def divisions_of(table: SampleTable, apart: Rows, division: Division, seed: int) -> list[Fold]:
    """Folds that predict these windows, (m,) intp, of which none overlap; of each, what may be trained on."""
    if division in (Division.PEOPLE, Division.STRANGERS):
        own = table.rows(apart)
        unit = None if division is Division.STRANGERS else own.together
        folds = evaluation_folds(own.person, own.target, seed=seed, unit=unit)
        return [replace(fold, train=apart[fold.train], test=apart[fold.test]) for fold in folds]
    divided = apart if division is Division.WINDOWS else np.arange(len(table))
    part = np.random.default_rng([seed, 1]).permutation(len(divided)) % RANDOM_FOLDS
    return [
        fold_of(table, divided[part != k], np.intersect1d(divided[part == k], apart), f"{k}")
        for k in range(RANDOM_FOLDS)
    ]


def _as_many(rows: Rows, y: Labels, n: int, rng: np.random.Generator) -> Rows:
    """So many of these windows, every label among them if it was before."""
    for _ in range(100):
        drawn = np.sort(rng.choice(rows, n, replace=False))
        if len(np.unique(y[drawn])) == len(np.unique(y[rows])):
            return drawn
    return rows


def select_channels(rows: Labelled) -> Rows:
    """The columns, (m,) intp, of the channels of which some feature differs most between the labels.

    Of ``rows`` the labels may be used; all features of a chosen channel are taken.
    """
    positive, weight = rows.y == 1, rows.weight
    n_features = rows.features.shape[1]
    scores, n_channels = np.zeros(n_features), n_features // PER_CHANNEL
    if positive.any() and not positive.all():
        means, variance = [], np.zeros(n_features)
        for label in (positive, ~positive):
            share = weight[label] / weight[label].sum()
            means.append(share @ rows.features[label])
            variance += share @ np.square(rows.features[label] - means[-1])
        scores = np.abs(means[0] - means[1]) / np.sqrt(np.maximum(variance, 1e-300))
    best = scores.reshape(PER_CHANNEL, n_channels).max(axis=0)
    n = min(max(round(SELECTED * n_channels), 2), n_channels)
    channels = np.sort(np.argsort(-best, kind="stable")[:n])
    return np.concatenate([channels + k * n_channels for k in range(PER_CHANNEL)]).astype(np.intp)


def channels_of(columns: Rows) -> Rows:
    """The channels, (m,) intp, of columns as `select_channels` gives them."""
    return columns[: len(columns) // PER_CHANNEL]
