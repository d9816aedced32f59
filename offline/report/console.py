"""Figures as tables for the terminal: person by person, condition by condition, and those of audits."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from models.outside import printable
from offline.base.terminal import PlainConsole
from offline.report.cells import figure_of, number, p_value
from offline.report.leakage import UNITS, audit_table
from offline.report.words import METRICS, by_time, fitted_to

AMOUNTS = ("r", "R2", "MAE")
SHOWN = (("accuracy", "acc"), ("balanced_accuracy", "bal"), ("auc", "AUC"))
WIDEST = 1000
"""Columns in which any table has room."""
WIDTH_OF_A_FILE = 130
"""Columns of tables of few figures where the output is no terminal."""


def results_table(figures: Mapping[str, Any], *, narrow: bool = False) -> Group:
    """What was found, by person.

    Where labels change within recordings, each person's accuracy, balanced accuracy and AUC (if ``narrow``
    only the primary figure); always the figures of each condition by person with intervals and p.
    """
    parts: list[RenderableType] = []
    if figures["primary"]["label_of"] == "event":
        parts.append(_people(figures, narrow=narrow))
    parts += [_conditions(figures), _line(f"{figures['says']}; {figures['protocol']}.")]
    for null in (each for each in (figures["null"], figures["network_null"]) if each is not None):
        name = figures["primary"]["metric"]
        parts.append(
            _line(
                f"Where there is nothing to find ({null['permutations']} permutations, {null['of']}): "
                f"{METRICS[name]} {number(null['mean'][name])} with SD {number(null['sd'][name])}."
            )
        )
    return Group(*parts)


def print_continuous(figures: Mapping[str, Any], console: PlainConsole | None = None) -> None:
    """Print what an evaluation of an amount found."""
    title = f"{figures['recipe']['name']}: {figures['continuous_target']}, by person"
    table = _figures(title, figures["conditions"], dict(zip(AMOUNTS, AMOUNTS, strict=True)), "between people")
    _wide(console).print(table, _line(f"{figures['says']}; {figures['protocol']}."))


def print_audit(audit: Mapping[str, Any], console: PlainConsole | None = None) -> None:
    """Print a leakage audit: each protocol paired with its honest twin, on true and on permuted labels."""
    its = audit_table(audit)
    table = Table(
        title=f"What each protocol gives here ({UNITS[audit['unit']]}, {audit['model']} model)",
        caption=f"{audit['says']}; {audit['permutations'] or 'no'} permutations of the labels",
    )
    for i, name in enumerate(its.head):
        table.add_column(name, justify="right" if i else "left")
    for row in its.rows:
        table.add_row(*row)
    _wide(console).print(table)


def _wide(console: PlainConsole | None) -> PlainConsole:
    console = console or PlainConsole()
    if console.unlimited:
        console.width = max(console.width, WIDTH_OF_A_FILE)
    return console


def print_results(figures: Mapping[str, Any], console: PlainConsole | None = None) -> None:
    """Print `results_table`: whole lines where the output is no terminal, fewer figures on a narrow one."""
    console = console or PlainConsole()
    whole = results_table(figures)
    needed = max(
        console.measure(part, options=console.options.update(width=WIDEST)).maximum
        for part in whole.renderables
        if isinstance(part, Table)
    )
    if console.unlimited:
        console.width = max(console.width, needed)
    console.print(results_table(figures, narrow=True) if needed > console.width else whole)


def _people(figures: Mapping[str, Any], *, narrow: bool) -> Table:
    conditions: Mapping[str, Any] = figures["conditions"]
    primary = figures["primary"]["metric"]
    shown = [(name, short) for name, short in SHOWN if not narrow or name == primary]
    title = f"{figures['recipe']['name']}: each person predicted by what was fitted to {fitted_to(figures)}"
    others = ", ".join(short for name, short in SHOWN if name != primary)
    table = Table(
        title=f"{title}; {METRICS[primary]}" if narrow else title,
        caption=f"{others} of each person: in results.json, and on a wider terminal" if narrow else None,
    )
    table.add_column("person", overflow="fold")
    table.add_column("windows", justify="right")
    if not narrow:
        table.add_column("majority\nrate", justify="right")
    for name in conditions:
        head = name if narrow else f"{name}\n{' / '.join(short for _, short in shown)}"
        table.add_column(head, justify="right", overflow="fold")
    first = next(iter(conditions.values()))

    def add(name: Text | str, windows: str, its: Mapping[str, Any], own: list[str]) -> None:
        table.add_row(name, windows, *([] if narrow else [number(its["majority_rate"])]), *own)

    for person, its in first["persons"].items():
        each = [own["persons"].get(person) for own in conditions.values()]
        own = ["–" if found is None else _cell(found, shown) for found in each]
        add(_line(person), str(sum(its["n"].values())), its, own)
    table.add_section()
    means = [own["mean_over_people"] for own in conditions.values()]
    add("mean", "", means[0], [_cell(its, shown) for its in means])
    return table


def _conditions(figures: Mapping[str, Any]) -> Table:
    primary = figures["primary"]["metric"]
    names = {name: METRICS[name] for name in (primary, *METRICS)}
    unit = "within each person, mean over people" if by_time(figures) else "by person"
    title = f"{figures['recipe']['name']}: {unit}; {METRICS[primary]} was fixed beforehand"
    conditions = {name: its["by_person"] for name, its in figures["conditions"].items()}
    return _figures(title, conditions, names, "over these people" if by_time(figures) else "between people")


def _figures(title: str, conditions: Mapping[str, Any], names: Mapping[str, str], of: str) -> Table:
    """A row a condition: each figure with its interval and p."""
    table = Table(title=title)
    table.add_column("")
    for name in names.values():
        table.add_column(f"{name}\n95 % {of}", justify="right")
        table.add_column("p", justify="right")
    for condition, its in conditions.items():
        cells = ((figure_of(its[name]), p_value(its[name]["p"])) for name in names)
        table.add_row(condition, *(cell for pair in cells for cell in pair))
    return table


def _line(text: str) -> Text:
    """A text of ours that may hold names from files."""
    return Text(printable(text, None, lines=True))


def _cell(its: Mapping[str, Any], shown: Sequence[tuple[str, str]]) -> str:
    return " / ".join(number(its[name]) for name, _ in shown)
