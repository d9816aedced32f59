"""`Bed`: what is known of one session, bounded, and when it was last heard of.

Every change gets a number that grows over all beds; a page that says which number it has seen is given what
changed since.
"""

import json
from collections import deque
from collections.abc import Iterable
from typing import Any

from realtime.decision import ABSTAIN
from realtime.monitor.seen import (
    SeenAlarms,
    SeenBeat,
    SeenChannels,
    SeenDecision,
    SeenSignals,
    SeenStatus,
)
from realtime.monitor.transit import Transit, seconds

DECISIONS = 600
"""Decisions of a bed that are kept to be drawn."""
SIGNALS = 120
"""Messages of signals likewise, one a second."""
TREND = 48
"""Values of the evidence that a tile draws."""
SILENT_AFTER_S = 1.6
"""A session whose heartbeat did not come for so long is silent; it beats once a second."""

_OF_STATUS = frozenset(
    [
        "stream",
        "model",
        "clock",
        "journal",
        "broker",
        "signals",
        "commands",
        "rejected",
        "failing",
        "versions",
        "evaluation",
        "labels",
        "wall_clock_steps",
        "window",
    ]
)
_OF_DECISION = frozenset(
    [
        "coverage",
        "largest_gap_s",
        "channels",
        "left_out",
        "quality",
        "novelty",
        "delay_s",
        "time_uncertainty_s",
    ]
)


def compact(values: Any) -> bytes:
    """JSON as small as it gets."""
    return json.dumps(values, separators=(",", ":"), allow_nan=False, ensure_ascii=False).encode(
        "utf-8", "replace"
    )


class Bed:
    """One session.

    Parameters
    ----------
    name : str
        Pseudonymous name of the session.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.changed = 0
        """Number of the last change of its tile."""
        self.status: SeenStatus | None = None
        self.alarms: SeenAlarms | None = None
        self.latest: SeenDecision | None = None
        self.last_payloads: dict[str, bytes] = {}
        """The last status and decision and the last alarms as they came, for `/metrics`."""
        self.heard: float | None = None
        """When the last heartbeat came, s of the server's clock."""
        self.silent = True
        self.run = -1
        self.channels: tuple[int, bytes] | None = None
        self._zero = 0.0
        self._beat: SeenBeat | None = None
        self._transit = Transit()
        self._rows: deque[tuple[int, bytes]] = deque(maxlen=DECISIONS)
        self._signals: deque[tuple[int, bytes]] = deque(maxlen=SIGNALS)
        self._trend: deque[float | None] = deque(maxlen=TREND)
        self._tile: bytes | None = None
        self._restarted = 0

    @property
    def latest_zero(self) -> float:
        """When the latest decision's window ended, s of the server's clock."""
        return self._zero

    def touch(self, number: int) -> None:
        """Its tile is another one now."""
        self.changed = number
        self._tile = None

    def take_status(self, status: SeenStatus, number: int) -> None:
        """A status came."""
        self._run(status.run, number)
        if status.run == self.run:
            self.status = status
            self.touch(number)

    def take_beat(self, beat: SeenBeat, number: int, now: float) -> bool:
        """A heartbeat came at `now`; whether anything that is shown changed."""
        utc = seconds(beat.utc)
        if utc is None or beat.run < self.run:
            return False
        changed = self.silent or self._beat is None or self._beat.state is not beat.state
        self._run(beat.run, number)
        self._beat, self.heard, self.silent = beat, now, False
        if self._transit.beat(beat.beat, utc, now) and self._made_older():
            changed = True
        if changed:
            self.touch(number)
        return changed

    def take_decision(self, decision: SeenDecision, number: int, now: float, *, current: bool) -> None:
        """A decision came at `now`, as current or as history."""
        if decision.run < self.run:
            return
        self._run(decision.run, number)
        self._rows.append((number, compact(row(decision))))
        newest = self.latest
        if not current or (newest is not None and decision.sequence <= newest.sequence):
            return
        self.latest = decision
        self._zero = now - decision.age_s / decision.speed
        self._made_older()
        evidence = decision.evidence.probabilities
        leading = _leading(evidence)
        self._trend.append(None if leading is None else round(evidence[leading], 3))
        self.touch(number)

    def take_alarms(self, alarms: SeenAlarms, number: int) -> None:
        """The list of alarms came."""
        if alarms.run >= self.run:
            self.alarms = alarms
            self.touch(number)

    def take_channels(self, channels: SeenChannels, number: int) -> None:
        """The layout of the channels came."""
        self.channels = (number, channels.model_dump_json(exclude_none=True, exclude={"session"}).encode())
        self._signals.clear()

    def take_signals(self, signals: SeenSignals, number: int) -> None:
        """A second of signals came."""
        self._signals.append((number, signals.model_dump_json(exclude={"session"}).encode()))

    def look(self, number: int, now: float) -> bool:
        """Is it silent by now?  Whether that is new."""
        if self.silent or self.heard is None or now - self.heard <= SILENT_AFTER_S:
            return False
        self.silent = True
        self.touch(number)
        return True

    def decisions_since(self, number: int) -> Iterable[bytes]:
        """Rows of the decisions that came after a change; see `row`."""
        return (text for n, text in self._rows if n > number)

    def signals_since(self, number: int) -> Iterable[bytes]:
        """Signals that came after a change."""
        return (text for n, text in self._signals if n > number)

    def restarted_since(self, number: int) -> bool:
        """Whether what a page has drawn belongs to a run that is over."""
        return self._restarted > number

    def tile(self) -> bytes:
        """What the overview shows of it, as JSON; ages are left to the page."""
        if self._tile is None:
            self._tile = compact(self._shown())
        return self._tile

    def details(self) -> dict[str, Any]:
        """What only its own page shows."""
        status, decision = self.status, self.latest
        details: dict[str, Any] = {}
        if status is not None:
            details |= status.model_dump(include=set(_OF_STATUS))
        if decision is not None:
            details["decision"] = decision.model_dump(include=set(_OF_DECISION))
        return details

    def _run(self, run: int, number: int) -> None:
        """A session that started again begins anew: its stream's clock may be another one."""
        if run <= self.run:
            return
        known = self.run >= 0
        self.run = run
        self.latest, self._beat, self.alarms = None, None, None
        if self.status is not None and self.status.run < run:
            self.status = None
        self._transit = Transit()
        self._rows.clear()
        self._signals.clear()
        self._trend.clear()
        if known:
            self._restarted = number

    def _made_older(self) -> bool:
        """Let the latest decision be as old as its own stamp says, if that is older; whether it is."""
        decision = self.latest
        if decision is None:
            return False
        made = seconds(decision.produced_at_utc)
        if made is None:
            return False
        zero = self._transit.when(made) - decision.age_s / decision.speed
        older = zero < self._zero
        self._zero = min(zero, self._zero)
        return older

    def _shown(self) -> dict[str, Any]:
        status, decision = self.status, self.latest
        state = None
        if status is not None:
            # Of two words the worse one: they come on two topics, in any order.
            beat = self._beat.state.value if self._beat else status.state.value
            state = beat if status.state.value == "live" else status.state.value
        shown: dict[str, Any] = {
            "name": self.name,
            "run": self.run,
            "n": self.changed,
            "state": state,
            "silent": self.silent,
            "heard": self.heard,
            "reason": status.reason if status else "",
            "since": status.since_utc if status else "",
            "offset": self._transit.offset,
            "origin": status.origin if status else "",
            "trend": list(self._trend),
            "commands": bool(status and status.commands is not None),
            "alarms": [alarm.model_dump() for alarm in self.alarms.alarms] if self.alarms else [],
        }
        if decision is not None and (window := status.window if status else None) is not None:
            leading = _leading(decision.evidence.probabilities)
            probabilities = decision.probabilities or {}
            shown["decision"] = {
                "sequence": decision.sequence,
                "label": None if decision.label == ABSTAIN else decision.label,
                "probability": probabilities.get(decision.label),
                "reasons": decision.reasons,
                "zero": self._zero if self._zero > -1e15 else None,
                "limit": window.max_age_s,
                "speed": decision.speed,
                "end": decision.window_end,
                "evidence": leading,
                "evidence_probability": None if leading is None else decision.evidence.probabilities[leading],
                "windows": decision.evidence.windows,
                "effective": decision.evidence.effective_windows,
                "stopped": decision.evidence.stopped,
                "coverage": decision.coverage,
                "left_out": len(decision.left_out),
                "channels": decision.channels,
            }
        return shown


def _leading(probabilities: dict[str, float]) -> str | None:
    return max(probabilities, key=lambda label: probabilities[label]) if probabilities else None


def row(decision: SeenDecision) -> list[Any]:
    """A decision as the page draws it.

    Returns
    -------
    list
        Sequence, count, start, end and its UTC (s since 1970), uncertainty (s), label or None, reasons,
        probabilities or None, evidence, coverage.
    """
    utc = seconds(decision.window_end_utc)
    probabilities = decision.probabilities
    return [
        decision.sequence,
        decision.count,
        round(decision.window_start, 3),
        round(decision.window_end, 3),
        None if utc is None else round(utc, 3),
        round(decision.time_uncertainty_s, 4),
        None if decision.label == ABSTAIN else decision.label,
        decision.reasons,
        None if probabilities is None else {k: round(v, 4) for k, v in probabilities.items()},
        {k: round(v, 4) for k, v in decision.evidence.probabilities.items()},
        round(decision.coverage, 3),
    ]
