"""What an evaluation found: every condition's figures, their intervals, and what they do not say.

A pure function of the prediction table and of the null.  People are the unit: a mean over
people counts everyone the same, however long they were recorded.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from offline.base.predictions import Predictions
from offline.stats.intervals import (
    PersonPredictions,
    around,
    bootstrap_mean_sd,
    bootstrap_sd,
    null_sd,
    within_person,
)
from offline.stats.metrics import FEWEST_FOR_OTHERS, Figure, figures
from offline.stats.null import Null
from offline.stats.paired_comparison import compared
from offline.stats.permutation import FEWEST, p_value
from offline.stats.person_classes import PersonClasses
from offline.stats.person_metrics import people_figures
from offline.stats.primary import METRICS, Metric, Pairs, own_figures, person_scores

CONDITIONAL = "the recipe's network on permuted labels, settings kept (conditional null)"
NULL_CONDITION = "ridge"
"""The condition whose whole procedure the null repeats; only its p value is of the whole procedure."""


def summary(
    table: Predictions,
    *,
    by_person: bool,
    metric: Metric = "auc",
    prevalence: float | None = None,
    null: Null | None = None,
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
    null : Null or None
        The ridge procedure on permuted labels.
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
        ``compared`` (the first condition less each other), and under ``conditions`` for each ``by_person``,
        ``pooled``, ``persons`` and ``mean_over_people``.
    """
    people = table.people
    first = table.of_condition(table.conditions[0])
    conditions: dict[str, Any] = {}
    for condition in table.conditions:
        own = table.of_condition(condition)
        persons = {person: figures(own.of_person(person)) for person in own.people}
        tell = _of_people if by_person else within_people
        its_null, whole = null_for(condition, table.conditions[0], null, own_null)
        conditions[condition] = {
            "by_person": tell(own, metric, prevalence, its_null, whole, seed),
            "pooled": figures(own),
            "persons": persons,
            "mean_over_people": _mean(persons),
        }
    return {
        "people": len(people),
        "says": what_it_says(len(people), by_time=by_time),
        "primary": {"metric": metric, "unit": "person", "label_of": "person" if by_person else "event"},
        "null": null_figures(null, "the whole ridge procedure on permuted labels"),
        "network_null": null_figures(own_null, CONDITIONAL),
        "conditions": conditions,
        "compared": {
            condition: compared(first, table.of_condition(condition), metric, by_person=by_person, seed=seed)
            for condition in table.conditions[1:]
        },
    }


def what_it_says(n_people: int, *, by_time: bool = False) -> str:
    """The sentence that goes with figures from so many people, or from parts of their recordings."""
    if by_time:
        people = "1 person" if n_people == 1 else f"{n_people} people"
        return (
            f"{people}, each predicted by what saw other parts of their recordings: says nothing about others"
        )
    if n_people < FEWEST_FOR_OTHERS:
        return f"{n_people} {'person' if n_people == 1 else 'people'}: says nothing about others"
    return f"{n_people} people, each predicted by what never saw them"


def null_for(condition: str, own: str, null: Null | None, own_null: Null | None) -> tuple[Null | None, bool]:
    """The null of a condition, and whether that is the null of its whole procedure, so that it gives a p."""
    if own_null is not None and condition == own and own_null.size >= FEWEST:
        return own_null, True
    return null, condition == NULL_CONDITION


def _of_people(
    table: Predictions, metric: Metric, prevalence: float | None, null: Null | None, whole: bool, seed: int
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
    out: dict[str, Any] = {}
    for each in METRICS:
        value = _known(float(people.figure(each, y)[0]))
        sd = None if _few(table) else bootstrap_sd(people, y, each, seed=seed)
        out[each] = _figure(value, sd, each, null, whole, people_vary=False)
    return out | rest


def within_people(
    table: Predictions, metric: Metric, prevalence: float | None, null: Null | None, whole: bool, seed: int
) -> dict[str, Any]:
    """Everybody has a figure of their own; people are averaged.

    Of samples or of blocks of one condition; with the null of the same, and whether it gives a p.
    """
    out: dict[str, Any] = {}
    for each in METRICS:
        own = np.array([v for v in own_figures(table, each).values() if v is not None])
        mean = float(own.mean()) if len(own) else None
        sd = None if _few(table) else bootstrap_mean_sd(own, seed=seed)
        # Permuting blocks knows nothing of how people differ: the wider of the two.
        out[each] = _figure(mean, sd, each, null, whole, people_vary=True)
    if _few(table):
        out["of_each"] = {
            person: [round(end, 4) for end in ends]
            for person, ends in within_person(table, metric, seed=seed).items()
        }
    return out


def _few(table: Predictions) -> bool:
    return len(table.people) < FEWEST_FOR_OTHERS


def _figure(
    value: Figure, sd: float | None, metric: Metric, null: Null | None, whole: bool, *, people_vary: bool
) -> dict[str, Any]:
    """A figure with both its intervals, and its p value where the null is of this very condition."""
    out: dict[str, Any] = {"value": value, "interval": None, "bootstrap": None, "p": None}
    if value is None:
        return out
    if whole and null is not None:
        out["p"] = p_value(value, null.figures[metric])
    if sd is not None:
        out["bootstrap"] = list(around(value, sd))
        chance = None if null is None else null_sd(null.figures[metric])
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
        "mean": {metric: _known(float(np.mean(v))) for metric, v in null.figures.items()},
        "sd": {
            metric: _known(float(np.std(v, ddof=1))) if len(v) > 1 else None  # one permutation has no spread
            for metric, v in null.figures.items()
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
