"""The page of an evaluation of windows, in sections; each follows from what the evaluation wrote."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from models.evidence.standing import ALPHA
from offline.base.predictions import Predictions
from offline.report import words
from offline.report.blocks import block_section, within_each
from offline.report.cells import difference, interval, number, p_value
from offline.report.checklists import Item, items
from offline.report.choices import choice_section
from offline.report.cohort import cohort_of, cohort_section, versions
from offline.report.leakage import audit_section
from offline.report.order_words import null_lines, p_head, shared_order
from offline.report.own_minutes import own_minutes
from offline.report.page import (
    RESEARCH,
    Bullets,
    PageBlock,
    PageSection,
    Paragraph,
    Picture,
    ReportPage,
    TextTable,
)
from offline.report.plots import calibration, decision, outcomes, over_time_plot, roc
from offline.report.served import served_section
from offline.report.words import METRICS

AUDITS = {"audit": "leakage_audit", "audit-network": "leakage_audit_network"}
"""Names of files of audits, and under which key ``report.json`` has them."""
CHANNEL_MAP = "channel-map.png"
MOST_CURVES, MOST_CHANNELS = 6, 10


def picture_of(method: str) -> str:
    """The file in which an explanation is drawn."""
    return f"explanation-{method.replace(' ', '-')}.png"


@dataclass(frozen=True, eq=False)
class EvaluationFiles:
    """What an evaluation wrote: ``results.json``, ``run.json`` and ``predictions.csv``.

    Parameters
    ----------
    audits : mapping of str to mapping
        What there is of ``audit.json`` and ``audit-network.json``, by name without the ending.
    pictures : mapping of str to bytes
        PNG files, by name.
    """

    results: Mapping[str, Any]
    run: Mapping[str, Any]
    predictions: Predictions
    audits: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    pictures: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def items(self) -> list[Item]:
        """Which questions of the checklists the page answers."""
        return items(self.results, audited="audit" in self.audits)

    def shown(self, name: str, alt: str) -> list[PageBlock]:
        """A picture, where it was drawn."""
        return [Picture(self.pictures[name], alt)] if name in self.pictures else []


def evaluation_page(files: EvaluationFiles) -> ReportPage:
    """The page."""
    results = files.results
    sections = [
        in_short(results),
        cohort_section(results),
        protocol(results),
        figures(results),
        block_section(results),
        choice_section(results),
        plots(files),
        *(
            audit_section(its, files.shown(f"{name}.png", "figures of each protocol"))
            for name, its in files.audits.items()
        ),
        served_section(results),
        over_time(results),
        own_minutes(results),
        channel_map(files),
        *(explanation(files, method) for method in results["explanations"]),
        PageSection("Checklists", [TextTable(("checklist", "asked", "where it stands"), files.items)]),
        versions(results, files.run),
    ]
    return ReportPage(results["recipe"]["name"], sections, "Evaluation of windows of recordings")


def as_json(files: EvaluationFiles) -> dict[str, Any]:
    """Everything that the page says, as JSON types."""
    results = files.results
    return {
        "research_use_only": RESEARCH,
        "summary": words.summary_of(results),
        "simulated": words.simulated(results),
        "cohort": cohort_of(results),
        "protocol": words.protocol(results),
        "findings": {name: words.finding(results, name) for name in results["conditions"]},
        "figures": results["conditions"],
        "by_block": results["by_block"],
        "null": results["null"],
        **{key: files.audits.get(name) for name, key in AUDITS.items()},
        "channel_map": results["channel_map"],
        "explanations": results["explanations"],
        "served": results.get("served"),
        "over_time": results["over_time"],
        "calibration": results.get("calibration"),
        "checklists": [{"list": which, "item": what, "where": where} for which, what, where in files.items],
        "recipe": results["recipe"],
        "cohort_hash": results["cohort_hash"],
        "run": dict(files.run),
    }


def in_short(results: Mapping[str, Any]) -> PageSection:
    """What was found, in plain words."""
    return PageSection(
        "In short", [Paragraph(text) for text in (*words.summary_of(results), words.simulated(results))]
    )


def protocol(results: Mapping[str, Any]) -> PageSection:
    """How it was evaluated, and what was fixed before."""
    metric = METRICS[results["primary"]["metric"]]
    fixed = (
        f"Fixed before the run, and part of the recipe's hash: the primary figure is {metric} by person; the "
        f"label belongs to the {results['primary']['label_of']}."
    )
    return PageSection("Protocol", [Paragraph(words.protocol(results)), Paragraph(fixed)])


def figures(results: Mapping[str, Any]) -> PageSection:
    """Every condition's figures, each person's own, and conditions compared."""
    rows, shared = [], shared_order(results) is not None
    for name, its in results["conditions"].items():
        cells = [name]
        for metric in METRICS:
            own = its["by_person"][metric]
            cells += [number(own["value"]), interval(own["interval"]), interval(own["bootstrap"])]
            cells.append(p_value(own["p"]))
            cells += [p_value(own.get("p_within_recordings"))] if shared else []
        rows.append((*cells, number(its["pooled"]["majority_rate"])))
    ps = (p_head(results), *(["p (within recordings: no null here)"] if shared else []))
    ends = ("95 % (null's SD)", "95 % (bootstrap)", *ps)
    head = (
        "",
        *(cell for metric in METRICS.values() for cell in (metric, *ends)),
        "majority rate, all windows",
    )
    why = (
        "Intervals by the bootstrap alone are too narrow for cross-validated figures; those by the spread of "
        "the permutation null are the ones to quote. Under 10 people there is none between people."
    )
    rule = (
        f"Better than chance is said where p is {ALPHA:g} or less and the interval, where there is one, lies "
        "above chance; of a model without a p of its own, only that its interval does."
    )
    lines = [f"{name}: {words.chance_words(results, name)}" for name in results["conditions"]]
    blocks: list[PageBlock] = [
        Paragraph(why, note=True),
        TextTable(head, rows),
        Paragraph(rule, note=True),
    ]
    blocks += [Paragraph(text, note=True) for text in null_lines(results)]
    blocks.append(Bullets(lines))
    within = within_each({name: its["by_person"] for name, its in results["conditions"].items()}, results)
    return PageSection("Figures", [*blocks, *within, *_compared(results)])


def _compared(results: Mapping[str, Any]) -> list[PageBlock]:
    own = results["recipe"]["model"]
    rows = [
        (f"{own} less {name}", *(cell for each in ("figure", "log_loss") for cell in difference(its[each])))
        for name, its in results["compared"].items()
    ]
    ends = "95 % (bootstrap)"
    head = ("", METRICS[results["primary"]["metric"]], ends, "log loss, nats", ends)
    text = (
        "Paired, person by person; intervals by drawing people (none under 10 people). Log loss below 0: "
        "the first is better."
    )
    return [TextTable(head, rows, text)]


def plots(files: EvaluationFiles) -> PageSection:
    """Each person's outcome; of two labels the curves too."""
    results, table = files.results, files.predictions
    own, two = results["recipe"]["model"], len(results["labels"]) == 2
    by_person = results["primary"]["label_of"] == "person"
    caption = f"What {own} gave for each person, fitted to {words.fitted_to(results)}."
    shown = [Picture.of(outcomes(table, own, by_person=by_person and two), "Each person", caption)]
    if two:
        names = [name for name in table.conditions if "," not in name and name != "majority"][:MOST_CURVES]
        unit = "people compared within a fold" if by_person else "each person's windows, averaged over people"
        curves = roc(table, names, by_person=by_person)
        shown.append(Picture.of(curves, "ROC curves", f"ROC curves of {unit}. Dotted: chance."))
        lines = calibration(table, names, by_person=by_person)
        shown.append(Picture.of(lines, "Calibration", "Calibration. Dotted: what was predicted is true."))
    if two and by_person:
        benefit = decision(table, names, results["recipe"]["settings"]["evaluation"]["prevalence"])
        caption = "Decision curve. Higher is better; 0 is to act on nobody."
        shown.append(Picture.of(benefit, "Decision curve", caption))
    return PageSection("Plots", shown)


def over_time(results: Mapping[str, Any]) -> PageSection | None:
    """What people's evidence gives after so many seconds."""
    evidence = results["over_time"]
    if evidence is None:
        return None
    title, caption = "Evidence over time", "Grey: windows added as if they were independent."
    drawn = Picture.of(over_time_plot(evidence), title, caption)
    return PageSection(title, [Paragraph(words.stopping(evidence)), drawn])


def channel_map(files: EvaluationFiles) -> PageSection | None:
    """The channels in which labels differ most."""
    its, labels = files.results["channel_map"], files.results["labels"]
    if its is None:
        return None
    rows = [
        (row["channel"], row["feature"], f"{row['statistic']:+.2f}", p_value(row["p"]))
        for row in its["channels"][:MOST_CHANNELS]
    ]
    text = (
        f"No classifier: {labels[1]} less {labels[0]} in standard errors, channel by channel, with p values "
        "that are corrected for all channels and features (the largest of all in each of "
        f"{its['permutations']} permutations of {its['of']})."
    )
    title, head = "Map: where labels differ", ("channel", "of windows", "apart", "p, corrected")
    return PageSection(title, [Paragraph(text), *files.shown(CHANNEL_MAP, title), TextTable(head, rows)])


def explanation(files: EvaluationFiles, method: str) -> PageSection:
    """What one method shows of what the network looks at."""
    its, title = files.results["explanations"][method], f"Map: {method}"
    return PageSection(title, [Paragraph(words.map_words(its)), *files.shown(picture_of(method), title)])
