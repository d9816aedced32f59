"""What an evaluation found by block (trial), in sections of its page and in lines for the terminal.

``results`` is what ``results.json`` holds; ``its`` is what stands there under ``by_block``.
"""

from collections.abc import Mapping
from typing import Any

from offline.report.cells import difference, figure, figure_of, interval, number, p_value, times
from offline.report.order_words import against_order, p_head
from offline.report.page import Bullets, PageBlock, PageSection, Paragraph, Picture, TextTable
from offline.report.plots import over_block_plot
from offline.report.verdict import against_chance
from offline.report.words import METRICS, chance_of

WHAT = (
    "A block (trial) is one interval of a label after one event. Its windows share samples and one response, "
    "so a laboratory counts blocks, not windows. What was predicted of a block: "
)


def block_section(results: Mapping[str, Any]) -> PageSection | None:
    """Figures by block beside those by window, over the course of a block, and blocks that were lost."""
    its = results["by_block"]
    if its is None:
        return None
    rows = []
    for name, own in its["conditions"].items():
        cells = [name]
        for metric in METRICS:
            by_window = results["conditions"][name]["by_person"][metric]
            cells += [
                number(by_window["value"]),
                number(own[metric]["value"]),
                interval(own[metric]["interval"]),
            ]
            cells += [interval(own[metric]["bootstrap"]), p_value(own[metric]["p"])]
        rows.append(tuple(cells))
    ends = ("by block", "95 % (null's SD)", "95 % (bootstrap)", p_head(results))
    head = ("", *(cell for name in METRICS.values() for cell in (f"{name} by window", *ends)))
    found = [block_finding(results, name) for name in its["conditions"]]
    blocks: list[PageBlock] = [
        Paragraph(f"{WHAT}the {its['rule']}."),
        Paragraph(counted(its)),
        TextTable(head, rows, "People are averaged, and drawn anew for intervals; none under 10 people."),
        Bullets(found),
        *within_each(its["conditions"], results),
        *_compared(results),
        *_course(results),
        *_lost(its),
    ]
    return PageSection("By block", blocks)


def counted(its: Mapping[str, Any]) -> str:
    """How many blocks of each label, of whom, and who has no figure."""
    of_labels = ", ".join(f"{n} of {label}" for label, n in its["blocks"].items())
    people = "1 person" if its["people"] == 1 else f"{its['people']} people"
    n = times(sum(its["blocks"].values()), "block")
    text = f"{n} ({of_labels}) of {people} were predicted."
    if alone := its["without_a_figure"]:
        text += (
            f" {', '.join(alone)} had no block of some label: of them there is no figure by block, and they "
            "are not in the mean."
        )
    return text


def block_finding(results: Mapping[str, Any], condition: str) -> str:
    """One condition's primary figure by block, against chance."""
    metric = results["by_block"]["primary"]
    own = results["by_block"]["conditions"][condition][metric]
    if own["value"] is None:
        return f"{condition}: by block the {METRICS[metric]} is not determined."
    text = f"{condition}: {METRICS[metric]} by block {figure_of(own)}"
    against = against_order(results, condition)
    return f"{text}. {against_chance(own, chance_of(results, metric), against=against)}"


def within_each(conditions: Mapping[str, Any], results: Mapping[str, Any]) -> list[PageBlock]:
    """Each person's own interval under each condition, where people are too few for one between them."""
    known = {name: its["of_each"] for name, its in conditions.items() if its.get("of_each")}
    if not known:
        return []
    metric = METRICS[results["primary"]["metric"]]
    people = list(next(iter(known.values())))
    rows = [(name, *(interval(each.get(person)) for person in people)) for name, each in known.items()]
    return [TextTable(("", *people), rows, f"Within each person, {metric}: 95 %, whole blocks drawn anew.")]


def _compared(results: Mapping[str, Any]) -> list[PageBlock]:
    its = results["by_block"]
    own = next(iter(its["conditions"]))  # the recipe's own model
    rows = [
        (
            f"{own} less {name}",
            *(cell for key in ("figure", "log_loss") for cell in difference(each[key])),
        )
        for name, each in its["compared"].items()
    ]
    ends = "95 % (bootstrap)"
    head = ("", f"{METRICS[its['primary']]} by block", ends, "log loss, nats", ends)
    text = "Paired, person by person, by block; else as the comparison by window."
    return [TextTable(head, rows, text)] if rows else []


def _course(results: Mapping[str, Any]) -> list[PageBlock]:
    """Accuracy against seconds since the block's start, and the information transfer rate."""
    its = results["by_block"]
    courses = its["over_seconds"]
    drawn = over_block_plot(courses, chance_of(results, "balanced_accuracy"))
    caption = (
        "Balanced accuracy against seconds since the block's start (where the label's interval begins), mean "
        "over people; shaded: 95 % over people, second by second. Dotted: chance."
    )
    own = next(iter(courses))  # the recipe's own model
    rows = []
    for k, point in enumerate(courses[own]):
        cells = [f"{point['seconds']:g}", str(point["blocks"]), number(point["bits_per_minute"])]
        for points in courses.values():
            cells += [figure_of(points[k]["window"]), figure_of(points[k]["so_far"])]
        rows.append(tuple(cells))
    heads = (f"{name}: {what}" for name in courses for what in ("newest window", "all so far"))
    head = ("s", "blocks", f"{own}: bits a minute", *heads)
    return [
        Picture.of(drawn, "Over the course of a block", caption),
        TextTable(head, rows),
        Bullets([transfer_words(name, own) for name, own in its["transfer"].items()]),
        Paragraph(f"{_assumed(its)}", note=True),
    ]


def _assumed(its: Mapping[str, Any]) -> str:
    known = [own for own in its["transfer"].values() if own is not None]
    if not known:
        return "No information transfer rate: no second has an accuracy."
    ends = ""
    if known[0]["interval"] is not None:
        ends = f" Its interval holds for all {known[0]['looked_at']} seconds at once."
    return (
        f"Bits a minute: {known[0]['assumed']}. The seconds of a choice are those since the event, without "
        "pauses; as recorded, all minutes of the recordings count: warm-up, pauses, other events and lost "
        "blocks. The best second was chosen on these very people, so its rate is a little too high."
        f"{ends}"
    )


def transfer_words(name: str, own: Mapping[str, Any] | None) -> str:
    """A condition's information transfer rate, and whether it is above 0 at all."""
    if own is None:
        return f"{name}: no information transfer rate, for no second has an accuracy."
    accuracy = f"balanced accuracy {figure(own['accuracy'], own['interval'])} after {own['second']:g} s"
    if own["bits"] == 0.0 or own["above_chance"] is False:
        return (
            f"{name}: the information transfer rate is not shown to be above 0: at its best second the "
            f"accuracy is not above chance by its interval ({accuracy})."
        )
    rate = f"{own['bits_per_minute']:.2f} bits a minute"
    if own["bits_interval"] is not None:
        rate += " (95 % {:.2f} to {:.2f})".format(*own["bits_interval"])
    bits = f"{own['bits']:.3f} bits a block in {own['seconds_needed']:g} s"
    text = f"{name}: at best {rate}, {bits}, by {accuracy}"
    if own["bits_per_minute_as_recorded"] is not None:
        text += f"; as recorded, with warm-up and pauses, {own['bits_per_minute_as_recorded']:.2f}"
    unsure = " Whether that is above 0 is not known: so few people give no interval."
    return f"{text}.{unsure if own['above_chance'] is None else ''}"


def lost_words(its: Mapping[str, Any]) -> str:
    """How many blocks gave no usable window, and why."""
    lost, asked = its["lost"], sum(its["lost"]["asked"].values())
    n = sum(lost["reasons"].values())
    if not n:
        return f"All {asked} blocks gave a usable window."
    why = ", ".join(f"{k} {reason}" for reason, k in lost["reasons"].items())
    return f"{n} of {asked} blocks gave no usable window: {why}."


def _lost(its: Mapping[str, Any]) -> list[PageBlock]:
    lost = its["lost"]
    rows = [
        (person, label, str(own["asked"][label]), str(sum(reasons.values())), _reasons(reasons))
        for person, own in (("everybody", lost), *lost["by_person"].items())
        for label, reasons in own["lost"].items()
    ]
    table = [TextTable(("", "label", "blocks", "lost", "why"), rows)] if rows else []
    return [Paragraph(lost_words(its)), *table]


def _reasons(reasons: Mapping[str, int]) -> str:
    return ", ".join(f"{n} {reason}" for reason, n in reasons.items())
