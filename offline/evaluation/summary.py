"""What an evaluation found: every condition's figures, their intervals, and what they do not say.

A pure function of the prediction table and of the null.  People are the unit: a mean over
people counts everyone the same, however long they were recorded.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from offline.base.predictions import Predictions
from offline.evaluation.nulls import RidgeNulls
from offline.stats.intervals import (
    PersonPredictions,
    around,
    bootstrap_mean_sd,
    bootstrap_sd,
    null_sd,
    within_person,
)
from offline.stats.label_order import LabelOrder
from offline.stats.metrics import FEWEST_FOR_OTHERS, Figure, figures
from offline.stats.null import Null
from offline.stats.paired_comparison import compared
from offline.stats.permutation import FEWEST
from offline.stats.person_classes import PersonClasses
from offline.stats.person_metrics import people_figures
from offline.stats.primary import METRICS, Metric, Pairs, own_figures, person_scores

CONDITIONAL = "the recipe's network on permuted labels, settings kept (conditional null)"
CONDITIONAL_ORDER = "the recipe's network on other orders common to all, settings kept (conditional null)"
NULL_CONDITION = "ridge"
"""The condition whose whole procedure the null repeats; only its p value is of the whole procedure."""
NO_NULLS = RidgeNulls(None)


@dataclass(frozen=True, eq=False)
class NullsOfFigures:
    """Nulls of a condition's figures: for intervals, for p, and for the p that is shown beside it."""

    spread: Null | None
    fitting: Null | None = None
    beside: Null | None = None

    @property
    def of_blocks(self) -> "NullsOfFigures":
        """The same for figures by block."""
        each = (None if null is None else null.of_blocks for null in (self.spread, self.fitting, self.beside))
        return NullsOfFigures(*each)


def summary(
    table: Predictions,
    *,
    by_person: bool,
    metric: Metric = "auc",
    prevalence: float | None = None,
    nulls: RidgeNulls = NO_NULLS,
    order: LabelOrder | None = None,
    own_null: Null | None = None,
    seed: int = 0,
    by_time: bool = False,
) -> dict[str, Any]:
    """Every condition's figures: by person with intervals, of each person, and over all samples.

    Parameters
    ----------
    table : Predictions
        All conditions.
    by_person : bool
        Whether the label is the person's.
    metric : {"auc", "balanced_accuracy"}
        What the recipe fixed beforehand.
    prevalence : float or None
        Share of people with the second label where the classifier would be used.
    nulls : RidgeNulls
        The ridge procedure on permuted labels.
    order : LabelOrder or None
        The orders of labels that change within recordings.
    own_null : Null or None
        The first condition on permuted labels, its settings kept.
    seed : int
        Of the bootstrap.
    by_time : bool
        Whether parts of recordings were held out, not people.

    Returns
    -------
    dict
        JSON types: ``people`` (how many), ``says`` (what the figures do not say), ``primary``, ``null``,
        ``order`` (`_order`), ``compared`` (the first condition less each other), and under ``conditions`` for
        each ``by_person``, ``pooled``, ``persons`` and ``mean_over_people``.
    """
    people = table.people
    first = table.of_condition(table.conditions[0])
    conditions: dict[str, Any] = {}
    for condition in table.conditions:
        own = table.of_condition(condition)
        persons = {person: figures(own.of_person(person)) for person in own.people}
        tell = _of_people if by_person else within_people
        its = nulls_for(condition, table.conditions[0], nulls, order, own_null)
        conditions[condition] = {
            "by_person": tell(own, metric, prevalence, its, seed),
            "pooled": figures(own),
            "persons": persons,
            "mean_over_people": _mean(persons),
        }
    return {
        "people": len(people),
        "units": table.n_units,
        "says": what_it_says(len(people), by_time=by_time, n_units=table.n_units),
        "primary": {"metric": metric, "unit": "person", "label_of": "person" if by_person else "event"},
        "null": null_figures(nulls.usual, "the whole ridge procedure on permuted labels"),
        "order": None if order is None else _order(order, nulls, first, seed),
        "network_null": null_figures(
            own_null, CONDITIONAL_ORDER if order is not None and order.shared else CONDITIONAL
        ),
        "conditions": conditions,
        "compared": {
            condition: compared(first, table.of_condition(condition), metric, by_person=by_person, seed=seed)
            for condition in table.conditions[1:]
        },
    }


def _order(order: LabelOrder, nulls: RidgeNulls, table: Predictions, seed: int) -> dict[str, Any]:
    """The order of labels, what other common orders give, and what is left when position is taken out."""
    out = order.described(table.labels) | {"null": None, "position_removed": None}
    if nulls.order is not None:
        out["null"] = null_figures(nulls.order, "the whole ridge procedure on other orders common to all")
    if nulls.position is not None:
        position = nulls.position
        figures = {}
        for metric in METRICS:
            own, unit = np.array(list(position.own[metric].values())), table.units(list(position.own[metric]))
            mean = _known(float(own.mean())) if len(own) else None
            sd = None if _few(table) else bootstrap_mean_sd(own, seed=seed, unit=unit)
            figures[metric] = {
                "value": mean,
                "bootstrap": None if mean is None or sd is None else list(around(mean, sd)),
                "p": None if mean is None else position.null.p(mean, metric),
            }
        out["position_removed"] = {
            "terms": position.terms,
            "label_share": round(position.label_share, 6),
            "figures": figures,
            "null": null_figures(position.null, "the same on other orders common to all"),
        }
    return out


def what_it_says(n_people: int, *, by_time: bool = False, n_units: int | None = None) -> str:
    """The sentence that goes with figures from so many people, or from parts of their recordings.

    Of so many units, where some were measured together.
    """
    if by_time:
        people = "1 person" if n_people == 1 else f"{n_people} people"
        return (
            f"{people}, each predicted by what saw other parts of their recordings: says nothing about others"
        )
    if n_units is not None and n_units < n_people:
        units = (
            f"{n_people} people in {n_units} units of those measured together (each on one side of every "
            "division, drawn and permuted as one)"
        )
        if n_units < FEWEST_FOR_OTHERS:
            return f"{units}: says nothing about others"
        return f"{units}, each predicted by what saw nobody of the unit"
    if n_people < FEWEST_FOR_OTHERS:
        return f"{n_people} {'person' if n_people == 1 else 'people'}: says nothing about others"
    return f"{n_people} people, each predicted by what never saw them"


def nulls_for(
    condition: str, own: str, nulls: RidgeNulls, order: LabelOrder | None, own_null: Null | None
) -> NullsOfFigures:
    """The nulls of a condition's figures, where ``own`` is the recipe's own model."""
    if own_null is not None and condition == own and own_null.size >= FEWEST:
        # Other orders show what position gives, not how figures of people vary: no spread of theirs.
        return NullsOfFigures(nulls.usual if order is not None and order.shared else own_null, own_null)
    if condition == NULL_CONDITION:
        return NullsOfFigures(nulls.usual, nulls.fitting, None if nulls.order is None else nulls.usual)
    return NullsOfFigures(spread=nulls.usual)


def _of_people(
    table: Predictions, metric: Metric, prevalence: float | None, nulls: NullsOfFigures, seed: int
) -> dict[str, Any]:
    """A person is predicted once."""
    people: PersonPredictions
    if len(table.labels) == 2:
        scores = person_scores(table)
        people = pairs = Pairs.of(scores)
        y: npt.NDArray[Any] = scores.positive
        rest = people_figures(scores, pairs, prevalence)
    else:
        people = classes = PersonClasses.of(table)
        y, rest = classes.y, classes.figures(table.labels)
    unit = table.units(table.people)
    out: dict[str, Any] = {}
    for each in METRICS:
        value = _known(float(people.figure(each, y)[0]))
        sd = None if _few(table) else bootstrap_sd(people, y, each, seed=seed, unit=unit)
        out[each] = _figure(value, sd, each, nulls, people_vary=False)
    return out | rest


def within_people(
    table: Predictions, metric: Metric, prevalence: float | None, nulls: NullsOfFigures, seed: int
) -> dict[str, Any]:
    """Everybody has a figure of their own; people are averaged.

    Of samples or of blocks of one condition; with the null of the same, and whether it gives a p.
    """
    out: dict[str, Any] = {}
    for each in METRICS:
        known = {name: v for name, v in own_figures(table, each).items() if v is not None}
        own, unit = np.array(list(known.values())), table.units(list(known))
        mean = float(own.mean()) if len(own) else None
        sd = None if _few(table) else bootstrap_mean_sd(own, seed=seed, unit=unit)
        # Permuting blocks knows nothing of how people differ: the wider of the two.
        out[each] = _figure(mean, sd, each, nulls, people_vary=True)
    if _few(table):
        out["of_each"] = {
            person: [round(end, 4) for end in ends]
            for person, ends in within_person(table, metric, seed=seed).items()
        }
    return out


def _few(table: Predictions) -> bool:
    return table.n_units < FEWEST_FOR_OTHERS


def _figure(
    value: Figure, sd: float | None, metric: Metric, nulls: NullsOfFigures, *, people_vary: bool
) -> dict[str, Any]:
    """A figure with both its intervals, and its p value where a null is of this very condition."""
    out: dict[str, Any] = {"value": value, "interval": None, "bootstrap": None, "p": None}
    if value is None:
        return out
    if nulls.fitting is not None:
        out["p"] = nulls.fitting.p(value, metric)
    if nulls.beside is not None:
        out["p_within_recordings"] = nulls.beside.p(value, metric)
    if sd is not None:
        out["bootstrap"] = list(around(value, sd))
        spread = nulls.spread
        chance = None if spread is None else null_sd(spread.figures[metric])
        if chance is not None:
            out["interval"] = list(around(value, max(chance, sd) if people_vary else chance))
    return out


def null_figures(null: Null | None, of: str) -> dict[str, Any] | None:
    """What a null's figures are like; JSON types, None where there is none."""
    if null is None:
        return None
    return {
        "of": of,
        "permutations": null.size,
        "exact": null.exact,
        "mean": {metric: _known(float(np.mean(v))) if len(v) else None for metric, v in null.figures.items()},
        "sd": {
            metric: _known(float(np.std(v, ddof=1))) if len(v) > 1 else None  # one permutation has no spread
            for metric, v in null.figures.items()
        },
        "greatest": {
            metric: _known(float(np.max(v))) if len(v) else None for metric, v in null.figures.items()
        },
    }


def _known(value: float) -> Figure:
    return value if np.isfinite(value) else None


def _mean(persons: Mapping[str, Mapping[str, Any]]) -> dict[str, Figure]:
    """Mean over those people for whom a figure is determined."""
    names = ("majority_rate", "accuracy", "balanced_accuracy", "auc", "mcc", "brier")
    out: dict[str, Figure] = {}
    for name in names:
        values = [its[name] for its in persons.values() if its[name] is not None]
        out[name] = float(np.mean(values)) if values else None
    return out
