"""Figures as tables for the terminal: person by person, condition by condition, and those of audits."""

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from models.outside import printable
from offline.base.terminal import PlainConsole
from offline.report.blocks import counted, lost_words, transfer_words
from offline.report.cells import figure_of, number, p_value
from offline.report.leakage import UNITS, audit_table
from offline.report.order_words import null_lines, order_words, p_head
from offline.report.page import Row, TextTable
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
    if (blocks := figures["by_block"]) is not None:
        parts += [_blocks(figures, blocks), _line(counted(blocks)), _line(lost_words(blocks))]
        parts += [_line(transfer_words(name, own)) for name, own in blocks["transfer"].items()]
    parts += [_line(text) for text in null_lines(figures)]
    parts += [_line(text) for text in order_words(figures)]
    return Group(*parts)


def print_continuous(figures: Mapping[str, Any]) -> None:
    """Print what an evaluation of an amount found."""
    title = f"{figures['recipe']['name']}: {figures['continuous_target']}, by person"
    table = _figures(title, figures["conditions"], dict(zip(AMOUNTS, AMOUNTS, strict=True)), "between people")
    _wide().print(table, _line(f"{figures['says']}; {figures['protocol']}."))


def print_audit(audit: Mapping[str, Any]) -> None:
    """Print a leakage audit: each protocol paired with its honest twin, on true and on permuted labels."""
    title = f"What each protocol gives here ({UNITS[audit['unit']]}, {audit['model']} model)"
    caption = f"{audit['says']}; {audit['permutations'] or 'no'} permutations of the labels"
    _wide().print(_table(audit_table(audit), title, caption))


def _table(its: TextTable, title: str, caption: str | None = None, *, last_apart: bool = False) -> Table:
    """For the terminal: the first cell of a row is its name."""
    table = Table(title=title, caption=caption)
    for i, name in enumerate(its.head):
        table.add_column(name, justify="right" if i else "left", overflow="fold")
    for i, row in enumerate(its.rows):
        table.add_row(*row, end_section=last_apart and i == len(its.rows) - 2)
    return table


def _wide() -> PlainConsole:
    console = PlainConsole()
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
    of_each = " / ".join(short for _, short in shown)
    heads = list(conditions) if narrow else [f"{name}\n{of_each}" for name in conditions]

    def row(name: str, windows: str, its: Mapping[str, Any], own: Iterable[Mapping[str, Any] | None]) -> Row:
        majority = [] if narrow else [number(its["majority_rate"])]
        cells = ("–" if each is None else " / ".join(number(each[key]) for key, _ in shown) for each in own)
        return (name, windows, *majority, *cells)

    rows = [
        row(
            person,
            str(sum(its["n"].values())),
            its,
            [own["persons"].get(person) for own in conditions.values()],
        )
        for person, its in next(iter(conditions.values()))["persons"].items()
    ]
    means = [own["mean_over_people"] for own in conditions.values()]
    rows.append(row("mean", "", means[0], means))
    table = TextTable(("person", "windows", *([] if narrow else ["majority\nrate"]), *heads), rows)
    if not narrow:
        return _table(table, title, last_apart=True)
    others = ", ".join(short for name, short in SHOWN if name != primary)
    caption = f"{others} of each person: in results.json, and on a wider terminal"
    return _table(table, f"{title}; {METRICS[primary]}", caption, last_apart=True)


def _conditions(figures: Mapping[str, Any]) -> Table:
    primary = figures["primary"]["metric"]
    names = {name: METRICS[name] for name in (primary, *METRICS)}
    unit = "within each person, mean over people" if by_time(figures) else "by person"
    title = f"{figures['recipe']['name']}: {unit}; {METRICS[primary]} was fixed beforehand"
    conditions = {name: its["by_person"] for name, its in figures["conditions"].items()}
    of = "over these people" if by_time(figures) else "between people"
    return _figures(title, conditions, names, of, p_head(figures))


def _blocks(figures: Mapping[str, Any], blocks: Mapping[str, Any]) -> Table:
    names = {name: METRICS[name] for name in (blocks["primary"], *METRICS)}
    title = f"{figures['recipe']['name']}: by block (trial), then by person"
    of = "over these people" if by_time(figures) else "between people"
    return _figures(title, blocks["conditions"], names, of, p_head(figures))


def _figures(
    title: str, conditions: Mapping[str, Any], names: Mapping[str, str], of: str, p: str = "p"
) -> Table:
    """A row a condition: each figure with its interval and p."""
    head = (cell for name in names.values() for cell in (f"{name}\n95 % {of}", p.replace(" (", "\n(")))
    rows = [
        (condition, *(cell for name in names for cell in (figure_of(its[name]), p_value(its[name]["p"]))))
        for condition, its in conditions.items()
    ]
    return _table(TextTable(("", *head), rows), title)


def _line(text: str) -> Text:
    """A text of ours that may hold names from files."""
    return Text(printable(text, None, lines=True))
