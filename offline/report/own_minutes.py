"""The section of a page on what a new person's own labelled minutes are worth."""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from offline.report.cells import NONE, figure_of, interval
from offline.report.page import PageBlock, PageSection, Paragraph, Picture, TextTable
from offline.report.plots import COLOURS, chance_line, new_figure

TITLE = "A new person's own minutes"
SHOWN = {"windows": "balanced accuracy of windows", "blocks": "balanced accuracy of blocks"}


def own_minutes(results: Mapping[str, Any]) -> PageSection | None:
    """Accuracy against minutes of a person's own labelled signal, where that was asked for."""
    its = results.get("calibration")
    if its is None:
        return None
    shown: list[PageBlock] = [Paragraph(words(its))]
    if its["people"]:
        shown.append(Picture.of(draw(its, 1.0 / len(results["labels"])), TITLE, "Bars: 95 % between people."))
        shown += [table(its, what, title) for what, title in SHOWN.items()]
    if its["left_out"]:
        left = ", ".join(f"{who} ({why})" for who, why in its["left_out"].items())
        shown.append(Paragraph(f"Left out: {left}."))
    return PageSection(TITLE, shown)


def words(its: Mapping[str, Any]) -> str:
    """What was done and what came of it."""
    if not its["people"]:
        return "Nobody has enough labelled signal to be calibrated by the most minutes and predicted later."
    most, last = its["minutes"][-1], its["calibrated"]["windows"][-1]["difference"]
    if last["interval"] is None:
        found = "one person says nothing about others"
    elif last["interval"][0] > 0.0:
        found = "it helps"
    else:
        found = "it harms" if last["interval"][1] < 0.0 else "no help is shown"
    return (
        f"{its['model']}, fitted to other people, is calibrated by the first labelled minutes of each of "
        f"{its['people']} people (last layer, drawn to its weights). All predict the same part: "
        f"{its['test_blocks']:.1f} blocks a person, after the first {most:g} labelled minutes and at least "
        f"{its['gap_s']:g} s. By {most:g} minutes {last['value']:+.3f} balanced accuracy of windows "
        f"({interval(last['interval'], '+')}): {found}. Beside it a ridge model of those minutes alone."
    )


def table(its: Mapping[str, Any], what: str, title: str) -> TextTable:
    """A row for each number of minutes."""
    head = (
        "minutes",
        f"{its['model']} as it is",
        "calibrated",
        "calibrated less as it is",
        "own minutes alone",
        "people: enough blocks, moved",
    )
    rows = []
    for k, minutes in enumerate(its["minutes"]):
        calibrated, alone = its["calibrated"][what][k], its["own minutes alone"][what][k]
        apart = calibrated["difference"]
        value = NONE if apart["interval"] is None else f" ({interval(apart['interval'], '+')})"
        rows.append(
            (
                f"{minutes:g}",
                figure_of(its["uncalibrated"][what]),
                figure_of(calibrated),
                f"{apart['value']:+.3f}{value}",
                figure_of(alone),
                f"{its['possible'][k]}, {its['moved'][k]}",
            )
        )
    return TextTable(head, rows, title)


def draw(its: Mapping[str, Any], chance: float) -> Figure:
    """Balanced accuracy of windows and of blocks against minutes."""
    drawn, both = new_figure(9.0, 3.8, columns=2)
    for axes, (what, title) in zip(both, SHOWN.items(), strict=True):
        level = its["uncalibrated"][what]
        axes.axhline(level["value"], color="0.5", label=f"{its['model']} as it is")
        for number, which in enumerate(("calibrated", "own minutes alone")):
            points = its[which][what]
            values = [point["value"] for point in points]
            axes.plot(its["minutes"], values, "o-", color=COLOURS[number], label=which)
            for minutes, point in zip(its["minutes"], points, strict=True):
                if point["interval"] is not None:
                    axes.plot([minutes] * 2, point["interval"], color=COLOURS[number], linewidth=1.0)
        chance_line(axes, across=True, at=chance)
        axes.set_xlabel("labelled minutes of the person")
        axes.set_ylabel(title)
    both[0].legend(fontsize=8, loc="best")
    return drawn
