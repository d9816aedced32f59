"""The plots of a report; each a pure function of the prediction table."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.special import expit

from models.arrays import Floats
from offline.base.predictions import Predictions
from offline.stats.person_metrics import decision_curve
from offline.stats.primary import own_figures, person_scores

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Colours that stay apart for those who do not see red or green."""
BINS = 8


def outcomes(table: Predictions, arm: str, *, by_person: bool) -> Figure:
    """Each person's outcome by one arm.

    Parameters
    ----------
    table : Predictions
        All arms.
    arm : str
        Which.
    by_person : bool
        Whether the label is the person's: their probability; otherwise their own AUC.

    Returns
    -------
    matplotlib.figure.Figure
    """
    own = table.of_arm(arm)
    if by_person:
        scores = person_scores(own)
        value: Floats = np.asarray(expit(np.nanmean(scores.log_odds, axis=0)))
        colours = [COLOURS[int(positive)] for positive in scores.positive]
        people, label = list(scores.people), f"probability of {table.labels[1]}"
    else:
        figures = {person: its for person, its in own_figures(own, "auc").items() if its is not None}
        people, value = list(figures), np.array(list(figures.values()))
        colours, label = [COLOURS[0]] * len(people), "AUC of each person's windows"
    order = np.argsort(value)
    figure = Figure(figsize=(7.0, 1.2 + 0.22 * max(len(people), 3)), layout="constrained")
    axes = figure.add_subplot()
    axes.scatter(value[order], range(len(order)), c=[colours[i] for i in order], s=32)
    axes.axvline(0.5, color="black", linewidth=0.8, linestyle=":")
    axes.set_yticks(range(len(order)), [people[i] for i in order], fontsize=8)
    axes.set_ylim(-0.7, len(order) - 0.3)
    axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel(label)
    if by_person:
        for k, name in enumerate(table.labels):
            axes.scatter([], [], color=COLOURS[k], label=f"really {name}")
        axes.legend(loc="lower right", fontsize=8)
    _plain(axes)
    return figure


def roc(table: Predictions, arms: list[str], *, by_person: bool) -> Figure:
    """ROC curves: by person where the label is theirs, otherwise of each person's windows, averaged.

    Parameters
    ----------
    table : Predictions
        All arms, two labels.
    arms : list of str
        Whose curves.
    by_person : bool
        Whether the label is the person's.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(4.8, 4.6), layout="constrained")
    axes = figure.add_subplot()
    grid = np.linspace(0.0, 1.0, 201)
    for arm, colour in zip(arms, _colours(len(arms)), strict=True):
        curves = [_curve(y, s, grid) for y, s in _groups(table.of_arm(arm), by_person)]
        known = [curve for curve in curves if curve is not None]
        if known:
            axes.plot(np.append(0, grid), np.append(0, np.mean(known, axis=0)), color=colour, label=arm)
    axes.plot([0, 1], [0, 1], color="black", linewidth=0.8, linestyle=":")
    axes.set_aspect("equal")
    axes.set_xlabel("false positives")
    axes.set_ylabel("true positives")
    axes.legend(fontsize=8, loc="lower right")
    _plain(axes)
    return figure


def calibration(table: Predictions, arms: list[str], *, by_person: bool) -> Figure:
    """How often what was said with some probability was true.

    Parameters
    ----------
    table : Predictions
        All arms, two labels.
    arms : list of str
        Whose.
    by_person : bool
        Whether the label is the person's; otherwise windows are counted.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(4.8, 4.6), layout="constrained")
    axes = figure.add_subplot()
    for arm, colour in zip(arms, _colours(len(arms)), strict=True):
        own = table.of_arm(arm)
        if by_person:
            scores = person_scores(own)
            p, y = np.asarray(expit(np.nanmean(scores.log_odds, axis=0))), scores.positive
        else:
            p, y = own.scores[:, 1], own.y == 1
        parts = np.array_split(np.argsort(p, kind="stable"), min(BINS, len(p)))
        said, true = [p[part].mean() for part in parts], [y[part].mean() for part in parts]
        axes.plot(said, true, "o-", color=colour, label=arm)
    axes.plot([0, 1], [0, 1], color="black", linewidth=0.8, linestyle=":")
    axes.set_aspect("equal")
    axes.set_xlabel(f"said probability of {table.labels[1]}")
    axes.set_ylabel(f"share that was {table.labels[1]} ({'people' if by_person else 'windows'})")
    axes.legend(fontsize=8, loc="lower right")
    _plain(axes)
    return figure


def decision(table: Predictions, arms: list[str], prevalence: float | None) -> Figure:
    """Net benefit of acting on what was said of people, beside acting on everybody and on nobody.

    Parameters
    ----------
    table : Predictions
        All arms, two labels, one a person.
    arms : list of str
        Whose.
    prevalence : float or None
        Of the second label; None takes the study's.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(4.8, 4.0), layout="constrained")
    axes = figure.add_subplot()
    everybody: list[dict[str, float]] = []
    for arm, colour in zip(arms, _colours(len(arms)), strict=True):
        scores = person_scores(table.of_arm(arm))
        probability: Floats = np.asarray(expit(np.nanmean(scores.log_odds, axis=0)))
        curve = decision_curve(scores.positive, probability, prevalence)
        if curve is not None:
            everybody = curve
            axes.plot([c["threshold"] for c in curve], [c["benefit"] for c in curve], color=colour, label=arm)
    axes.plot(
        [c["threshold"] for c in everybody], [c["everybody"] for c in everybody], "k--", label="everybody"
    )
    axes.axhline(0.0, color="black", linewidth=0.8, linestyle=":", label="nobody")
    axes.set_ylim(-0.15, None)
    axes.set_xlabel("probability from which one would act")
    axes.set_ylabel("net benefit, true positives a person")
    axes.legend(fontsize=8)
    _plain(axes)
    return figure


def over_time_plot(evidence: Mapping[str, Any]) -> Figure:
    """Accuracy and log loss of people against seconds of recording.

    Parameters
    ----------
    evidence : mapping
        ``over_time`` of ``results.json``.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(9.0, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    for name, colour in (("as_if_independent", "0.6"), ("by_law", COLOURS[0])):
        points = evidence[name]
        seconds = [point["seconds"] for point in points]
        left.plot(seconds, [point["balanced_accuracy"] for point in points], "o-", color=colour)
        right.plot(seconds, [point["log_loss"] for point in points], "o-", color=colour)
        if name == "by_law":
            for point in points:
                if (ends := point["balanced_accuracy_interval"]) is not None:
                    left.plot([point["seconds"]] * 2, ends, color=colour, linewidth=1.0)
    left.axhline(0.5, color="black", linewidth=0.8, linestyle=":")
    right.axhline(np.log(2.0), color="black", linewidth=0.8, linestyle=":")
    left.set_ylim(0.0, 1.02)
    left.set_ylabel("balanced accuracy of people")
    right.set_ylabel("log loss of people, nats")
    for axes in (left, right):
        axes.set_xscale("log")
        seconds = [point["seconds"] for point in evidence["by_law"]]
        axes.set_xticks(seconds, [f"{s:g}" for s in seconds])
        axes.minorticks_off()
        axes.set_xlabel("seconds since the first judged window")
        _plain(axes)
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
    cuts = np.concatenate([[np.inf], np.unique(scores)[::-1]])
    hits = np.array([np.mean(scores[y] >= cut) for cut in cuts])
    alarms = np.array([np.mean(scores[~y] >= cut) for cut in cuts])
    # At one rate of false positives the curve may rise straight up: its top is what counts.
    at, first = np.unique(alarms[::-1], return_index=True)
    return np.asarray(np.interp(grid, at, hits[::-1][first]))


def _colours(n: int) -> list[str]:
    return [COLOURS[i % len(COLOURS)] for i in range(n)]


def _plain(axes: Axes) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
