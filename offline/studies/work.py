"""One fit of a study: settings chosen within training, the model fitted, the held-out people judged.

Each is a task whose name says all that it depends on, so a run that was stopped takes up what it finds; and
all chance follows from the name, so the same comes of one process and of many.
"""

import hashlib
import json
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit, softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import StratifiedKFold
from threadpoolctl import threadpool_limits

from models.arrays import Floats
from offline.base.sample_table import SampleTable
from offline.base.splits import Fold
from offline.stats.permutation import permuted_people
from offline.studies.base import Study
from offline.studies.columns import Columns
from offline.studies.division import PERMUTED
from offline.studies.relabelling import relabelled
from offline.studies.several import area, for_labels, log_probabilities
from offline.studies.tables import matrices_in
from offline.studies.unlabelled import moved_together

INNER_FOLDS = 3


@dataclass(frozen=True, eq=False)
class StudyTask:
    """A fold of an arm of a study.

    Parameters
    ----------
    study : str
        Its name.
    arm : str
        What is compared.
    fold : Fold
        Who is trained on and who judged.
    labelling : int or None
        Number of the permuted labelling; None is the true one.
    setting : int or None
        Which of the study's settings is kept; None chooses within training.
    centred : bool
        Whether it is transductive: each site's people are centred on their mean, the judged site's too,
        unless the study says what else it does with them (``unlabelled``).
    columns : Columns or None
        Which columns the study is given, and whose labels say so; None is all of them.
    division : int
        Seed of the division into tenths that the labels of a null keep even.
    """

    study: str
    arm: str
    fold: Fold
    labelling: int | None = None
    setting: int | None = None
    centred: bool = False
    columns: Columns | None = None
    division: int = 0


@dataclass(frozen=True, eq=False)
class Done:
    """What a task gave.

    Parameters
    ----------
    log_odds : (n_judged,) float64, or (n_judged, n_labels) float64
        Of the second of two labels; of more labels each one's log probability.
    setting : int
        That was chosen.
    seconds : float
        What it took.
    """

    log_odds: Floats
    setting: int
    seconds: float


def perform(study: Study, X: npt.NDArray[Any], table: SampleTable, task: StudyTask) -> Done:
    """Compute a task with one thread.

    Parameters
    ----------
    study : Study
        What is fitted.
    X : (n, n_features) float32
        Of everybody.
    table : SampleTable
        One row a person.
    task : Task
        Which.
    """
    began = time.perf_counter()
    model, setting, judged = fit(study, X, table, task)
    told = table.site[task.fold.test] if study.judged_by_site else None
    with threadpool_limits(1):
        scores = log_odds(model, judged, told)
    return Done(scores, setting, time.perf_counter() - began)


def fit(study: Study, X: npt.NDArray[Any], table: SampleTable, task: StudyTask) -> tuple[Any, int, Floats]:
    """Choose a setting within training and fit with it, with one thread.

    Parameters
    ----------
    study : Study
        What is fitted.
    X : (n, n_features) float32
        Of everybody.
    table : SampleTable
        One row a person.
    task : Task
        Which.

    Returns
    -------
    classifier, int, (n_judged, n_features) float64
        Fitted, the setting, and the rows of those who are judged.
    """
    train = task.fold.train
    target = labels_for(table, task)
    seed = _seed(task)
    with _quietly():
        known, judged = _rows(study, X, table, task, target)
        y, site = target[train], table.site[train]
        more = study.unlabelled if task.centred and study.unlabelled is not None else {}
        setting = task.setting
        if setting is None:
            setting = _chosen(study, more, known, y, site, seed)
        model = _fitted(study, {**study.settings[setting], **more}, known, y, site, seed)
    return model, setting, judged


def perform_together(
    study: Study, X: npt.NDArray[Any], table: SampleTable, tasks: Sequence[StudyTask]
) -> list[Done]:
    """Compute tasks that differ in their labelling only; what looks at no label is done once for all of them.

    Parameters
    ----------
    study : Study
        What is fitted; it reads first.
    X : (n, n_features) float32
        Of everybody.
    table : SampleTable
        One row a person; two labels.
    tasks : sequence of Task
        Of the same fold, without a choice of columns.
    """
    began, first = time.perf_counter(), tasks[0]
    train = first.fold.train
    with _quietly():
        known, judged = _rows(study, X, table, first, table.target)
        reading = study.model(**study.settings[0], random_state=0).read(known, site=table.site[train])
    shared, out = (time.perf_counter() - began) / len(tasks), []
    for task in tasks:
        began = time.perf_counter()
        with _quietly():
            model = study.model(**study.settings[0], random_state=_seed(task) % 2**31)
            model.fit_read(reading, labels_for(table, task)[train])
            out.append(Done(log_odds(model, judged), 0, shared + time.perf_counter() - began))
    return out


@contextmanager
def _quietly() -> Iterator[None]:
    """One thread; a fit that stops at its most iterations is judged as it is, like any other."""
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def _rows(
    study: Study, X: npt.NDArray[Any], table: SampleTable, task: StudyTask, target: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[Any], Floats]:
    """Rows of training, in the precision that the study takes, and of the judged."""
    train = task.fold.train
    both = np.concatenate([train, task.fold.test])
    rows = np.asarray(X[both], dtype=X.dtype if study.single else np.float64)
    if task.centred and study.unlabelled is None:
        rows = moved_together(rows, table.site[both], matrices_in(study.table, rows.shape[1]))
    if task.columns is not None:
        rows = rows[:, task.columns.kept(X, target, train)]
    return rows[: len(train)], np.asarray(rows[len(train) :], dtype=np.float64)


def labels_for(table: SampleTable, task: StudyTask) -> npt.NDArray[np.int64]:
    """The labels that a task is about, (n,) int64."""
    if task.arm == PERMUTED and task.labelling is not None:
        return relabelled(table, task.labelling, task.division)
    return labels_of(table, task.labelling)


def labels_of(table: SampleTable, labelling: int | None) -> npt.NDArray[np.int64]:
    """True labels, or those permuted within sites, by their number, (n,) int64; of a null: `labels_for`."""
    if labelling is None:
        return table.target
    return permuted_people(table, np.random.default_rng([19, labelling]))


def log_odds(model: Any, X: Floats, site: npt.NDArray[np.str_] | None = None) -> Floats:
    """Log odds of the second label, or the decision function where there are no probabilities.

    Parameters
    ----------
    model : classifier
        Fitted to two labels or more.
    X : (n, n_features) float64
        Of those who are judged.
    site : (n,) str, optional
        Where they were recorded, for a model with a decision function that wants to be told.

    Returns
    -------
    (n,) float64, or (n, n_labels) float64
        Above 0 says the second of two; of more, see `offline.studies.several.log_probabilities`.
    """
    if site is not None:
        return np.asarray(model.decision_function(X, site=site), dtype=np.float64)
    if len(model.classes_) > 2:
        return log_probabilities(model, X)
    if hasattr(model, "decision_function"):
        scores: Floats = np.asarray(model.decision_function(X), dtype=np.float64)
        return scores if scores.ndim == 1 else scores[:, 1] - scores[:, 0]
    p = np.clip(np.asarray(model.predict_proba(X))[:, 1], 1e-9, 1.0 - 1e-9)
    return np.asarray(np.log(p / (1.0 - p)))


def _chosen(study: Study, more: Mapping[str, Any], X: Floats, y: Any, site: Any, seed: int) -> int:
    """The setting with the greatest AUC over held-out thirds of the training people."""
    if len(study.settings) == 1:
        return 0
    split = StratifiedKFold(INNER_FOLDS, shuffle=True, random_state=seed % 2**32)
    areas = np.zeros(len(study.settings))
    for train, test in split.split(X, y):
        for k, setting in enumerate(study.settings):
            model = _fitted(study, {**setting, **more}, X[train], y[train], site[train], seed)
            told = site[test] if study.judged_by_site else None
            areas[k] += area(y[test], log_odds(model, X[test], told))
    return int(np.argmax(areas))


def _fitted(study: Study, setting: Mapping[str, Any], X: Floats, y: Any, site: Any, seed: int) -> Any:
    model = for_labels(partial(study.model, **setting, random_state=seed % 2**31), len(np.unique(y)))
    return model.fit(X, y, site=site) if study.takes_site else model.fit(X, y)


def _seed(task: StudyTask) -> int:
    text = json.dumps([task.study, task.arm, task.fold.name, task.labelling])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def probabilities_of(log_odds: Floats) -> Floats:
    """As a prediction table has them, (n, n_labels) float64, of log odds (n,) or (n, n_labels) float64."""
    if log_odds.ndim == 2:
        return np.asarray(softmax(log_odds, axis=1))
    second = expit(log_odds)
    return np.stack([1.0 - second, second], axis=1)
