"""How well the site itself is told from the features, before and after harmonisation, and what that leaves.

Everything is learnt in ten folds of people, the harmonisation too; it knows every site, and is told the site
of whoever is judged, as anybody who harmonises is.  A model that is linear in the features can hardly see a
site whose mean was taken out, whatever else of it is there: so a Gaussian kernel stands beside it, which sees
spreads and shapes as well.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from models.errors import HemostreamError
from offline.base.predictions import Predictions
from offline.base.progress import Tell
from offline.base.splits import Fold
from offline.estimators.combat import ComBat
from offline.estimators.harmonised import tellable
from offline.estimators.kernel_ridge import Products, predict_label, score_two
from offline.estimators.without_traits import TraitScale
from offline.scans import Scans
from offline.scans.groups import refuse_confounded, site_by_label
from offline.stats.intervals import around, bootstrap_sd
from offline.stats.metrics import majority_rate
from offline.stats.primary import Metric
from offline.studies.division import FOLDS, TENFOLD
from offline.studies.figures import figures_of
from offline.studies.tables import AGE, FEMALE, trait_columns
from offline.studies.work import probabilities_of

Names = npt.NDArray[np.str_]
LINEAR, GAUSSIAN = "linear", "Gaussian kernel"


@dataclass(frozen=True, eq=False)
class Side:
    """One side of a fold.

    Parameters
    ----------
    X : (n, n_features) float64
        Features.
    site : (n,) str
        Where each was recorded.
    traits : (n, n_traits) float64
        As `offline.studies.tables.trait_columns` has them.
    """

    X: Floats
    site: Names
    traits: Floats


def _none(train: Side, test: Side) -> tuple[Floats, Floats]:
    return train.X, test.X


def _centred(train: Side, test: Side) -> tuple[Floats, Floats]:
    means = {name: train.X[train.site == name].mean(axis=0) for name in np.unique(train.site).tolist()}
    return tuple(each.X - np.stack([means[name] for name in each.site]) for each in (train, test))


def _combat(train: Side, test: Side) -> tuple[Floats, Floats]:
    combat = ComBat("refuse").fit(train.X, site=train.site)
    return combat.transform(train.X, site=train.site), combat.transform(test.X, site=test.site)


def _combat_kept(train: Side, test: Side) -> tuple[Floats, Floats]:
    scale = TraitScale.of(train.traits)
    kept = list(tellable(scale(train.traits), train.site, (AGE, FEMALE)))
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
        "ComBat, age and sex kept": _combat_kept,
    }
)
"""From the people of training and the judged to the features of both."""


def deal(site: Names, y: npt.NDArray[np.int64], person: Names, *, seed: int = 0) -> list[Fold]:
    """Ten folds of people, sites and labels in each as alike as can be.

    Parameters
    ----------
    site, person : (n,) str
        Where each was recorded, and who it is.
    y : (n,) int64
        Labels.
    seed : int
        Who comes together.
    """
    order = np.lexsort((np.random.default_rng(seed).permutation(len(y)), y, site))
    part = np.empty(len(y), dtype=np.int64)
    part[order] = np.arange(len(y)) % FOLDS
    return [
        Fold(
            tuple(sorted(person[part == k].tolist())),
            np.flatnonzero(part != k),
            np.flatnonzero(part == k),
            f"fold {k + 1} of {seed}",
        )
        for k in range(FOLDS)
    ]


def site_tell(X: npt.NDArray[Any], scans: Scans, *, tell: Tell) -> dict[str, Any]:
    """Tell sites and diagnoses after every harmonisation.

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
        JSON types.

    Raises
    ------
    HemostreamError
        Fewer than two sites have ten people, or site and diagnosis cannot be told apart.
    """
    everybody = site_by_label(scans)
    large = [name for name, counts in everybody.items() if name and sum(counts.values()) >= FOLDS]
    if len(large) < 2 or len(scans.labels) != 2:
        raise HemostreamError(
            f"{len(large)} sites have {FOLDS} people or more, and there are {len(scans.labels)} labels; "
            "expected two sites at least, and two labels."
        )
    kept = np.flatnonzero(np.isin(scans.site, large))
    scans = scans.rows(kept)
    refuse_confounded(scans)
    number = np.searchsorted(large, scans.site)
    folds = deal(scans.site, scans.y, scans.table.person)
    said = {(name, how): np.zeros(len(kept), dtype=np.int64) for name in HARMONISATIONS for how in _HOW}
    scores = {name: np.zeros(len(kept)) for name in HARMONISATIONS}
    traits, done = trait_columns(scans), 0
    for fold in folds:
        sides = [
            Side(np.asarray(X[kept[rows]], dtype=np.float64), scans.site[rows], traits[rows])
            for rows in (fold.train, fold.test)
        ]
        for name, harmonise in HARMONISATIONS.items():
            tell("sites", done, FOLDS * len(HARMONISATIONS), f"{fold.name}: {name}")
            of = Products.of(*harmonise(*sides))
            for how, kernel in ((LINEAR, of), (GAUSSIAN, of.gaussian())):
                said[name, how][fold.test] = predict_label(kernel, number[fold.train], len(large))
            scores[name][fold.test] = score_two(of, scans.y[fold.train] == 1, sides[0].site)
            done += 1
    tell("sites", done, done, "")
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
                "site": {how: _of_sites(said[name, how], number) for how in _HOW},
                "diagnosis": _of_diagnosis(scores[name], scans, folds),
            }
            for name in HARMONISATIONS
        },
    }


_HOW = (LINEAR, GAUSSIAN)


@dataclass(frozen=True, eq=False)
class _Said:
    """Who was said to be where they are; figures follow as from
    `offline.stats.intervals.PersonPredictions`."""

    right: npt.NDArray[np.bool_]

    def figure(self, metric: Metric, y: npt.NDArray[Any], times: Floats | None = None) -> Floats:
        times = np.ones((len(y), 1)) if times is None else times
        found = [self.right[y == k] @ times[y == k] / times[y == k].sum(axis=0) for k in np.unique(y)]
        return np.asarray(np.mean(found, axis=0))


def _of_sites(said: npt.NDArray[np.int64], number: npt.NDArray[np.int64]) -> dict[str, Any]:
    judged = _Said(said == number)
    value = float(judged.figure("balanced_accuracy", number)[0])
    sd = bootstrap_sd(judged, number, "balanced_accuracy", seed=0)
    ends = None if sd is None else around(value, sd)
    return {
        "balanced_accuracy": value,
        "interval": None if ends is None else [ends.low, ends.high],
        "accuracy": float(np.mean(said == number)),
    }


def _of_diagnosis(scores: Floats, scans: Scans, folds: list[Fold]) -> dict[str, Any]:
    fold = np.full(len(scans), "", dtype=object)
    for each in folds:
        fold[each.test] = each.name
    table = Predictions(
        labels=scans.labels,
        fold=fold.astype(np.str_),
        arm=np.full(len(scans), TENFOLD),
        sample=np.arange(len(scans), dtype=np.int64),
        person=scans.table.person,
        y=scans.y,
        scores=probabilities_of(scores),
        repeat=np.zeros(len(scans), dtype=np.int64),
    )
    its = figures_of(table, {})[TENFOLD]
    return {"auc": its["auc"]["value"], "interval": its["auc"]["interval"], "accuracy": its["accuracy"]}
