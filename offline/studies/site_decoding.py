"""How well the site is predicted from the features, before and after harmonisation, and what that leaves.

Everything is learnt in ten folds of people, the harmonisation too; it knows every site, and takes the site of
whoever is held out, as any harmonisation does.  A model that is linear in the features can hardly see a
site whose mean was taken out, whatever else of it is there: so a Gaussian kernel stands beside it, which sees
spreads and shapes as well.
"""

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from models.errors import HemostreamError
from offline.base.json_files import write_json
from offline.base.predictions import Predictions
from offline.base.progress import Tell
from offline.base.result_cache import make_folder
from offline.base.row_splits import FOLDS, ten_folds_of_sites_and_labels
from offline.base.versions import versions
from offline.estimators.combat import ComBat
from offline.estimators.corrected import TraitScale, separable
from offline.estimators.kernel_ridge import Products, predict_label, score_two
from offline.evaluation.runner import run_tasks
from offline.evaluation.tasks import FitResult, FitTask, Scores
from offline.report.folder import write_report
from offline.report.sites import sites_notes, sites_table
from offline.scans import Scans
from offline.scans.groups import refuse_confounded, site_by_label
from offline.stats.intervals import around, bootstrap_sd
from offline.stats.metrics import majority_rate
from offline.stats.primary import Metric
from offline.studies.figures import figures_of
from offline.studies.fitting import predictions_of
from offline.studies.tables import AGE, AS_IT_IS, FEMALE, digest, table_of, trait_columns

Names = npt.NDArray[np.str_]
LINEAR, GAUSSIAN = "linear", "Gaussian kernel"
DIAGNOSIS = "diagnosis"


@dataclass(frozen=True, eq=False)
class Side:
    """One side of a fold: features (n, n_features), sites (n,), and `trait_columns` (n, n_traits)."""

    X: Floats
    site: Names
    traits: Floats


def _none(train: Side, test: Side) -> tuple[Floats, Floats]:
    return train.X, test.X


def _centred(train: Side, test: Side) -> tuple[Floats, Floats]:
    means = {name: train.X[train.site == name].mean(axis=0) for name in np.unique(train.site).tolist()}
    one, two = (each.X - np.stack([means[name] for name in each.site]) for each in (train, test))
    return one, two


def _combat(train: Side, test: Side, *, keep: tuple[int, ...] = ()) -> tuple[Floats, Floats]:
    scale = TraitScale.of(train.traits)
    kept = list(separable(scale(train.traits), train.site, keep))
    combat = ComBat("refuse").fit(train.X, site=train.site, covariates=scale(train.traits)[:, kept])
    one, two = (
        combat.transform(each.X, site=each.site, covariates=scale(each.traits)[:, kept])
        for each in (train, test)
    )
    return one, two


HARMONISATIONS: Mapping[str, Callable[[Side, Side], tuple[Floats, Floats]]] = MappingProxyType(
    {
        "none": _none,
        "centred by site": _centred,
        "ComBat": _combat,
        "ComBat, age and sex kept": partial(_combat, keep=(AGE, FEMALE)),
    }
)
"""From the people of training and the held-out ones to the features of both."""


SiteTask = FitTask[str]
"""Its condition is one of `HARMONISATIONS`; `LINEAR` and `GAUSSIAN` predict sites, `DIAGNOSIS` the label."""


@dataclass(frozen=True, eq=False)
class SiteProcedure:
    """Predicts sites and diagnoses from harmonised features, (n, n_features) float32.

    Scores are (n_test,) float64: the number of the site (its place in the sorted names), or log odds of the
    second label.
    """

    X: npt.NDArray[Any]
    scans: Scans
    names: tuple[str, ...]
    most_together: int = 3

    def shared_by(self, task: SiteTask) -> Hashable:
        """All models of one harmonisation."""
        return task.condition, task.fold

    def fit_predict(
        self, tasks: Sequence[SiteTask], *, tell: Tell, folder: Path | None
    ) -> list[tuple[Scores, dict[str, Any]]]:
        """See `Procedure`: numbers of sites, or log odds, (n_test,) float64."""
        fold, scans = tasks[0].fold, self.scans
        site, traits = scans.site, trait_columns(scans)
        train, test = (
            Side(np.asarray(self.X[rows], dtype=np.float64), site[rows], traits[rows])
            for rows in (fold.train, fold.test)
        )
        number = np.searchsorted(self.names, train.site)
        products = Products.of(*HARMONISATIONS[tasks[0].condition](train, test))
        out: list[tuple[Scores, dict[str, Any]]] = []
        for task in tasks:
            if task.fit == DIAGNOSIS:
                scores = score_two(products, scans.y[fold.train] == 1, train.site)
            else:
                kernel = products.gaussian() if task.fit == GAUSSIAN else products
                scores = predict_label(kernel, number, len(self.names)).astype(np.float64)
            out.append((scores, {}))
        return out


def decode_sites(X: npt.NDArray[Any], scans: Scans, *, tell: Tell) -> dict[str, Any]:
    """Predict sites and diagnoses after every harmonisation.

    Parameters
    ----------
    X : (n, n_features) float32
        Features of everybody, all of it numbers.
    scans : Scans
        Who they are; sites of under ten people are left out.
    tell : callable
        Told of progress.

    Returns
    -------
    dict
        What ``sites.json`` holds of it.

    Raises
    ------
    HemostreamError
        Fewer than two sites have ten people, or site and diagnosis cannot be told apart.
    """
    everybody = site_by_label(scans)
    large = tuple(name for name, counts in everybody.items() if name and sum(counts.values()) >= FOLDS)
    if len(large) < 2 or len(scans.labels) != 2:
        raise HemostreamError(
            f"{len(large)} sites have {FOLDS} people or more, and there are {len(scans.labels)} labels; "
            "expected two sites at least, and two labels."
        )
    kept = np.flatnonzero(np.isin(scans.site, large))
    scans = scans.rows(kept)
    refuse_confounded(scans)
    number = np.searchsorted(large, scans.site)
    tasks = [
        FitTask(fold, name, model)
        for fold in ten_folds_of_sites_and_labels(scans.table)
        for name in HARMONISATIONS
        for model in (LINEAR, GAUSSIAN, DIAGNOSIS)
    ]
    results = run_tasks(SiteProcedure(X[kept], scans, large), tasks, tell=tell, what="sites")

    def of(name: str, model: str) -> list[FitResult[str]]:
        return [each for each in results if (each.task.condition, each.task.fit) == (name, model)]

    labels = [
        predictions_of(scans.labels, scans.table, each) for each in results if each.task.fit == DIAGNOSIS
    ]
    diagnosis = figures_of(Predictions.concatenate(labels), {})
    return {
        "people": len(scans),
        "sites": {name: int(np.sum(number == k)) for k, name in enumerate(large)},
        "left_out": {name: sum(c.values()) for name, c in everybody.items() if name not in large},
        "derivative": scans.derivative,
        "chance": 1.0 / len(large),
        "majority_rate": majority_rate(number),
        "folds": FOLDS,
        "harmonisations": {
            name: {
                "site": {model: _of_sites(of(name, model), number) for model in (LINEAR, GAUSSIAN)},
                "diagnosis": {
                    "auc": its["auc"]["value"],
                    "interval": its["auc"]["interval"],
                    "accuracy": its["accuracy"],
                },
            }
            for name, its in diagnosis.items()
        },
    }


@dataclass(frozen=True, eq=False)
class _Right:
    """Whose site was predicted; figures follow as from `offline.stats.intervals.PersonPredictions`."""

    right: npt.NDArray[np.bool_]

    def figure(self, metric: Metric, y: npt.NDArray[Any], times: Floats | None = None) -> Floats:
        times = np.ones((len(y), 1)) if times is None else times
        found = [self.right[y == k] @ times[y == k] / times[y == k].sum(axis=0) for k in np.unique(y)]
        return np.asarray(np.mean(found, axis=0))


def _of_sites(results: Sequence[FitResult[str]], number: npt.NDArray[np.int64]) -> dict[str, Any]:
    right = np.zeros(len(number), dtype=np.bool_)
    for each in results:
        right[each.task.fold.test] = each.scores == number[each.task.fold.test]
    predicted = _Right(right)
    value = float(predicted.figure("balanced_accuracy", number)[0])
    sd = bootstrap_sd(predicted, number, "balanced_accuracy", seed=0)
    ends = None if sd is None else around(value, sd)
    return {
        "balanced_accuracy": value,
        "interval": None if ends is None else list(ends),
        "accuracy": float(np.mean(right)),
    }


def run_sites(scans: Scans, out: Path, *, tell: Tell) -> str:
    """Predict sites, and write ``sites.json``, ``sites-run.json`` and ``sites.html`` into a folder.

    Of series the connectivity is taken, a table as it is.  Gives the table as Markdown, with chance under it.
    """
    began = time.perf_counter()
    make_folder(out)
    of = "correlation" if scans.is_series else AS_IT_IS
    X = np.load(table_of(of, scans, out / "cache"), mmap_mode="r", allow_pickle=False)
    results = {"table": of, "digest": digest(scans), **decode_sites(X, scans, tell=tell)}
    run = {"seconds": round(time.perf_counter() - began, 2), "versions": versions()}
    write_json(out / "sites.json", results)
    write_json(out / "sites-run.json", run)
    write_report(out)
    return "\n".join(
        [sites_table(results).markdown(), "", sites_notes(results)[0], f"{run['seconds']:.0f} s"]
    )
