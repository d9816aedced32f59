"""Labels from events: which events begin blocks, how long these last, and when blood shows them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite

from offline.proposal.survey import EventSurvey, Survey

ONSET_S = 5.0
"""Blood answers so long after a cue, s: a label begins no earlier, where the block is long enough."""
FADED_S = 12.0
"""... and is back so long after the block's end."""
SHORTEST_S = 5.0
"""What lasts less is an event whose response is looked for, not a block, s."""
RESPONSE_S = 14.0
"""So long a brief event shows, s."""
OVERLAP_S = 8.0
"""Blocks that are cut short by the next event are taken as they are, if so much is left, s."""
MOST_LABELS = 8
"""More kinds of events are markers of something else than blocks."""


@dataclass(frozen=True)
class ProposedInterval:
    """A label's name, the events that begin it, its delay behind them and its length, s."""

    label: str
    events: tuple[str, ...]
    delay_s: float
    duration_s: float


@dataclass(frozen=True)
class ProposedBlocks:
    """Labels from events: their intervals, the block behind them, and why."""

    intervals: tuple[ProposedInterval, ...]
    block_s: float
    pause_s: float
    why: tuple[str, ...]

    @property
    def by_side(self) -> bool:
        """Whether labels name the left and the right."""
        words = [set(re.split(r"[^a-z]+", interval.label.casefold())) for interval in self.intervals]
        return any("left" in each for each in words) and any("right" in each for each in words)


def blocks_of(found: Survey) -> ProposedBlocks | None:
    """Labels from events that come again and again; None where there are none."""
    again = [
        event
        for event in found.events
        if event.count >= 2 * event.recordings and 2 * event.recordings >= found.recordings
    ]
    if not again or len(again) > MOST_LABELS:
        return None
    return _task_and_rest(again[0]) if len(again) == 1 else _one_a_label(again)


def _one_a_label(events: Sequence[EventSurvey]) -> ProposedBlocks | None:
    lasting = [_block_of(event) for event in events]
    block = min((length for length in lasting if isfinite(length)), default=inf)
    if not SHORTEST_S <= block < inf:
        return None
    closest = min((event.closest_s for event in events if isfinite(event.closest_s)), default=inf)
    if OVERLAP_S <= closest < block:  # two labels may not hold at once
        block = closest
    delay = round(min(ONSET_S, block / 4.0), 1)
    declared = all(event.duration_s >= SHORTEST_S for event in events)
    spacing = min((event.spacing_s for event in events if isfinite(event.spacing_s)), default=block)
    why = [
        f"{_number(len(events))} kinds of events come again and again, so each is a label. A block lasts "
        f"{block:.1f} s "
        + (
            "by the files' durations"
            if declared
            else "where the files do not say how long, until the next event"
        )
        + f"; the first {delay:.1f} s, before blood answers, are left out.",
        *(
            f"{event.label!r}: {event.count} times, {event.people} people, {_lasting(event)}"
            for event in events
        ),
        "Leave out what is no condition (an end of a block, say), and give each label its name.",
    ]
    intervals = tuple(
        ProposedInterval(_label(event.label), (event.label,), delay, round(block - delay, 1))
        for event in events
    )
    return ProposedBlocks(intervals, block, max(spacing - block, 0.0), tuple(why))


def _task_and_rest(event: EventSurvey) -> ProposedBlocks | None:
    spacing = event.spacing_s
    if not isfinite(spacing):
        return None
    declared = event.duration_s >= SHORTEST_S
    block = event.duration_s if declared else round(min(spacing / 2.0, 20.0), 1)
    rest_from = round(max(block + ONSET_S, min(block + FADED_S, spacing - 10.0)), 1)
    if spacing - rest_from < 3.0 or block < SHORTEST_S:
        return None
    delay = round(min(ONSET_S, block / 4.0), 1)
    # The response outlasts the block by about as much as it comes late.
    lasts = round(min(block, rest_from - delay), 1)
    guessed = (
        "by the files' durations"
        if declared
        else "taken as half of that: the files say nothing, or less than a response"
    )
    why = (
        f"One kind of event comes again and again ({event.label!r}, {event.count} times, {event.people} "
        f"people, every {spacing:.1f} s). A block lasts {block:.1f} s, {guessed}; what lies between is "
        f"rest, from {rest_from:.1f} s on, when the response is over.",
    )
    task = ProposedInterval("task", (event.label,), delay, lasts)
    rest = ProposedInterval("rest", (event.label,), rest_from, round(spacing - rest_from, 1))
    return ProposedBlocks((rest, task), block, spacing - block, why)


def _label(event: str) -> str:
    """Its name, but for the one that means that nothing is known."""
    return "abstention" if event == "abstain" else event


def _block_of(event: EventSurvey) -> float:
    """How long it lasts, or its response where it is brief, s."""
    if event.duration_s >= SHORTEST_S:
        return event.duration_s
    return min(event.spacing_s, RESPONSE_S) if event.duration_s else event.spacing_s


def _lasting(event: EventSurvey) -> str:
    if event.duration_s:
        return f"{event.duration_s:.1f} s long"
    return f"next event after {event.spacing_s:.1f} s" if isfinite(event.spacing_s) else "nothing after it"


def _number(n: int) -> str:
    return {2: "Two", 3: "Three", 4: "Four"}.get(n, str(n))
