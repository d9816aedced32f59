"""The figures of an evaluation as tables for the terminal: person by person, and arm by arm."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from models.outside import printable
from offline.base.terminal import PlainConsole
from offline.report.words import by_time, fitted_to

SHOWN = (("accuracy", "acc"), ("balanced_accuracy", "bal"), ("auc", "AUC"))
WIDEST = 1000
"""Columns in which any table has room."""
TITLES = {"auc": "AUC", "balanced_accuracy": "balanced accuracy"}


def results_table(figures: Mapping[str, Any], *, narrow: bool = False) -> Group:
    """What was found, by person.

    Where labels change within recordings, each person's accuracy, balanced accuracy and AUC; always each
    arm's figures by person with intervals and p.

    Parameters
    ----------
    figures : mapping
        What ``results.json`` holds.
    narrow : bool
        Whether of each person only the primary figure is shown.
    """
    parts: list[RenderableType] = []
    if figures["primary"]["label_of"] == "event":
        parts.append(_people(figures, narrow=narrow))
    parts += [_arms(figures), _line(f"{figures['says']}; {figures['protocol']}.")]
    for null in (each for each in (figures["null"], figures["network_null"]) if each is not None):
        name = figures["primary"]["metric"]
        parts.append(
            _line(
                f"Where there is nothing to find ({null['permutations']} permutations, {null['of']}): "
                f"{TITLES[name]} {_number(null['mean'][name])} with SD {_number(null['sd'][name])}."
            )
        )
    return Group(*parts)


def print_amounts(figures: Mapping[str, Any], console: Console | None = None) -> None:
    """Print what `offline.evaluation.people` found."""
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
    """Print `results_table`: whole lines where the output is no terminal, fewer figures on a narrow one."""
    console = console or PlainConsole()
    whole = results_table(figures)
    needed = max(
        console.measure(part, options=console.options.update(width=WIDEST)).maximum
        for part in whole.renderables
        if isinstance(part, Table)
    )
    if not console.is_terminal:
        console.width = max(console.width, needed)
    console.print(results_table(figures, narrow=True) if needed > console.width else whole)


def _people(figures: Mapping[str, Any], *, narrow: bool) -> Table:
    arms: Mapping[str, Any] = figures["arms"]
    primary = figures["primary"]["metric"]
    shown = [(name, short) for name, short in SHOWN if not narrow or name == primary]
    title = f"{figures['recipe']['name']}: each person judged by what was fitted to {fitted_to(figures)}"
    others = ", ".join(short for name, short in SHOWN if name != primary)
    table = Table(
        title=f"{title}; {TITLES[primary]}" if narrow else title,
        caption=f"{others} of each person: in results.json, and on a wider terminal" if narrow else None,
    )
    table.add_column("person", overflow="fold")
    table.add_column("windows", justify="right")
    if not narrow:
        table.add_column("majority\nrate", justify="right")
    for arm in arms:
        head = arm if narrow else f"{arm}\n{' / '.join(short for _, short in shown)}"
        table.add_column(head, justify="right", overflow="fold")
    first = next(iter(arms.values()))

    def add(name: Text | str, windows: str, its: Mapping[str, Any], own: list[str]) -> None:
        table.add_row(name, windows, *([] if narrow else [_number(its["majority_rate"])]), *own)

    for person, its in first["persons"].items():
        each = [arm["persons"].get(person) for arm in arms.values()]
        own = ["–" if found is None else _cell(found, shown) for found in each]
        add(_line(person), str(sum(its["n"].values())), its, own)
    table.add_section()
    add("mean", "", first["mean_over_people"], [_cell(a["mean_over_people"], shown) for a in arms.values()])
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


def _cell(its: Mapping[str, Any], shown: Sequence[tuple[str, str]]) -> str:
    return " / ".join(_number(its[name]) for name, _ in shown)


def _interval(ends: tuple[float, float] | None) -> str:
    return "" if ends is None else f" [{ends[0]:.3f}, {ends[1]:.3f}]"


def _p(value: float | None) -> str:
    return "not estimated" if value is None else f"{value:.3f}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
