"""Leakage protocols beside honest ones, as sections of pages and drawn: of an evaluation, and of a study."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from offline.report.cells import NONE, mean_of, number, sentence, times
from offline.report.page import Bullets, PageBlock, PageSection, Paragraph, Picture, TextTable
from offline.report.plots import COLOURS, chance_line, new_figure
from offline.report.words import METRICS

HONEST, LEAKY, NULL = COLOURS[0], COLOURS[1], "#8c8c8c"
TWINS = ("careless", "honest")
WINDOWS = "windows at random"
EXPLAINED = {
    "selection outside the fold": "The columns are chosen with everybody's labels before people are divided; "
    "its honest twin chooses as many within the training people.",
    WINDOWS: "Every scan is cut into parts and the parts are divided at random, so the model "
    "knows the people that it is evaluated on; its honest twin keeps a person on one side. Accuracy is of "
    "parts, as such papers report it.",
    "setting by the test folds": "Every setting is tried, and the one that does best on the test folds is "
    "reported; its honest twin chooses within the training people.",
}
"""The protocols of a study, in a sentence or two each."""
ACROSS = (
    "Leakage protocols, each paired with an honest twin of the same people of one site, rows and chance: "
    "accuracy, and in brackets the mean on permuted labels, which mean nothing."
)
STUDY_HEAD = (
    "protocol",
    "twin",
    "accuracy",
    "balanced accuracy",
    "AUC within folds",
    "on permuted labels: accuracy (SD)",
    "balanced accuracy (SD)",
    "AUC within folds (SD)",
)


class AuditFound(Protocol):
    """What is drawn of an audit: its table, and every figure on permuted labels."""

    @property
    def null(self) -> Mapping[Any, npt.NDArray[np.float64]]:
        """(n_permutations,) float64 by protocol."""

    def to_json(self) -> dict[str, Any]:
        """What ``audit.json`` holds."""


def audit_section(its: Mapping[str, Any], drawn: Sequence[PageBlock] = ()) -> PageSection:
    """What ``audit.json`` holds, and its picture."""
    table = TextTable(*audit_cells(its))
    blocks = [Paragraph(sentence(its["says"])), table, *drawn]
    return PageSection(f"Leakage protocols, {its['model']}", blocks)


def audit_cells(its: Mapping[str, Any]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Head and rows of an audit's table; without permuted labels where there were none."""
    head = ("protocol", "true labels", "more than honest", "permuted labels", "more than honest")
    shown = 5 if its["permutations"] else 3
    rows = [
        (
            name,
            number(row["figure"]),
            _more(row.get("more_than_honest"), row.get("interval")),
            number(row["null_mean"]),
            _more(row.get("null_more_than_honest"), row.get("null_more_interval")),
        )[:shown]
        for name, row in its["arms"].items()
    ]
    return head[:shown], rows


def _more(value: float | None, ends: Sequence[float] | None) -> str:
    if value is None:
        return ""
    return f"{value:+.3f}" + ("" if ends is None else f" ({ends[0]:+.3f} to {ends[1]:+.3f})")


def draw_audit(found: AuditFound) -> Figure:
    """A row a protocol: the figure with true labels, and all those with permuted ones.

    Parameters
    ----------
    found : AuditFound
        What the protocols gave.
    """
    its = found.to_json()
    values = its["arms"]
    figure, axes = new_figure(9.0, 0.62 * len(values) + 1.9)
    chance_line(axes)
    axes.axvline(values["honest"]["figure"], color=HONEST, linewidth=0.8, linestyle="--")
    for row, (name, own) in enumerate(values.items()):
        null = np.sort(found.null[name])
        # Spread by rank, not by chance: the same audit gives the same picture.
        height = row + 0.17 + 0.12 * ((np.arange(len(null)) * 0.618) % 1.0 - 0.5)
        axes.plot(null, height, ".", color=NULL, markersize=4)
        words = f"{own['figure']:.2f}"
        if len(null):
            axes.plot(null.mean(), row + 0.17, "|", color="black", markersize=13)
            words += f"  (null {null.mean():.2f})"
        axes.plot(own["figure"], row - 0.17, "o", color=HONEST if name == "honest" else LEAKY, markersize=8)
        axes.annotate(words, (1.01, row), xycoords=("axes fraction", "data"), va="center", fontsize=9)
    axes.set_yticks(range(len(values)), list(values))
    axes.invert_yaxis()
    axes.set_xlim(0.0, 1.02)
    metric = f"{METRICS[its['metric']]} by person, {its['model']} model"
    axes.set_xlabel(f"{metric}. Circle: true labels. Dots: permuted labels, bar: mean")
    axes.set_title("What each protocol gives on these recordings; no verdict on any paper", fontsize=11)
    return figure


def study_section(results: Mapping[str, Any]) -> PageSection | None:
    """What leakage protocols would have claimed of a study at one site; None where none was tried."""
    found = results.get("careless")
    if not found:
        return None
    title = "What leakage protocols would have claimed"
    if "why_not" in found:
        return PageSection(
            title, [Paragraph(f"No leakage protocol was tried: {found['why_not'].rstrip('.')}.")]
        )
    kept = f" Setting kept: {found['setting']}." if found["setting"] else ""
    intro = (
        f"The same model at one site, {found['site']} ({found['people']} people, majority "
        f"{found['majority_rate']:.3f}), in {found['folds']} folds, {times(found['divisions'], 'division')} "
        f"with true labels and {times(found['labellings'], 'permutation')} of them; {found['columns']} "
        f"columns where they are chosen, {found['parts']} parts where scans are cut.{kept} Permuted labels "
        "mean nothing: what a protocol finds in them, it made itself. No verdict on any paper."
    )
    each = found["habits"]
    notes = [f"{name}: {EXPLAINED[name]}" for name in each if name in EXPLAINED]
    notes += [f"{name}: not tried, for {why.rstrip('.')}." for name, why in found["skipped"].items()]
    rows = [row for name, its in each.items() for row in _study_rows(name, its)]
    blocks: list[PageBlock] = [Paragraph(intro)]
    if each:
        alt = "accuracy of leakage protocols and of their honest twins"
        blocks.append(Picture.of(draw_twins(each), alt, "Pale: permuted labels, with their SD."))
    return PageSection(title, [*blocks, TextTable(STUDY_HEAD, rows), Bullets(notes)])


def _study_rows(name: str, its: Mapping[str, Any]) -> list[tuple[str, ...]]:
    metrics = ("accuracy", "balanced_accuracy", "auc")
    out = []
    for twin in TWINS:
        own = its[twin]
        cells = [number(own["true"][metric]) for metric in metrics]
        if name == WINDOWS:
            cells[0] += f" (by person {number(own['accuracy_by_person'])})"
        out.append((name, twin, *cells, *(mean_of(own["permuted"][metric]) for metric in metrics)))
    return out


def draw_twins(each: Mapping[str, Any]) -> Figure:
    """Accuracy of every protocol and of its honest twin, on true and (pale, with its SD) on permuted labels.

    Parameters
    ----------
    each : mapping
        ``careless`` and ``honest`` of every protocol of a study.
    """
    figure, axes = new_figure(7.6, 0.6 + 1.05 * len(each))
    chance_line(axes)
    ticks = []
    for number_of, (name, its) in enumerate(each.items()):
        for place, twin in enumerate(TWINS):
            y, colour = 2.5 * number_of + place, LEAKY if twin == "careless" else HONEST
            true, permuted = its[twin]["true"]["accuracy"], its[twin]["permuted"]["accuracy"]
            for value, offset, alpha in ((true, -0.2, 1.0), (permuted["mean"], 0.2, 0.4)):
                if value is not None:
                    axes.barh(y + offset, value, height=0.36, color=colour, alpha=alpha)
                    axes.text(1.02, y + offset, f"{value:.2f}", va="center", fontsize=8)
            if permuted["mean"] is not None and permuted["sd"] is not None:
                axes.errorbar(permuted["mean"], y + 0.2, xerr=permuted["sd"], color="black", linewidth=1)
            ticks.append((y, f"{name}, {twin}"))
    axes.set_yticks(*zip(*ticks, strict=True), fontsize=9)
    axes.invert_yaxis()
    axes.set_xlim(0.0, 1.0)
    axes.set_xlabel("accuracy; dotted: one half")
    return figure


def highest(results: Mapping[str, Any]) -> str:
    """The highest accuracy that a leakage protocol gave, and its honest twin's, in a few words."""
    found = (results.get("careless") or {}).get("habits")
    if not found:
        return NONE
    name = max(found, key=lambda each: float(found[each]["careless"]["true"]["accuracy"]))
    careless, honest = (found[name][twin]["true"]["accuracy"] for twin in TWINS)
    return f"{name}: {careless:.2f} (honest {honest:.2f})"


def across_studies(all_results: Sequence[Mapping[str, Any]]) -> TextTable:
    """Accuracy of every protocol and its twin, a row a study; no rows where none was tried."""
    found = [(each["study"]["title"], each.get("careless") or {}) for each in all_results]
    audited = [(title, its) for title, its in found if its.get("habits")]
    names = dict.fromkeys(name for _, its in audited for name in (*its["habits"], *its["skipped"]))
    rows = [
        (f"{title}: {its['site']}, {its['people']}", *(cell for name in names for cell in _pair(its, name)))
        for title, its in audited
    ]
    head = ("system: site, people", *(cell for name in names for cell in (name, "honest")))
    return TextTable(head, rows, ACROSS)


def _pair(its: Mapping[str, Any], name: str) -> tuple[str, str]:
    if name not in its["habits"]:
        return ("not tried", "")
    own = its["habits"][name]
    cells = [
        f"{own[twin]['true']['accuracy']:.3f}" + ("" if chance is None else f" ({chance:.3f})")
        for twin in TWINS
        for chance in (own[twin]["permuted"]["accuracy"]["mean"],)
    ]
    return cells[0], cells[1]
