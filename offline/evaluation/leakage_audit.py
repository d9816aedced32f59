"""What careless protocols would have claimed: each beside the honest one, on true and on permuted labels.

It says what a protocol gives on these recordings, and nothing about any paper: whoever splits windows at
random may still have found something.  The model is the ridge baseline, for it can be fitted often
enough to put an interval around every difference; `offline.evaluation.audit_network` does the same to a
network.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from models.arrays import Floats
from models.private import replace_private, write_private
from offline.base.predictions import Predictions
from offline.base.progress import Tell
from offline.base.sample_table import SampleTable
from offline.base.terminal import PlainConsole
from offline.evaluation.leakage_protocols import CARELESS, AuditWindows, LeakageCondition, run_arms
from offline.stats.intervals import DRAWS, draw_people
from offline.stats.permutation import FEWEST, permuted
from offline.stats.primary import Metric, Pairs, own_figures, person_scores
from offline.stats.primary_figure import primary

Z = 1.96
"""Half the width of a 95 % interval, in standard deviations."""
PERMUTATIONS = 40
"""Permuted labellings, of everything in every arm."""
DIVISIONS = 10
"""Divisions into folds that the figures of the true labels are means of."""


@dataclass(frozen=True, eq=False)
class Audit:
    """Figures of every arm.

    Parameters
    ----------
    metric : {"auc", "balanced_accuracy"}
        Which.
    true : mapping of Arm to (n_divisions,) float64
        With true labels, a division each.
    null : mapping of Arm to (n_permutations,) float64
        With permuted labels, each with a division of its own.
    spread : mapping of Arm to float
        SD of the difference to the honest arm, over draws of people; no number where it is not determined.
    model : str
        What every arm fits.
    """

    metric: Metric
    true: dict[LeakageCondition, Floats]
    null: dict[LeakageCondition, Floats]
    spread: dict[LeakageCondition, float]
    model: str = "ridge"

    def to_json(self) -> dict[str, Any]:
        """Table of the audit, JSON types."""
        arms = {}
        honest, honest_null = (
            float(np.mean(self.true[LeakageCondition.HONEST])),
            self.null[LeakageCondition.HONEST],
        )
        for arm in LeakageCondition:
            value, null = float(np.mean(self.true[arm])), self.null[arm]
            row: dict[str, Any] = {"figure": value, "null_mean": _mean(null), "null_interval": None}
            if len(null) >= FEWEST:
                row["null_interval"] = _mean_interval(null)
            if arm is not LeakageCondition.HONEST:
                apart = null - honest_null
                # Permuting shows how far a difference strays that is none; drawing people, how far one does
                # that depends on who came. The wider of the two is reported.
                spreads = [
                    self.spread[arm],
                    *([float(np.std(apart, ddof=1))] if len(apart) >= FEWEST else []),
                ]
                known = [sd for sd in spreads if np.isfinite(sd)]
                row["more_than_honest"] = value - honest
                row["interval"] = _around(value - honest, max(known)) if known else None
                row["null_more_than_honest"] = _mean(apart)
                row["null_more_interval"] = _mean_interval(apart) if len(apart) >= FEWEST else None
            arms[str(arm)] = row
        return {
            "metric": self.metric,
            "model": self.model,
            "permutations": len(honest_null),
            "divisions": len(self.true[LeakageCondition.HONEST]),
            "arms": arms,
            "says": "what these protocols give on these recordings, where the honest one holds out whole "
            "people (also if the evaluation divides their time); no verdict on any paper",
        }


def audit(
    features: Floats,
    table: SampleTable,
    *,
    by_person: bool,
    metric: Metric = "auc",
    permutations: int = PERMUTATIONS,
    divisions: int = DIVISIONS,
    seed: int = 0,
    tell: Tell,
) -> Audit:
    """Run every arm on true and on permuted labels.

    Parameters
    ----------
    features : (n, n_features) float64
        `offline.estimators.baselines.window_features` of all samples.
    table : SampleTable
        Two labels.
    by_person : bool
        Whether the label is the person's.
    metric : {"auc", "balanced_accuracy"}
        Which figure.
    permutations, divisions : int
        Labellings of the null, and divisions for the true labels.
    seed : int
        What chance follows from.
    tell : callable
        Told of progress.
    """
    windows = AuditWindows.of(features, table, by_person=by_person)
    total = divisions + permutations
    said = []
    for number in range(total):
        tell("audit", number, total, "true labels" if number < divisions else "permuted labels")
        rng = np.random.default_rng([seed, number])
        y = table.target if number < divisions else permuted(table, rng, by_person=by_person)
        said.append(run_arms(windows, y, seed=seed + number))
    tell("audit", total, total, "")
    return audit_of(
        said[:divisions], said[divisions:], metric=metric, by_person=by_person, seed=seed, model="ridge"
    )


def audit_of(
    true: Sequence[Mapping[LeakageCondition, Predictions]],
    null: Sequence[Mapping[LeakageCondition, Predictions]],
    *,
    metric: Metric,
    by_person: bool,
    seed: int,
    model: str,
) -> Audit:
    """Every arm's figures.

    Parameters
    ----------
    true, null : sequence of mapping of Arm to Predictions
        What every arm said, for each division with true labels, and for each permuted labelling.
    metric : {"auc", "balanced_accuracy"}
        Which figure.
    by_person : bool
        Whether the label is the person's.
    seed : int
        Of the draws of people.
    model : str
        What every arm fitted.
    """

    def figure(own: Predictions) -> float:
        value = primary(own, metric, by_person=by_person)
        return np.nan if value is None else value

    spread = {LeakageCondition.HONEST: 0.0}
    for arm in CARELESS:
        each = [_spread(said[arm], said[LeakageCondition.HONEST], metric, by_person, seed) for said in true]
        spread[arm] = float(np.mean(each))
    return Audit(
        metric,
        {arm: np.array([figure(said[arm]) for said in true]) for arm in LeakageCondition},
        {arm: np.array([figure(said[arm]) for said in null]) for arm in LeakageCondition},
        spread,
        model,
    )


def print_audit(found: Audit, console: PlainConsole | None = None) -> None:
    """Print the audit as a table: each protocol beside the honest one, on true and permuted labels."""
    console = console or PlainConsole()
    if console.unlimited:
        console.width = max(console.width, 130)
    values = found.to_json()
    permuted = values["permutations"]
    metric = "AUC" if values["metric"] == "auc" else values["metric"].replace("_", " ")
    table = Table(
        title=f"What each protocol gives here ({metric} by person, {values['model']} model)",
        caption=f"{values['says']}; {permuted or 'no'} permuted labellings",
    )
    head = ("protocol", "true labels", "more than honest", "permuted labels", "more than honest")
    for name in head if permuted else head[:3]:
        table.add_column(name, justify="left" if name == "protocol" else "right")
    for arm, row in values["arms"].items():
        more = _more(row, "more_than_honest", "interval")
        null_more = _more(row, "null_more_than_honest", "null_more_interval")
        mean = "–" if row["null_mean"] is None else f"{row['null_mean']:.3f}"
        table.add_row(arm, f"{row['figure']:.3f}", more, *((mean, null_more) if permuted else ()))
    console.print(table)


def _more(row: dict[str, Any], value: str, interval: str) -> str:
    if row.get(value) is None:
        return ""
    ends = "" if row[interval] is None else f" [{row[interval][0]:+.3f}, {row[interval][1]:+.3f}]"
    return f"{row[value]:+.3f}{ends}"


def write_audit(folder: Path, found: Audit, name: str = "audit") -> None:
    """Write ``audit.json`` and ``audit.png``, or what else ``name`` says."""
    from offline.evaluation.audit_plot import draw_audit

    text = json.dumps(found.to_json(), indent=1, allow_nan=False, ensure_ascii=False)
    write_private(folder / f"{name}.json", text + "\n")
    replace_private(folder / f"{name}.png")
    draw_audit(found).savefig(folder / f"{name}.png", dpi=120)


def _spread(one: Predictions, other: Predictions, metric: Metric, by_person: bool, seed: int) -> float:
    """SD of the difference over draws of people, the same people in both."""
    if not by_person:
        theirs = own_figures(other, metric)
        apart = np.array(
            [
                own - beside
                for person, own in own_figures(one, metric).items()
                if own is not None and (beside := theirs.get(person)) is not None
            ]
        )
        if len(apart) < 2:
            return float("nan")
        drawn = np.random.default_rng(seed).integers(0, len(apart), (DRAWS, len(apart)))
        return float(apart[drawn].mean(axis=1).std(ddof=1))
    first, second = person_scores(one), person_scores(other)
    if min(first.positive.sum(), (~first.positive).sum()) < 2:
        return float("nan")
    times = draw_people(first.positive, seed=seed, draws=DRAWS)
    figures = [Pairs.of(its).figure(metric, its.positive, times) for its in (first, second)]
    return float(np.nanstd(figures[0] - figures[1], ddof=1))


def _mean(values: Floats) -> float | None:
    return float(np.mean(values)) if len(values) else None


def _mean_interval(values: Floats) -> list[float]:
    """An interval for the mean of independent values."""
    return _around(float(np.mean(values)), float(np.std(values, ddof=1)) / np.sqrt(len(values)))


def _around(value: float, sd: float) -> list[float]:
    return [value - Z * sd, value + Z * sd]
