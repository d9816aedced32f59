"""Scans as what tasks are fitted to: a setting is chosen and a model fitted within training.

All chance follows from study, condition, fold and permutation, so the same comes of one process and of many.
"""

import hashlib
import json
import warnings
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logsumexp, softmax
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import StratifiedKFold

from models.arrays import Floats
from offline.base.predictions import Predictions
from offline.base.progress import Tell
from offline.base.row_splits import ten_folds
from offline.base.sample_table import SampleTable
from offline.evaluation.tasks import FitResult, FitTask, Scores
from offline.features.by_site import moved_together
from offline.report.study import OWN
from offline.stats.permutation import permuted_labels
from offline.studies import tables
from offline.studies.base import Study
from offline.studies.columns import Columns
from offline.studies.multiclass import area, for_labels
from offline.studies.profile import PERMUTATION_SEED
from offline.studies.tables import matrices_in

INNER_FOLDS = 3
SUREST = 1e-9
"""Probabilities are kept so far from 0: a tree that predicts 0 has no finite logarithm."""
REVISION = 3
"""Raise it when what a task does changes: what was kept before is then not taken up."""


@dataclass(frozen=True, eq=False)
class ScanFit:
    """How a task of scans is fitted.

    Parameters
    ----------
    setting : int or None
        Which of the study's settings is kept; None chooses within training.
    centred : bool
        Whether it is transductive: each site's people are centred on their mean, the held-out site's too,
        unless the study says what else it does with them (``unlabelled``).
    columns : Columns or None
        Which columns the study is given, and whose labels decide it; None is all of them.
    division : int or None
        Seed of the division into tenths that permuted labels keep even; None keeps none.
    """

    setting: int | None = None
    centred: bool = False
    columns: Columns | None = None
    division: int | None = None


ScanTask = FitTask[ScanFit]


@dataclass(frozen=True, eq=False)
class ScanProcedure:
    """Fits a study's model to a table of scans, one row a person.

    Scores are the log odds of the second of two labels, (n_test,), or of more labels the log probability of
    each, (n_test, n_labels).

    Parameters
    ----------
    study : Study
        What is fitted.
    X : path or (n, n_features) float32
        Of everybody.
    table : SampleTable
        Whose.
    digest : str
        Of the data.
    """

    study: Study
    X: Path | npt.NDArray[Any]
    table: SampleTable
    digest: str = ""
    most_together: int = 20

    @cached_property
    def _reads(self) -> bool:
        """Whether the model reads before it looks at labels, and nothing is chosen by them."""
        model = _made(self.study, self.study.settings[0], 0)
        return len(self.study.settings) == 1 and hasattr(model, "read") and hasattr(model, "fit_read")

    def key(self, task: ScanTask) -> object:
        """All that a result follows from, for `FitCache`."""
        study, fit = self.study, task.fit
        return [
            [self.digest, REVISION, tables.REVISION],
            [study.name, study.table, study.revision, [dict(each) for each in study.settings]],
            None if study.unlabelled is None else dict(study.unlabelled.settings),
            [fit.setting, fit.centred, None if fit.columns is None else fit.columns.key(), fit.division],
        ]

    def shared_by(self, task: ScanTask) -> Hashable | None:
        """Permutations of one fold, where a study reads before it fits."""
        if not self._reads or task.fit.division is None or self.table.target.max() > 1:
            return None
        return task.fold.name, task.fold.train.tobytes(), task.fold.test.tobytes()

    def fit_predict(
        self, tasks: Sequence[ScanTask], *, tell: Tell, folder: Path | None
    ) -> list[tuple[Scores, dict[str, Any]]]:
        """See `Procedure`: log odds, (n_test,) float64, or log probabilities, (n_test, n_labels) float64."""
        # A fit that stops at its most iterations predicts as it is, like any other.
        with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
            if len(tasks) > 1:
                return self._together(tasks)
            model, setting, X = self.fit(tasks[0])
            return [(log_odds(model, X, self.table.site[tasks[0].fold.test]), {"setting": setting})]

    def fit(self, task: ScanTask, *, like: Any | None = None) -> tuple[Any, int, Floats]:
        """Choose a setting within training and fit; `like`, if given, is copied and fitted instead.

        Gives the classifier, the setting, and the rows to be predicted, (n_test, n_features) float64.
        """
        study, train = self.study, task.fold.train
        target = labels_of(self.table, task)
        known, X_test = self._rows(task, target)
        rows = known, target[train], self.table.site[train]
        more = study.unlabelled.settings if task.fit.centred and study.unlabelled is not None else {}
        settings = [{**setting, **more} for setting in study.settings]
        seed, setting = self._seed(task), task.fit.setting
        if setting is None:
            setting = _chosen(study, settings, *rows, seed)
        model = None if like is None else partial(clone, like)
        return _fitted(study, settings[setting], *rows, seed, model), setting, X_test

    def _together(self, tasks: Sequence[ScanTask]) -> list[tuple[Scores, dict[str, Any]]]:
        """Permutations of one fold: what looks at no label is done once for all of them."""
        study, train, out = self.study, tasks[0].fold.train, []
        known, X_test = self._rows(tasks[0], self.table.target)
        reading = _made(study, study.settings[0], 0).read(known, site=self.table.site[train])
        for task in tasks:
            model = _made(study, study.settings[0], self._seed(task))
            model.fit_read(reading, labels_of(self.table, task)[train])
            out.append((log_odds(model, X_test), {"setting": 0}))
        return out

    def _rows(self, task: ScanTask, target: npt.NDArray[np.int64]) -> tuple[npt.NDArray[Any], Floats]:
        """Rows of training, in the precision that the study takes, and of those who are predicted."""
        study, train, fit = self.study, task.fold.train, task.fit
        X = self.X
        if isinstance(X, Path):
            X = np.load(X, mmap_mode="r", allow_pickle=False)
        both = np.concatenate([train, task.fold.test])
        rows = np.asarray(X[both], dtype=X.dtype if study.table in tables.WIDE else np.float64)
        if fit.centred and study.unlabelled is None:
            rows = moved_together(rows, self.table.site[both], matrices_in(study.table, rows.shape[1]))
        if fit.columns is not None:
            rows = rows[:, fit.columns.kept(X, target, train)]
        return rows[: len(train)], np.asarray(rows[len(train) :], dtype=np.float64)

    def _seed(self, task: ScanTask) -> int:
        text = json.dumps([self.study.name, task.condition, task.fold.name, task.permutation])
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def labels_of(table: SampleTable, task: ScanTask) -> npt.NDArray[np.int64]:
    """The labels that a task is fitted to and compared with, (n,) int64."""
    division, folds = task.fit.division, []
    if task.permutation is not None and division is not None:
        folds = ten_folds(table, seed=division)
    return permuted_labels(table, task.permutation, seed=PERMUTATION_SEED, by_person=True, folds=folds)


def log_odds(model: Any, X: Floats, site: npt.NDArray[np.str_] | None = None) -> Floats:
    """Log odds of the second of two labels, or log probabilities of more, by what the model has.

    Parameters
    ----------
    model : classifier
        Fitted to two labels or more.
    X : (n, n_features) float64
        Of those who are predicted.
    site : (n,) str, optional
        Where they were recorded, for a model whose decision function takes it.

    Returns
    -------
    (n,) float64, or (n, n_labels) float64
        Above 0 predicts the second of two; of more, each row's exponentials sum to 1.
    """
    if site is not None and _takes_site(model, "decision_function"):
        return np.asarray(model.decision_function(X, site=site), dtype=np.float64)
    if hasattr(model, "decision_function"):
        scores: Floats = np.asarray(model.decision_function(X), dtype=np.float64)
    else:
        scores = np.log(np.clip(np.asarray(model.predict_proba(X), dtype=np.float64), SUREST, 1.0))
    if len(model.classes_) > 2:
        return np.asarray(scores - logsumexp(scores, axis=1, keepdims=True))
    return scores if scores.ndim == 1 else scores[:, 1] - scores[:, 0]


def _chosen(
    study: Study, settings: Sequence[Mapping[str, Any]], X: Floats, y: Any, site: Any, seed: int
) -> int:
    """The setting with the greatest AUC over held-out thirds of the training people."""
    if len(settings) == 1:
        return 0
    split = StratifiedKFold(INNER_FOLDS, shuffle=True, random_state=seed % 2**32)
    areas = np.zeros(len(settings))
    for train, test in split.split(X, y):
        for k, setting in enumerate(settings):
            model = _fitted(study, setting, X[train], y[train], site[train], seed)
            areas[k] += area(y[test], log_odds(model, X[test], site[test]))
    return int(np.argmax(areas))


def _fitted(
    study: Study,
    setting: Mapping[str, Any],
    X: Floats,
    y: Any,
    site: Any,
    seed: int,
    make: Callable[[], Any] | None = None,
) -> Any:
    make = make or partial(_made, study, setting, seed)
    model = for_labels(make, len(np.unique(y)))
    return model.fit(X, y, site=site) if _takes_site(make(), "fit") else model.fit(X, y)


def _made(study: Study, setting: Mapping[str, Any], seed: int) -> Any:
    return study.model(**setting, random_state=seed % 2**31)


def _takes_site(model: Any, method: str) -> bool:
    return "site" in signature(getattr(model, method, None) or (lambda: None)).parameters


def probabilities_of(log_odds: Floats) -> Floats:
    """As a prediction table has them, (n, n_labels) float64, of log odds (n,) or (n, n_labels) float64."""
    if log_odds.ndim == 2:
        return np.asarray(softmax(log_odds, axis=1))
    return np.stack([expit(-log_odds), expit(log_odds)], axis=1)  # 1 - p would lose the small ones


def predictions_of(labels: tuple[str, ...], table: SampleTable, result: FitResult[Any]) -> Predictions:
    """What a fit predicted of its test people, beside their labels in a table, one row a person."""
    task = result.task
    return Predictions.of_fold(
        labels,
        table,
        task.fold,
        probabilities_of(result.scores),
        condition=task.condition,
        repeat=task.repeat,
        name=OWN if task.condition == OWN else None,  # one person at a time is one round
    )
