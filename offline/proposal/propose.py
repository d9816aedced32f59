"""From what a cohort holds to a recipe: every choice with its reason, in a comment beside it."""

from collections.abc import Mapping
from typing import Any

from models.errors import RecipeError
from offline.proposal.blocks import MOST_LABELS, ProposedBlocks, blocks_of
from offline.proposal.survey import Survey
from offline.proposal.toml_text import commented, key_of, quoted, value_of
from offline.samples.left_of_block import ENOUGH, LeftOfLabels, left_of_labels
from offline.samples.recipe_sections import Input
from realtime.signal import CONFOUNDS, Kind

RATES = (10.0, 8.0, 5.0, 4.0, 3.0, 2.0, 1.0, 0.5, 0.25)
"""Rates that a model may have, Hz; haemodynamics hold nothing above the highest."""
DRIFT = ((0.02, 60.0), (0.01, 120.0), (0.005, 180.0), (None, 180.0), (None, 300.0))
"""High-pass (Hz) and memory of the normalisation (s), from what takes out most to what keeps most."""
PAUSE_S = 8.0
"""Before a cue nothing of the last block is left after such a pause, s."""
WARMUP = 0.1
"""At most so much of the shortest recording may be spent on a high-pass that warms up."""
SETTLES = 0.7
"""A high-pass is settled after so many of its periods, about (`realtime.stages.bandpass`)."""
SLOW = 1.0
"""At such a rate there is nothing to filter away above haemodynamics, Hz."""
SHORT = 0.015
"""Channels of less distance see the scalp alone, m."""
LIKENESS_WHY = (
    "'likeness' compares mirrored channels with all others: four numbers, for groups of people at rest."
)


def propose(found: Survey, wanted: Input) -> str:
    """Write a recipe for what was found.

    Parameters
    ----------
    found : Survey
        Of the cohort.
    wanted : Input
        How its recordings are read.

    Returns
    -------
    str
        TOML, with a comment for every choice.

    Raises
    ------
    RecipeError
        Nothing in the recordings or the table tells windows apart.
    """
    bold = set(found.kinds) - CONFOUNDS == {Kind.BOLD}
    blocks = None if bold else blocks_of(found)
    if blocks is None and not found.columns:
        raise _no_labels(found)
    rate = next((rate for rate in RATES if rate <= found.rate * 1.02), found.rate)
    length_s, step_s = _window(rate, blocks)
    lines = [f"description = {quoted(_description(found))}", *commented([_rate_why(found)])]
    lines += [f"rate = {rate:g}", "", *_input(found, wanted, bold)]
    lines += commented(_window_why(blocks, length_s))
    lines += ["[window]", f"length_s = {length_s:g}", f"step_s = {step_s:g}", ""]
    lines += _pipeline(found, blocks, rate)
    of_sides = blocks is None and found.mirrored
    members = ("ridge", "linear", *(("likeness",) if of_sides else ()), "cgrnn")
    lines += _labels_of_column(found) if blocks is None else _labels_of_events(blocks)
    lines += [
        *commented(
            [
                *([LIKENESS_WHY] if of_sides else []),
                "Of these, or their blend, whichever does best on training people who are held out in turn: "
                "with few people a linear model often does. It costs four times the fits; one kind alone is "
                "quicker.",
            ]
        ),
        "[model]",
        'kind = "best"',
        f"members = [{', '.join(map(quoted, members))}]",
        "",
        "[training]",
        "epochs = 40",
        "patience = 8",
        "batch_size = 64",
    ]
    if blocks is not None:
        lines += [
            "",
            *commented(["Evidence forgets within a block, so that the last one is not carried over."]),
        ]
        lines += ["[evidence]", f"memory_s = {max(round(blocks.block_s / 2.0), 5):g}"]
    return "\n".join(lines) + "\n"


# ------------------------------------------------------------------ labels


def _labels_of_events(blocks: ProposedBlocks) -> list[str]:
    lines = [*commented(blocks.why), "[labels]", 'source = "events"', 'target = "event"', ""]
    for interval in blocks.intervals:
        lines += [
            f"[labels.intervals.{key_of(interval.label)}]",
            f"events = [{', '.join(map(quoted, interval.events))}]",
            f"delay_s = {interval.delay_s:.1f}",
            f"duration_s = {interval.duration_s:.1f}",
            "",
        ]
    return lines


def _labels_of_column(found: Survey) -> list[str]:
    name = next(iter(found.columns))
    others = [f"{column!r} ({', '.join(values)})" for column, values in found.columns.items()]
    why = [
        "No event comes again and again in most recordings, so the label is the person's, from a column of "
        f"the cohort's table: {'; '.join(others)}."
    ]
    return [
        *commented(why),
        "[labels]",
        'source = "column"',
        'target = "person"',
        f"column = {quoted(name)}",
        "",
    ]


def _no_labels(found: Survey) -> RecipeError:
    events = ", ".join(f"{event.label!r} {event.count} times" for event in found.events[:12]) or "none"
    return RecipeError(
        f"Nothing tells windows apart: events in the {found.recordings} recordings: {events}; and the "
        "cohort's table has no column with two to ten values of two people each. Expected up to "
        f"{MOST_LABELS} kinds of events that come at least twice in at least half of the recordings, with "
        "pauses long enough for a rest where there is only one; or such a column (group, say). Add a column, "
        "or write the recipe's [labels] by hand."
    )


# ---------------------------------------------------------------- pipeline


def _pipeline(found: Survey, blocks: ProposedBlocks | None, rate: float) -> list[str]:
    short = found.shortest_s < 180.0
    stages: list[Mapping[str, Any]] = []
    why: list[str] = []
    if Kind.INTENSITY in found.kinds:
        stages.append({"stage": "optical_density", "baseline_s": 5.0 if short else 10.0})
    stages.append({"stage": "resample"} if rate > SLOW else {"stage": "resample", "measure_s": 20.0})
    if {Kind.INTENSITY, Kind.OPTICAL_DENSITY} & set(found.kinds):
        stages.append({"stage": "beer_lambert"})
    if blocks is not None and blocks.by_side and found.mirrored:
        if blocks.pause_s >= PAUSE_S:
            events = [event for interval in blocks.intervals for event in interval.events]
            stages.append({"stage": "cue_reference", "before_s": 5.0, "events": tuple(dict.fromkeys(events))})
            why.append("After a pause: each channel less what it was before the cue.")
        stages.append({"stage": "homologues"})
        why.append(
            "Labels are sides: left less right. No high-pass: it takes away what lasts as long as a block."
        )
        low, memory = None, 300.0
    elif blocks is None:
        low, memory = (None, 120.0) if Kind.BOLD in found.kinds else (0.01, 120.0)
        why.append("A label of the person: slow courses are kept as far as warming up allows.")
    else:
        low, memory, because = _drift(blocks, rate, found.shortest_s)
        why.append(because)
    if Kind.BOLD not in found.kinds and rate > SLOW:
        stages.append({"stage": "bandpass", **({} if low is None else {"low": low}), "high": 0.2})
    stages.append({"stage": "normalise", "memory_s": memory, "warmup_s": 10.0 if short else 20.0})
    lines = commented(why)
    for stage in stages:
        lines += ["[[pipeline]]"]
        lines += [f"{key} = {value_of(value)}" for key, value in stage.items()]
        lines += [""]
    return lines


def _drift(blocks: ProposedBlocks, rate: float, shortest_s: float) -> tuple[float | None, float, str]:
    """The high-pass and memory that take out most drift and still keep the block."""
    intervals = {each.label: (each.delay_s, each.duration_s) for each in blocks.intervals}
    low, memory, found = None, DRIFT[-1][1], list[LeftOfLabels]()
    fitting = [
        (low, memory)
        for low, memory in DRIFT
        if low is None or (rate > SLOW and SETTLES / low <= WARMUP * shortest_s)
    ]
    for low, memory in fitting:
        stages: list[dict[str, Any]] = [] if low is None else [{"stage": "bandpass", "low": low}]
        stages.append({"stage": "normalise", "memory_s": memory})
        found = left_of_labels(stages, rate, intervals)
        if all(each.share >= ENOUGH for each in found):
            break
    if not found:
        return None, DRIFT[-1][1], "Blocks are so long that any high-pass would take them away."
    least = min(found, key=lambda each: each.share)
    costs = "" if len(fitting) == len(DRIFT) else " or takes too long to warm up"
    filtered = "no high-pass" if low is None else f"a high-pass of {low:g} Hz"
    return (
        low,
        memory,
        f"Of a block of {least.block_s:.0f} s, {filtered} and a memory of {memory:g} s leave "
        f"{least.share:.0%} after {least.middle_s:.0f} s, the middle of the label"
        + (
            "."
            if (low, memory) == DRIFT[0]
            else f"; what takes out more drift leaves less than {ENOUGH:.0%}{costs}."
        ),
    )


# -------------------------------------------------------- the other sections


def _description(found: Survey) -> str:
    kinds = ", ".join(f"{n} {kind}" for kind, n in found.kinds.items()) or "no shared channel"
    return (
        f"Proposed for {found.recordings} recordings of {found.people} people ({kinds}, {found.rate:.3g} Hz)."
    )


def _rate_why(found: Survey) -> str:
    return (
        f"The slowest recording comes at {found.rate:.4g} Hz; the model's rate is no higher, and "
        f"{RATES[0]:g} Hz at most."
    )


def _window(rate: float, blocks: ProposedBlocks | None) -> tuple[float, float]:
    """Length and step, s: 7 s, or as much as the shortest label's interval holds twice."""
    least = 60.0 if blocks is None else min(interval.duration_s for interval in blocks.intervals)
    if rate < SLOW:
        samples = 20 if blocks is None else max(min(int(least * rate) - 1, 20), 2)
        return samples / rate, max(samples // 10, 1) / rate
    length = 7.0 if least >= 8.0 else max(float(int(least - 1.0)), 2.0)
    return length, 3.0 if least >= 60.0 else 1.0


def _window_why(blocks: ProposedBlocks | None, length_s: float) -> list[str]:
    if blocks is None or length_s >= 7.0:
        return []
    return [f"The shortest label holds for so little that windows are {length_s:g} s instead of 7 s."]


def _input(found: Survey, wanted: Input, bold: bool) -> list[str]:
    values: dict[str, Any] = {"kind": "bold"} if bold else {}
    values |= wanted.model_dump(exclude_defaults=True)
    near = [distance for distance in found.distances if distance < SHORT]
    lines = []
    if near and len(near) < len(found.distances) and wanted.min_distance is None:
        values["min_distance"] = SHORT
        lines += commented(
            [
                f"{len(near)} of {len(found.distances)} channels are shorter than {1e3 * SHORT:g} mm and see "
                "the scalp alone. A stage 'short_channel' could use them: then take min_distance away."
            ]
        )
    if not values:
        return []
    lines += ["[input]"]
    lines += [f"{key} = {value_of(value)}" for key, value in values.items()]
    return [*lines, ""]
