"""A leakage audit as a table and as a picture: pure functions of what ``audit.json`` holds.

Honest rows stand above the protocols whose twin they are.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from offline.base.terminal import PlainConsole

HONEST_COLOUR, LEAKY_COLOUR, NULL_COLOUR = "#0072b2", "#d55e00", "#8c8c8c"
"""Colours that stay apart for those who do not see red or green."""
NAMES = {"auc": "AUC"}
UNITS = {"person": "by person", "sample": "by scan or part"}


def conditions(audit: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any] | None]]:
    """Every condition in order: its name, its figures, and a protocol's difference to the twin above it.

    Parameters
    ----------
    audit : mapping
        What ``audit.json`` holds.

    Yields
    ------
    str, mapping, mapping or None
        None for an honest twin.
    """
    twin = None
    for name, its in audit["protocols"].items():
        if its["honest"] != twin:
            twin = its["honest"]
            yield "honest", twin, None
        yield name, its["leaky"], its["difference"]


def audit_table(audit: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Head and rows: every metric on true and on permuted labels, and how much more than honest the first is.

    Parameters
    ----------
    audit : mapping
        What ``audit.json`` holds.
    """
    metrics, permuted = audit["metrics"], audit["permutations"] > 0

    def shown(true: str, of_permuted: str) -> list[str]:
        return [true, of_permuted] if permuted else [true]

    head = ["protocol", *(cell for each in metrics for cell in shown(metric_name(each), "permuted labels"))]
    head += shown("more than honest", "permuted labels")
    rows = []
    for name, its, difference in conditions(audit):
        row = [name]
        for metric in metrics:
            row += shown(_number(its[metric]["value"]), _number(its[metric]["permuted"]["mean"]))
        more = None if difference is None else difference[metrics[0]]
        rows.append(row + shown(_more(more, "value"), _more(more and more["permuted"], "mean")))
    return head, rows


def print_audit(audit: Mapping[str, Any], console: Console | None = None) -> None:
    """Print the audit: each protocol beside its honest twin, on true and on permuted labels."""
    console = console or PlainConsole()
    if not console.is_terminal:
        console.width = max(console.width, 130)
    head, rows = audit_table(audit)
    table = Table(
        title=f"What each protocol gives here ({UNITS[audit['unit']]}, {audit['model']} model)",
        caption=f"{audit['says']}; {audit['permutations'] or 'no'} permutations of the labels",
    )
    for i, name in enumerate(head):
        table.add_column(name, justify="right" if i else "left")
    for row in rows:
        table.add_row(*row)
    console.print(table)


def draw_audit(audit: Mapping[str, Any]) -> Figure:
    """One row a condition: the first metric with true labels, and all those with permuted ones.

    Parameters
    ----------
    audit : mapping
        What ``audit.json`` holds.

    Returns
    -------
    matplotlib.figure.Figure
        Belongs to no window; save it.
    """
    metric, each = audit["metrics"][0], list(conditions(audit))
    figure = Figure(figsize=(9.0, 0.62 * len(each) + 1.9), layout="constrained")
    axes = figure.add_subplot()
    axes.axvline(0.5, color="black", linewidth=0.8, linestyle=":")
    honest = None
    for row, (_, its, difference) in enumerate(each):
        value, null = its[metric]["value"], its[metric]["permuted"]
        honest = value if difference is None else honest
        if honest is not None:
            axes.vlines(honest, row - 0.5, row + 0.5, HONEST_COLOUR, "--", linewidth=0.8)
        label = _number(value)
        # Spread by rank, not by chance: the same audit gives the same picture.
        dots = sorted(x for x in null["values"] if x is not None)
        heights = [row + 0.17 + 0.12 * ((i * 0.618) % 1.0 - 0.5) for i in range(len(dots))]
        axes.plot(dots, heights, ".", color=NULL_COLOUR, markersize=4)
        if null["mean"] is not None:
            axes.plot(null["mean"], row + 0.17, "|", color="black", markersize=13)
            label += f"  (null {null['mean']:.2f})"
        if value is not None:
            colour = HONEST_COLOUR if difference is None else LEAKY_COLOUR
            axes.plot(value, row - 0.17, "o", color=colour, markersize=8)
        axes.annotate(label, (1.01, row), xycoords=("axes fraction", "data"), va="center", fontsize=9)
    axes.set_yticks(range(len(each)), [name for name, _, _ in each])
    axes.invert_yaxis()
    axes.set_xlim(0.0, 1.02)
    axes.set_xlabel(
        f"{metric_name(metric)} {UNITS[audit['unit']]}, {audit['model']} model. Circle: true labels. "
        "Dots: permuted labels, bar: mean"
    )
    axes.set_title("What each protocol gives on these data; no verdict on any paper", fontsize=11)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return figure


def metric_name(metric: str) -> str:
    """As tables say it."""
    return NAMES.get(metric, metric.replace("_", " "))


def _more(its: Mapping[str, Any] | None, key: str) -> str:
    if its is None or its[key] is None:
        return ""
    ends = "" if its["interval"] is None else f" [{its['interval'][0]:+.3f}, {its['interval'][1]:+.3f}]"
    return f"{its[key]:+.3f}{ends}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
