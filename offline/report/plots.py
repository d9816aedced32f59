"""The plots of a report; each a pure function of the prediction table, and a figure of no window.

``table`` has all conditions, ``conditions`` are those that are drawn, ``by_person`` says whether the label
is the person's; otherwise each window has its own.
"""

from collections.abc import Mapping
from itertools import cycle
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from sklearn.metrics import roc_curve

from models.arrays import Floats
from offline.base.predictions import Predictions
from offline.stats.person_metrics import decision_curve
from offline.stats.primary import own_figures, person_scores
from offline.stats.regression import ContinuousPredictions

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Colours that stay apart for those who do not see red or green."""
BINS = 8


def new_figure(width: float, height: float, columns: int = 1) -> tuple[Figure, Any]:
    """A figure of no window, in inches, and its axes without a frame; an array of them for columns."""
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(1, columns)
    for each in np.ravel(axes):
        each.spines[["top", "right"]].set_visible(False)
    return figure, axes


def as_plain_text(figure: Figure) -> Figure:
    """The figure with every text as it is: a name with two dollars is no formula."""
    for text in figure.findobj(Text):
        text.set_parse_math(False)
    return figure


def chance_line(axes: Axes, *, across: bool = False, at: float = 0.5) -> None:
    """A dotted line where chance lies: upright, or across."""
    (axes.axhline if across else axes.axvline)(at, color="black", linewidth=0.8, linestyle=":")


def _legend(axes: Axes, where: Literal["lower right", "best"] = "lower right") -> None:
    """A legend, where anything could be drawn."""
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=8, loc=where)


def _square(x: str, y: str) -> tuple[Figure, Axes]:
    """Axes from 0 to 1 with the diagonal."""
    figure, axes = new_figure(4.8, 4.6)
    axes.plot([0, 1], [0, 1], color="black", linewidth=0.8, linestyle=":")
    axes.set_aspect("equal")
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    return figure, axes


def outcomes(table: Predictions, condition: str, *, by_person: bool) -> Figure:
    """Each person's outcome under one condition."""
    own = table.of_condition(condition)
    if by_person:
        scores = person_scores(own)
        value = scores.probability
        colours = [COLOURS[int(positive)] for positive in scores.positive]
        people, label = list(scores.people), f"probability of {table.labels[1]}"
    else:
        figures = {person: its for person, its in own_figures(own, "auc").items() if its is not None}
        people, value = list(figures), np.array(list(figures.values()))
        colours, label = [COLOURS[0]] * len(people), "AUC of each person's windows"
    order = np.argsort(value)
    figure, axes = new_figure(7.0, 1.2 + 0.22 * max(len(people), 3))
    axes.scatter(value[order], range(len(order)), c=[colours[i] for i in order], s=32)
    chance_line(axes)
    axes.set_yticks(range(len(order)), [people[i] for i in order], fontsize=8)
    axes.set_ylim(-0.7, len(order) - 0.3)
    axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel(label)
    if by_person:
        for k, name in enumerate(table.labels):
            axes.scatter([], [], color=COLOURS[k], label=f"really {name}")
        _legend(axes)
    return figure


def roc(table: Predictions, conditions: list[str], *, by_person: bool) -> Figure:
    """ROC curves: by person where the label is theirs, otherwise of each person's windows, averaged."""
    figure, axes = _square("false positives", "true positives")
    grid = np.linspace(0.0, 1.0, 201)
    for condition, colour in zip(conditions, cycle(COLOURS), strict=False):
        curves = [_curve(y, s, grid) for y, s in _groups(table.of_condition(condition), by_person)]
        known = [curve for curve in curves if curve is not None]
        if known:
            axes.plot(np.append(0, grid), np.append(0, np.mean(known, axis=0)), color=colour, label=condition)
    _legend(axes)
    return figure


def calibration(table: Predictions, conditions: list[str], *, by_person: bool) -> Figure:
    """How often what was predicted with some probability was true."""
    label = table.labels[1]
    unit = "people" if by_person else "windows"
    figure, axes = _square(f"predicted probability of {label}", f"share that was {label} ({unit})")
    for condition, colour in zip(conditions, cycle(COLOURS), strict=False):
        own = table.of_condition(condition)
        if by_person:
            scores = person_scores(own)
            p, y = scores.probability, scores.positive
        else:
            p, y = own.scores[:, 1], own.y == 1
        bins = np.array_split(np.argsort(p, kind="stable"), min(BINS, len(p)))
        predicted, true = ([values[own].mean() for own in bins] for values in (p, y))
        axes.plot(predicted, true, "o-", color=colour, label=condition)
    _legend(axes)
    return figure


def decision(table: Predictions, conditions: list[str], prevalence: float | None) -> Figure:
    """Net benefit of acting on what was predicted of people, next to acting on everybody and on nobody."""
    figure, axes = new_figure(4.8, 4.0)
    everybody: list[dict[str, float]] = []

    def plot(curve: list[dict[str, float]], what: str, style: str = "-", **options: str) -> None:
        axes.plot([c["threshold"] for c in curve], [c[what] for c in curve], style, **options)

    for condition, colour in zip(conditions, cycle(COLOURS), strict=False):
        scores = person_scores(table.of_condition(condition))
        curve = decision_curve(scores.positive, scores.probability, prevalence)
        if curve is not None:
            everybody = curve
            plot(curve, "benefit", color=colour, label=condition)
    plot(everybody, "everybody", "k--", label="everybody")
    axes.axhline(0.0, color="black", linewidth=0.8, linestyle=":", label="nobody")
    axes.set_ylim(-0.15, None)
    axes.set_xlabel("probability from which one would act")
    axes.set_ylabel("net benefit, true positives a person")
    _legend(axes, "best")
    return figure


def predicted_and_reported(table: ContinuousPredictions) -> Figure:
    """What was predicted of everybody against what was reported."""
    figure, axes = new_figure(4.8, 4.6)
    axes.plot(table.y, table.predicted, "o", color=COLOURS[0], alpha=0.6, markersize=4)
    axes.axline((float(table.y.mean()),) * 2, slope=1.0, color="black", linewidth=0.8, linestyle=":")
    axes.set_xlabel("reported")
    axes.set_ylabel("predicted")
    return figure


def over_time_plot(evidence: Mapping[str, Any]) -> Figure:
    """Accuracy and log loss of people against seconds of recording."""
    figure, (left, right) = new_figure(9.0, 3.8, columns=2)
    for name, colour in (("as_if_independent", "0.6"), ("by_law", COLOURS[0])):
        points = evidence[name]
        seconds = [point["seconds"] for point in points]
        left.plot(seconds, [point["balanced_accuracy"] for point in points], "o-", color=colour)
        right.plot(seconds, [point["log_loss"] for point in points], "o-", color=colour)
        if name == "by_law":
            for point in points:
                if (ends := point["balanced_accuracy_interval"]) is not None:
                    left.plot([point["seconds"]] * 2, ends, color=colour, linewidth=1.0)
    chance_line(left, across=True)
    chance_line(right, across=True, at=float(np.log(2.0)))
    left.set_ylim(0.0, 1.02)
    left.set_ylabel("balanced accuracy of people")
    right.set_ylabel("log loss of people, nats")
    for axes in (left, right):
        axes.set_xscale("log")
        seconds = [point["seconds"] for point in evidence["by_law"]]
        axes.set_xticks(seconds, [f"{s:g}" for s in seconds])
        axes.minorticks_off()
        axes.set_xlabel("seconds since the first predicted window")
    return figure


def over_block_plot(courses: Mapping[str, Any], chance: float) -> Figure:
    """Balanced accuracy over the course of a block, by condition: by its newest window, and by all so far."""
    figure, panels = new_figure(9.0, 3.8, columns=2)
    what = {"window": "by the newest window alone", "so_far": "by all windows of the block so far"}
    for axes, (key, title) in zip(panels, what.items(), strict=True):
        for (name, points), colour in zip(courses.items(), cycle(COLOURS), strict=False):
            known = [point for point in points if point[key]["value"] is not None]
            seconds = [point["seconds"] for point in known]
            axes.plot(seconds, [p[key]["value"] for p in known], "o-", markersize=3, color=colour, label=name)
            sure = [point for point in known if point[key]["interval"] is not None]
            ends = np.array([point[key]["interval"] for point in sure]).reshape(-1, 2)
            axes.fill_between([p["seconds"] for p in sure], *ends.T, color=colour, alpha=0.18, linewidth=0)
        chance_line(axes, across=True, at=chance)
        axes.set_title(title, fontsize=10)
        axes.set_xlabel("seconds since the block's start")
        axes.set_ylabel("balanced accuracy by person")
    low = min(axes.get_ylim()[0] for axes in panels)
    high = max(axes.get_ylim()[1] for axes in panels)
    for axes in panels:
        axes.set_ylim(max(low, -0.02), min(high, 1.02))
    _legend(panels[0], "best")
    return figure


def _groups(own: Predictions, by_person: bool) -> list[tuple[npt.NDArray[np.bool_], Floats]]:
    """Truth and scores, as they may be compared: people of a round, or windows of a person."""
    if by_person:
        scores = person_scores(own)
        rows = [np.isfinite(row) for row in scores.log_odds]
        return [(scores.positive[here], row[here]) for here, row in zip(rows, scores.log_odds, strict=True)]
    keys = np.char.add(np.char.add(own.rounds, "\n"), own.person)
    return [(own.y[keys == key] == 1, own.scores[keys == key, 1]) for key in np.unique(keys)]


def _curve(y: npt.NDArray[np.bool_], scores: Floats, grid: Floats) -> Floats | None:
    """True positives at each rate of false ones, or None where a label is absent."""
    if y.all() or not y.any():
        return None
    alarms, hits, _ = roc_curve(y, scores, drop_intermediate=False)
    # At one rate of false positives the curve may rise straight up: its top is what counts.
    at, first = np.unique(alarms[::-1], return_index=True)
    return np.asarray(np.interp(grid, at, hits[::-1][first]))
