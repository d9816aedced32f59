"""The figures of an evaluation as a table for the terminal: person by person, arm beside arm."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

SHOWN = (("accuracy", "acc"), ("balanced_accuracy", "bal"), ("auc", "AUC"))


def results_table(figures: Mapping[str, Any]) -> Group:
    """Accuracy, balanced accuracy and AUC of each arm, one row a person.

    Parameters
    ----------
    figures : mapping
        What ``results.json`` holds.
    """
    arms: Mapping[str, Any] = figures["arms"]
    table = Table(title=f"{figures['recipe']['name']}: each person judged by what was fitted to the others")
    table.add_column("person")
    table.add_column("windows", justify="right")
    table.add_column("majority\nrate", justify="right")
    for arm in arms:
        table.add_column(f"{arm}\n{' / '.join(short for _, short in SHOWN)}", justify="right")
    first = next(iter(arms.values()))
    for person, its in first["persons"].items():
        own = [_cell(arm["persons"][person]) for arm in arms.values()]
        table.add_row(person, str(sum(its["n"].values())), _number(its["majority_rate"]), *own)
    table.add_section()
    mean = [_cell(arm["mean_over_people"]) for arm in arms.values()]
    table.add_row("mean", "", _number(first["mean_over_people"]["majority_rate"]), *mean)
    return Group(table, Text(f"{figures['says']}; {figures['protocol']}."))


def print_results(figures: Mapping[str, Any], console: Console | None = None) -> None:
    """Print `results_table`, whole lines also where the output is no terminal."""
    console = console or Console()
    if not console.is_terminal:
        console.width = max(console.width, 160)
    console.print(results_table(figures))


def _cell(its: Mapping[str, Any]) -> str:
    return " / ".join(_number(its[name]) for name, _ in SHOWN)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
