"""A leakage audit as a section of a page, as a table and as a picture, of what ``audit.json`` holds.

A study has the same record under ``leakage`` of its ``results.json``. Honest rows stand above the protocols
whose twin they are.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from offline.report.cells import NONE, interval, number, sentence, times
from offline.report.page import Bullets, PageBlock, PageSection, Paragraph, Picture, TextTable
from offline.report.plots import COLOURS, chance_line, new_figure
from offline.report.words import METRICS

HONEST, LEAKY, NULL = COLOURS[0], COLOURS[1], "#8c8c8c"
UNITS = {"person": "by person", "sample": "by scan or part"}
ACROSS = (
    "Leakage protocols, each paired with an honest twin of the same people of one site, rows and chance: "
    "accuracy, and in brackets the mean on permuted labels, which mean nothing."
)
Audit = Mapping[str, Any]


def audit_section(audit: Audit, drawn: Sequence[PageBlock] = ()) -> PageSection:
    """Of an evaluation: what its audit holds, and its picture."""
    other = (
        f"Honest figures here are not those of section Figures: the {audit['model']} model is fitted to "
        "fewer windows (as many as the protocol with the fewest has), predicts only windows that do not "
        f"overlap, and is averaged over {times(audit['divisions'], 'division')} into folds."
    )
    says = [Paragraph(sentence(audit["says"])), Paragraph(other, note=True)]
    blocks = [*says, audit_table(audit), *drawn, Bullets(notes(audit))]
    return PageSection(f"Leakage protocols, {audit['model']}", blocks)


def study_section(results: Mapping[str, Any]) -> PageSection | None:
    """What leakage protocols would have claimed of a study at one site; None where none was tried."""
    found = results.get("leakage")
    if not found:
        return None
    title = "What leakage protocols would have claimed"
    if "why_not" in found:
        why = found["why_not"].rstrip(".")
        return PageSection(title, [Paragraph(f"No leakage protocol was tried: {why}.")])
    kept = f" Setting kept: {found['setting']}." if found["setting"] else ""
    intro = (
        f"The same model at one site, {found['site']} ({found['people']} people, majority "
        f"{found['majority_rate']:.3f}), in {found['folds']} folds, {times(found['divisions'], 'division')} "
        f"with true labels and {times(found['permutations'], 'permutation')} of the labels; "
        f"{found['columns']} columns where they are chosen, {found['parts']} parts where scans are cut: "
        f"accuracy is of parts then, as such papers report it.{kept} Permuted labels mean nothing: what a "
        "protocol finds in them, it made itself. No verdict on any paper."
    )
    drawn = Picture.of(draw_audit(found), "accuracy of leakage protocols and of their honest twins")
    return PageSection(title, [Paragraph(intro), drawn, audit_table(found), Bullets(notes(found))])


def conditions(audit: Audit) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any] | None]]:
    """Every condition in order: its name, its figures, and a protocol's difference to the twin above it.

    The difference of an honest twin is None.
    """
    twin = None
    for name, its in audit["protocols"].items():
        if its["honest"] != twin:
            twin = its["honest"]
            yield "honest", twin, None
        yield name, its["leaky"], its["difference"]


def audit_table(audit: Audit) -> TextTable:
    """Every metric on true and on permuted labels, and how much more than honest the first is."""
    metrics, permuted = audit["metrics"], audit["permutations"] > 0

    def shown(true: str, of_permuted: str) -> list[str]:
        return [true, of_permuted] if permuted else [true]

    head = ["protocol", *(cell for each in metrics for cell in shown(_name(each), "permuted labels"))]
    head += shown("more than honest", "permuted labels")
    rows = []
    for name, its, difference in conditions(audit):
        row = [name]
        for metric in metrics:
            row += shown(number(its[metric]["value"]), number(its[metric]["permuted"]["mean"]))
        more = None if difference is None else difference[metrics[0]]
        rows.append(row + shown(_more(more, "value"), _more(more and more["permuted"], "mean")))
    return TextTable(head, rows)


def notes(audit: Audit) -> list[str]:
    """What each protocol is, and which were not tried."""
    tried = [f"{name}: {its['explained']}" for name, its in audit["protocols"].items()]
    return tried + [
        f"{name}: not tried, for {why.rstrip('.')}." for name, why in audit.get("skipped", {}).items()
    ]


def draw_audit(audit: Audit) -> Figure:
    """A row a condition: the first metric with true labels, and all those with permuted ones."""
    metric, each = audit["metrics"][0], list(conditions(audit))
    figure, axes = new_figure(9.0, 0.62 * len(each) + 1.9)
    chance_line(axes)
    honest = None
    for row, (_, its, difference) in enumerate(each):
        value, null = its[metric]["value"], its[metric]["permuted"]
        honest = value if difference is None else honest
        if honest is not None:
            axes.vlines(honest, row - 0.5, row + 0.5, HONEST, "--", linewidth=0.8)
        label = number(value)
        # Spread by rank, not by chance: the same audit gives the same picture.
        dots = sorted(x for x in null["values"] if x is not None)
        heights = [row + 0.17 + 0.12 * ((i * 0.618) % 1.0 - 0.5) for i in range(len(dots))]
        axes.plot(dots, heights, ".", color=NULL, markersize=4)
        if null["mean"] is not None:
            axes.plot(null["mean"], row + 0.17, "|", color="black", markersize=13)
            label += f"  (null {null['mean']:.2f})"
        if value is not None:
            axes.plot(value, row - 0.17, "o", color=HONEST if difference is None else LEAKY, markersize=8)
        axes.annotate(label, (1.01, row), xycoords=("axes fraction", "data"), va="center", fontsize=9)
    axes.set_yticks(range(len(each)), [name for name, _, _ in each])
    axes.invert_yaxis()
    axes.set_xlim(0.0, 1.02)
    axes.set_xlabel(
        f"{_name(metric)} {UNITS[audit['unit']]}, {audit['model']} model. Circle: true labels. "
        "Dots: permuted labels, bar: mean"
    )
    axes.set_title("What each protocol gives on these data; no verdict on any paper", fontsize=11)
    return figure


def highest(results: Mapping[str, Any]) -> str:
    """The highest accuracy that a leakage protocol gave, and its honest twin's, in a few words."""
    found = (results.get("leakage") or {}).get("protocols")
    if not found:
        return NONE
    name = max(found, key=lambda each: float(found[each]["leaky"]["accuracy"]["value"]))
    leaky, honest = (found[name][twin]["accuracy"]["value"] for twin in ("leaky", "honest"))
    return f"{name}: {leaky:.2f} (honest {honest:.2f})"


def across_studies(all_results: Sequence[Mapping[str, Any]]) -> TextTable:
    """Accuracy of every protocol and its twin, a row a study; no rows where none was tried."""
    found = [(each["study"]["title"], each.get("leakage") or {}) for each in all_results]
    audited = [(title, its) for title, its in found if its.get("protocols")]
    names = dict.fromkeys(name for _, its in audited for name in (*its["protocols"], *its["skipped"]))
    rows = [
        (f"{title}: {its['site']}, {its['people']}", *(cell for name in names for cell in _pair(its, name)))
        for title, its in audited
    ]
    head = ("system: site, people", *(cell for name in names for cell in (name, "honest")))
    return TextTable(head, rows, ACROSS)


def _pair(audit: Audit, name: str) -> list[str]:
    if name not in audit["protocols"]:
        return ["not tried", ""]
    each = (audit["protocols"][name][twin]["accuracy"] for twin in ("leaky", "honest"))
    chances = ((own["value"], own["permuted"]["mean"]) for own in each)
    return [number(value) + ("" if chance is None else f" ({chance:.3f})") for value, chance in chances]


def _name(metric: str) -> str:
    return METRICS.get(metric, metric.replace("_", " "))


def _more(its: Mapping[str, Any] | None, key: str) -> str:
    if its is None or its[key] is None:
        return ""
    ends = "" if its["interval"] is None else f" ({interval(its['interval'], '+')})"
    return f"{its[key]:+.3f}{ends}"
