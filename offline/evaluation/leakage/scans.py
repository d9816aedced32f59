"""An audit of scans at one site: folds, settings and columns of every protocol, whatever model is fitted.

Each protocol has a twin of its own: the same people, as many training rows, the same chance.  But in
`SETTING`, the model's first setting is kept: a choice would cost much and show nothing.
"""

from collections.abc import Sequence

import numpy as np
from sklearn.model_selection import StratifiedKFold

from offline.base.predictions import Predictions
from offline.base.sample_table import SampleTable
from offline.base.splits import Fold
from offline.evaluation.leakage.protocols import (
    AuditTask,
    Division,
    Labels,
    LabelsOf,
    LeakageProtocol,
    Rounds,
    Rows,
    fold_of,
)
from offline.stats.metrics import figures

FOLDS = 5
SEED = 5000
METRICS = ("accuracy", "balanced_accuracy", "auc", "accuracy_by_person")


def rounds_of(divisions: int, permutations: int) -> Rounds:
    """So many divisions of the people with true labels, and so many permutations with one division each."""
    true: list[tuple[int | None, int]] = [(None, SEED + k) for k in range(divisions)]
    return true + [(k, SEED + 1000 + k) for k in range(permutations)]


def plan_scans(
    protocol: LeakageProtocol,
    table: SampleTable,
    rows: Rows,
    labels: LabelsOf,
    rounds: Rounds,
    *,
    n_settings: int = 1,
) -> list[AuditTask]:
    """A protocol's tasks and its honest twin's.

    Parameters
    ----------
    protocol : LeakageProtocol
        Which.
    table : SampleTable
        Of everybody; a person may have several rows (parts of a scan).
    rows : (m,) intp
        Of the site.
    labels : callable
        Labels of all rows, 0 or 1, (n,) int64.
    rounds : sequence of (int or None, int)
        Permutation, and seed of the division.
    n_settings : int
        Of the model.
    """
    out = []
    for permutation, seed in rounds:
        y = labels(permutation)
        honest = folds_by_person(table, rows, y, seed=seed)
        leaky = honest
        if protocol.division is Division.WINDOWS:
            leaky = shuffled(table, rows, y, honest, seed=seed)
        settings = range(n_settings) if protocol.setting else (0,)
        out += [AuditTask(protocol, True, permutation, seed, fold, k) for k in settings for fold in leaky]
        own = None if protocol.setting else 0
        out += [AuditTask(protocol, False, permutation, seed, fold, own) for fold in honest]
    return out


def folds_by_person(table: SampleTable, rows: Rows, y: Labels, *, seed: int) -> list[Fold]:
    """Folds of the people of ``rows``, (m,) intp, labelled by ``y``, (n,) int64; both labels in each."""
    _, first, whose = np.unique(table.person[rows], return_index=True, return_inverse=True)
    own = y[rows][first]
    split = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    part = np.zeros(len(own), dtype=np.int64)
    for k, (_, test) in enumerate(split.split(own, own)):
        part[test] = k
    return _folds(table, rows, part[whose], seed)


def shuffled(table: SampleTable, rows: Rows, y: Labels, folds: Sequence[Fold], *, seed: int) -> list[Fold]:
    """Folds of the sizes and shares of labels of the honest ones, but of rows at random instead of people.

    Of ``rows``, (m,) intp, labelled by ``y``, (n,) int64 of all rows.
    """
    rng = np.random.default_rng(seed)
    part = np.zeros(len(table), dtype=np.int64)
    for k, fold in enumerate(folds):
        part[fold.test] = k
    for label in np.unique(y[rows]):
        own = rows[y[rows] == label]
        part[own] = part[rng.permutation(own)]
    return _folds(table, rows, part[rows], seed)


def _folds(table: SampleTable, rows: Rows, part: Labels, seed: int) -> list[Fold]:
    return [
        fold_of(table, rows[part != k], rows[part == k], f"fold {k + 1} of {seed}")
        for k in range(int(part.max()) + 1)
    ]


def figures_by_sample(table: Predictions) -> dict[str, float]:
    """What a paper would report of one round: by sample, and by person (a person's samples averaged)."""
    its = figures(table)
    log_odds = np.log(table.scores[:, 1] / table.scores[:, 0])
    _, first, whose = np.unique(table.person, return_index=True, return_inverse=True)
    right = (np.bincount(whose, log_odds) > 0) == (table.y[first] == 1)
    return {name: float(its[name]) for name in METRICS[:3]} | {"accuracy_by_person": float(np.mean(right))}
