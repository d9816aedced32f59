"""The audit as one picture: careless, honest and null, side by side."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from offline.evaluation.leakage_protocols import LeakageCondition

if TYPE_CHECKING:
    from offline.evaluation.leakage_audit import Audit

HONEST, CARELESS, NULL = "#0072b2", "#d55e00", "#8c8c8c"
"""Colours that stay apart for those who do not see red or green."""
NAMES = {"auc": "AUC by person", "balanced_accuracy": "balanced accuracy by person"}


def draw_audit(found: "Audit") -> Figure:
    """One row an arm: the figure with true labels, and all those with permuted ones.

    Parameters
    ----------
    found : Audit
        What the arms gave.

    Returns
    -------
    matplotlib.figure.Figure
        Belongs to no window; save it.
    """
    arms = list(LeakageCondition)
    figure = Figure(figsize=(9.0, 0.62 * len(arms) + 1.9), layout="constrained")
    axes = figure.add_subplot()
    values = found.to_json()["arms"]
    axes.axvline(0.5, color="black", linewidth=0.8, linestyle=":")
    axes.axvline(values[str(LeakageCondition.HONEST)]["figure"], color=HONEST, linewidth=0.8, linestyle="--")
    for row, arm in enumerate(arms):
        colour = HONEST if arm is LeakageCondition.HONEST else CARELESS
        null = np.sort(found.null[arm])
        # Spread by rank, not by chance: the same audit gives the same picture.
        height = row + 0.17 + 0.12 * ((np.arange(len(null)) * 0.618) % 1.0 - 0.5)
        axes.plot(null, height, ".", color=NULL, markersize=4, label="permuted labels" if row == 0 else None)
        said = f"{values[str(arm)]['figure']:.2f}"
        if len(null):
            axes.plot(null.mean(), row + 0.17, "|", color="black", markersize=13)
            said += f"  (null {null.mean():.2f})"
        axes.plot(values[str(arm)]["figure"], row - 0.17, "o", color=colour, markersize=8)
        axes.annotate(
            said,
            (1.01, row),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=9,
        )
    axes.set_yticks(range(len(arms)), [str(arm) for arm in arms])
    axes.invert_yaxis()
    axes.set_xlim(0.0, 1.02)
    axes.set_xlabel(
        f"{NAMES[found.metric]}, {found.model} model. Circle: true labels. Dots: permuted labels, bar: mean"
    )
    axes.set_title("What each protocol gives on these recordings; no verdict on any paper", fontsize=11)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return figure
