"""The figures of an evaluation as tables for the terminal: person by person, and arm by arm."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from models.outside import printable
from offline.report.words import by_time, fitted_to
from offline.terminal import PlainConsole

SHOWN = (("accuracy", "acc"), ("balanced_accuracy", "bal"), ("auc", "AUC"))
TITLES = {"auc": "AUC", "balanced_accuracy": "balanced accuracy"}


def results_table(figures: Mapping[str, Any]) -> Group:
    """What was found, by person.

    Where labels change within recordings, each person's accuracy, balanced accuracy and AUC; always each
    arm's figures by person with intervals and p.

    Parameters
    ----------
    figures : mapping
        What ``results.json`` holds.
    """
    parts: list[RenderableType] = []
    if figures["primary"]["label_of"] == "event":
        parts.append(_people(figures))
    parts += [_arms(figures), _line(f"{figures['says']}; {figures['protocol']}.")]
    for null in (each for each in (figures["null"], figures["network_null"]) if each is not None):
        name = figures["primary"]["metric"]
        parts.append(
            _line(
                f"Where there is nothing to find ({null['permutations']} permuted labellings, {null['of']}): "
                f"{TITLES[name]} {_number(null['mean'][name])} with SD {_number(null['sd'][name])}."
            )
        )
    return Group(*parts)


def print_amounts(figures: Mapping[str, Any], console: Console | None = None) -> None:
    """Print what `offline.amount_evaluation` found."""
    console = console or PlainConsole()
    if not console.is_terminal:
        console.width = max(console.width, 120)
    table = Table(title=f"{figures['recipe']['name']}: {figures['amount']}, by person")
    table.add_column("")
    for name in ("r", "R2", "MAE"):
        table.add_column(f"{name}\n95 % between people", justify="right")
        table.add_column("p", justify="right")
    for arm, its in figures["arms"].items():
        cells = []
        for name in ("r", "R2", "MAE"):
            cells += [_number(its[name]["value"]) + _interval(its[name]["interval"]), _p(its[name]["p"])]
        table.add_row(arm, *cells)
    console.print(table, _line(f"{figures['says']}; {figures['protocol']}."))


def print_results(figures: Mapping[str, Any], console: Console | None = None) -> None:
    """Print `results_table`, whole lines also where the output is no terminal."""
    console = console or PlainConsole()
    if not console.is_terminal:
        console.width = max(console.width, 160)
    console.print(results_table(figures))


def _people(figures: Mapping[str, Any]) -> Table:
    arms: Mapping[str, Any] = figures["arms"]
    table = Table(
        title=f"{figures['recipe']['name']}: each person judged by what was fitted to {fitted_to(figures)}"
    )
    table.add_column("person")
    table.add_column("windows", justify="right")
    table.add_column("majority\nrate", justify="right")
    for arm in arms:
        table.add_column(f"{arm}\n{' / '.join(short for _, short in SHOWN)}", justify="right")
    first = next(iter(arms.values()))
    for person, its in first["persons"].items():
        own = [_cell(arm["persons"][person]) if person in arm["persons"] else "–" for arm in arms.values()]
        table.add_row(_line(person), str(sum(its["n"].values())), _number(its["majority_rate"]), *own)
    table.add_section()
    mean = [_cell(arm["mean_over_people"]) for arm in arms.values()]
    table.add_row("mean", "", _number(first["mean_over_people"]["majority_rate"]), *mean)
    return table


def _arms(figures: Mapping[str, Any]) -> Table:
    primary = figures["primary"]["metric"]
    order = [primary, *(name for name in TITLES if name != primary)]
    unit = "within each person, mean over people" if by_time(figures) else "by person"
    table = Table(title=f"{figures['recipe']['name']}: {unit}; {TITLES[primary]} was fixed beforehand")
    table.add_column("")
    for name in order:
        of = "over these people" if by_time(figures) else "between people"
        table.add_column(f"{TITLES[name]}\n95 % {of}", justify="right")
        table.add_column("p", justify="right")
    for arm, its in figures["arms"].items():
        cells = []
        for name in order:
            own = its["by_person"][name]
            cells += [_number(own["value"]) + _interval(own["interval"]), _p(own["p"])]
        table.add_row(arm, *cells)
    return table


def _line(text: str) -> Text:
    """A text of ours that may hold names from files."""
    return Text(printable(text, None, lines=True))


def _cell(its: Mapping[str, Any]) -> str:
    return " / ".join(_number(its[name]) for name, _ in SHOWN)


def _interval(ends: tuple[float, float] | None) -> str:
    return "" if ends is None else f" [{ends[0]:.3f}, {ends[1]:.3f}]"


def _p(value: float | None) -> str:
    return "not estimated" if value is None else f"{value:.3f}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
