"""A ward that is made up: sessions that publish as real ones do, for the page's tests, bench and pictures.

No signal here was measured of anybody, and nothing is classified: it is about what the page does with
messages.  Every message fits its published schema.
"""

import json
import math
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from realtime.clock import ClockReport
from realtime.decision import ABSTAIN, Decision, Evidence
from realtime.status import BrokerStatus, JournalStatus, State, Status

WINDOW = {"length_s": 7.0, "step_s": 1.0, "max_age_s": 5.0}
LABELS = ("rest", "task")


def utc(at: float) -> str:
    """Seconds since 1970 as a status writes them."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


@dataclass
class Actor:
    """One made-up session.

    Parameters
    ----------
    session : str
        Its name.
    run : int
        Grows at each start.
    state : State
        What it is doing.
    start : float
        Wall clock when it began, s since 1970.
    pairs : int
        Pairs of optodes; each has HbO and HbR.
    wall_error_s : float
        By how much its wall clock is wrong, s.
    """

    session: str
    run: int = 1
    state: State = State.LIVE
    start: float = field(default_factory=time.time)
    pairs: int = 16
    wall_error_s: float = 0.0
    reason: str = ""
    since: float | None = None
    bad: Sequence[int] = ()
    origin: str = "live"
    beats: int = 0
    messages: int = 0

    def __post_init__(self) -> None:
        self.random = random.Random(self.session)
        self.belief = self.random.uniform(0.3, 0.7)

    def topic(self, what: str) -> str:
        """Where it publishes something."""
        return f"hemostream/{self.session}/{what}"

    def alive(self, now: float) -> str:
        """A heartbeat."""
        self.beats += 1
        return _text(
            {
                "session": self.session,
                "run": self.run,
                "beat": self.beats,
                "state": self.state.value,
                "utc": utc(now + self.wall_error_s),
            }
        )

    def status(self, now: float, **changes: Any) -> str:
        """A status."""
        status = Status(
            session=self.session,
            run=self.run,
            state=self.state,
            reason=self.reason,
            since_utc=utc((self.since or self.start) + self.wall_error_s),
            stream="Cap",
            origin=self.origin,
            model="5f3a9c1e77b04d22" * 4,
            evaluation="by unseen person: AUC .66 (.58 to .73), 46 people; better than chance (p .030)",
            labels="labels are shown from a confidence of .65: right for 72% of such windows of unseen "
            "people, always the most frequent label for 55%",
            clock=ClockReport(rate=10.0007, jitter_s=0.0011, uncertainty_s=0.004, gaps=1, dropped=2),
            journal=JournalStatus(),
            broker=BrokerStatus(connected=True),
            versions={"hemostream": "0.1.0", "torch": "2.9.0", "liblsl": "1.16.2", "python": "3.11.9"},
        )
        values = json.loads(replace(status, **changes).to_json())
        commands = {"taken": 0, "refused": 0, "paused": False}
        signals = {"dropped": 0}
        extra = {"window": WINDOW, "commands": commands, "signals": signals, "channels": 2 * self.pairs}
        return json.dumps({**values, **extra})

    def decision(self, sequence: int, produced: float, **changes: Any) -> str:
        """A decision of a window, made at a time of the true clock."""
        self.belief = min(0.97, max(0.03, self.belief + self.random.gauss(0, 0.04)))
        wave = 0.5 + 0.42 * math.sin(sequence / 17.0 + len(self.session))
        probability = min(0.98, max(0.02, wave + self.random.gauss(0, 0.06)))
        probabilities = {"rest": round(1 - probability, 4), "task": round(probability, 4)}
        best = max(probabilities, key=lambda label: probabilities[label])
        sure = probabilities[best] >= 0.6
        end = 1000.0 + sequence
        told = utc(produced + self.wall_error_s)
        decision = Decision(
            session=self.session,
            run=self.run,
            sequence=sequence,
            count=1,
            window_start=end - 7.0,
            window_end=end,
            window_start_utc=utc(produced + self.wall_error_s - 7.05),
            window_end_utc=utc(produced + self.wall_error_s - 0.05),
            produced_at_utc=told,
            age_s=0.05,
            delay_s=4.0,
            label=best if sure else ABSTAIN,
            reasons=() if sure else ("undecided",),
            probabilities=probabilities,
            evidence=Evidence(
                probabilities={"rest": round(1 - self.belief, 4), "task": round(self.belief, 4)},
                windows=sequence + 1,
                effective_windows=round((sequence + 1) / 6, 2),
                memory_s=None,
            ),
            coverage=1.0,
            largest_gap_s=0.0,
            channels=2 * self.pairs - 2 * len(self.bad),
            left_out={
                f"{name} {kind}": ("scalp coupling",) for name in self.bad_names() for kind in ("hbo", "hbr")
            },
            quality={"scalp_coupling": 0.9, "peak_power": 0.2, "moving": 0.0},
            novelty=0.4,
            time_uncertainty_s=0.004,
            model="5f3a9c1e77b04d22" * 4,
            origin=self.origin,
            speed=1.0,
        )
        return replace(decision, **changes).to_json()

    def abstention(self, sequence: int, produced: float, *reasons: str, **changes: Any) -> str:
        """A decision that is none."""
        return self.decision(
            sequence, produced, label=ABSTAIN, reasons=reasons, probabilities=None, **changes
        )

    def bad_names(self) -> list[str]:
        """Pairs that are left out."""
        return [self._name(pair) for pair in self.bad]

    def channels(self) -> str:
        """What its rows are: pairs over both sides of the head."""
        places = [self._place(pair) for pair in range(self.pairs)]
        processed = [
            {"name": f"{self._name(pair)} {kind}", "kind": kind, "unit": "mol/L", **places[pair]}
            for pair in range(self.pairs)
            for kind in ("hbo", "hbr")
        ]
        raw = [
            {
                "name": f"{self._name(pair)} {wavelength}",
                "kind": "intensity",
                "unit": "V",
                "wavelength": float(wavelength),
                **places[pair],
            }
            for pair in range(self.pairs)
            for wavelength in (760, 850)
        ]
        return _text(
            {
                "session": self.session,
                "run": self.run,
                "revision": 1,
                "stream": "Cap",
                "origin": self.origin,
                "speed": 1.0,
                "raw": {"rate": 10.0, "channels": raw},
                "processed": {"rate": 10.0, "channels": processed},
                "left_out": 0,
            }
        )

    def signals(self, end: float, *, rate: float = 10.0, seconds: float = 1.0, spread: bool = True) -> str:
        """Signals up to a stream time."""
        self.messages += 1
        count = round(rate * seconds)
        times = [round(end - seconds + (i + 1) / rate, 4) for i in range(count)]
        low, high = [], []
        for pair in range(self.pairs):
            for sign, size in ((1.0, 0.9e-6), (-1.0, 0.35e-6)):
                slow = [
                    sign * size * math.sin(time / 9.0 + 0.37 * pair)
                    + 0.16 * size * math.sin(2 * math.pi * 1.1 * time + pair)
                    + self.random.gauss(0, 0.05 * size)
                    for time in times
                ]
                low.append([value - 0.04 * size for value in slow])
                high.append([value + 0.04 * size for value in slow])
        reasons = {
            f"{name} {kind}": ["scalp coupling"] for name in self.bad_names() for kind in ("hbo", "hbr")
        }
        unknown = [None] * (2 * self.pairs)
        quality = {
            "window_start": end - 7.0,
            "window_end": end,
            "window_reasons": [],
            "reasons": reasons,
            **dict.fromkeys(
                ("coverage", "scalp_coupling", "peak_power", "flat_s", "saturated", "moving"), unknown
            ),
        }
        return _text(
            {
                "session": self.session,
                "run": self.run,
                "revision": 1,
                "sequence": self.messages,
                "dropped": 0,
                "stage": "processed",
                "interval_s": 1 / rate,
                "times": times,
                "times_utc": None,
                "low": low,
                "high": high if spread else None,
                "quality": quality,
            }
        )

    def alarms(self, *alarms: Mapping[str, Any]) -> str:
        """The list of its alarms."""
        return _text({"session": self.session, "run": self.run, "alarms": list(alarms)})

    def _name(self, pair: int) -> str:
        return f"S{pair // 3 + 1}_D{pair // 2 + 1}"

    def _place(self, pair: int) -> dict[str, Any]:
        """Two patches over the motor areas, as rows of pairs."""
        side = -1 if pair % 2 else 1
        column, row = divmod(pair // 2, 4)
        around = math.radians(38 + 15 * row)
        along = math.radians(-24 + 17 * column)

        def on_head(along: float, around: float) -> list[float]:
            radius = 0.09
            x = side * radius * math.sin(around) * math.cos(along)
            return [x, radius * math.sin(along), 0.02 + radius * math.cos(around) * math.cos(along)]

        return {
            "source": pair // 3 + 1,
            "detector": pair // 2 + 1 + (100 if side < 0 else 0),
            "source_name": f"S{pair // 3 + 1}",
            "detector_name": f"D{pair // 2 + 1}",
            "distance": 0.03,
            "source_position": on_head(along, around),
            "detector_position": on_head(
                along + math.radians(11 if row % 2 else -11), around + math.radians(9)
            ),
        }


def alarm(identity: str, kind: str, priority: str, text: str, since: float, **changes: Any) -> dict[str, Any]:
    """An alarm as the list holds it."""
    values = {
        "id": identity,
        "kind": kind,
        "priority": priority,
        "text": text,
        "since_utc": utc(since),
        "until_utc": None,
        "count": 1,
        "acknowledged_by": None,
        "acknowledged_utc": None,
    }
    return {**values, **changes}


def _text(values: Mapping[str, Any]) -> str:
    return json.dumps({"schema": 1, **values}, separators=(",", ":"), allow_nan=False)
