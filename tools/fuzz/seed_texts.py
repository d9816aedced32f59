"""Small whole inputs of everything that is text: messages, side files, descriptions, recipes, cohorts."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

from offline.samples.recipe import recipe_names
from realtime.decision import Decision, Evidence
from realtime.log import Origin
from realtime.messages.alarms import Alarm, AlarmKind, Alarms, Priority
from realtime.messages.signals import ChannelsQuality, Signals
from realtime.status import BrokerStatus, JournalStatus, State, Status
from tools.bench.ward_scene import Actor, alarm
from tools.emulators import LAYOUTS, info_of
from tools.fuzz.seeds import Input, recording


def decision_text() -> str:
    """A decision as it is published."""
    return Decision(
        session="bed-1",
        run=1,
        sequence=3,
        count=1,
        window_start=1.0,
        window_end=8.0,
        window_start_utc="2026-01-02T03:04:05.000Z",
        window_end_utc="2026-01-02T03:04:12.000Z",
        produced_at_utc=None,
        age_s=0.01,
        delay_s=2.0,
        label="tap",
        reasons=(),
        probabilities={"rest": 0.25, "tap": 0.75},
        evidence=Evidence(probabilities={"rest": 0.4, "tap": 0.6}, windows=4, memory_s=None),
        coverage=1.0,
        largest_gap_s=0.0,
        channels=4,
        left_out={"moved": ("S1_D1 760",)},
        quality={"scalp_coupling": 0.9, "peak_power": None},
        novelty=0.5,
        time_uncertainty_s=0.001,
        model="0" * 64,
        origin="live",
        speed=1.0,
    ).to_json()


def status_text() -> str:
    """A status as it is published."""
    return Status(
        session="bed-1",
        run=1,
        state=State.LIVE,
        stream="bed",
        origin="live",
        journal=JournalStatus(),
        broker=BrokerStatus(),
        versions={"torch": "2"},
    ).to_json()


def monitor() -> list[Input]:
    """Every message that the ward's page reads."""
    actor = Actor("bed-1", start=1.8e9, pairs=2)
    return [
        {f"x.{what}": text.encode()}
        for what, text in (
            ("status", actor.status(1.8e9)),
            ("alive", actor.alive(1.8e9)),
            ("decision", actor.decision(1, 1.8e9)),
            ("history", actor.abstention(2, 1.8e9, "motion")),
            ("alarms", actor.alarms(alarm("1", "stream lost", "high", "gone", 1.8e9))),
            ("channels", actor.channels()),
            ("signals", actor.signals(10.0)),
        )
    ]


def decision() -> list[Input]:
    """A decision as it is published."""
    return [{"x.json": decision_text().encode()}]


def status() -> list[Input]:
    """A status as it is published."""
    return [{"x.json": status_text().encode()}]


def commands() -> list[Input]:
    """Commands as a page sends them."""
    sent = "2026-11-22T10:00:00.100+00:00"
    event = {"schema": 1, "id": "3f-a", "label": "suction", "who": "nurse-1", "sent": sent}
    acknowledge = {"schema": 1, "id": "3f-b", "alarm": "1-3", "who": "nurse-1", "sent": None}
    return [
        {"x.event": json.dumps(event).encode()},
        {"x.acknowledge": json.dumps(acknowledge).encode()},
    ]


def signals() -> list[Input]:
    """Signals as they are published."""
    row = (0.5, None)
    quality = ChannelsQuality(
        window_start=1.0,
        window_end=8.0,
        window_reasons=("gap",),
        reasons={"S1_D1 hbo": ("flat",)},
        coverage=row,
        scalp_coupling=row,
        peak_power=row,
        flat_s=row,
        saturated=row,
        moving=row,
    )
    whole = Signals(
        session="bed-1",
        run=1,
        revision=1,
        sequence=2,
        dropped=0,
        stage="processed",
        interval_s=0.1,
        times=(1.0, 1.1),
        times_utc=("2026-11-22T10:00:00.100+00:00", "2026-11-22T10:00:00.200+00:00"),
        low=(row, row),
        high=(row, row),
        quality=quality,
    )
    return [{"x.json": whole.to_json().encode()}]


def alarms() -> list[Input]:
    """Alarms as they are published."""
    utc = "2026-11-22T10:00:00.100+00:00"
    alarm = Alarm(
        id="1-3",
        kind=AlarmKind.STREAM_LOST,
        priority=Priority.HIGH,
        text="gone",
        since_utc=utc,
        until_utc=utc,
    )
    return [{"x.json": Alarms(session="bed-1", run=1, alarms=(alarm,)).to_json().encode()}]


def layout() -> list[Input]:
    """Side files of both forms that use all that one may hold."""
    montage = [
        {
            "channel_idx": row,
            "source": f"S{1 + row // 2}_FCC3h",
            "detector": "D1_C1",
            "wavelength": (760, 850)[row % 2],
            "type": ("Long", "Short")[row // 2],
        }
        for row in range(4)
    ]
    montage.append(
        {"channel_idx": 6, "source": "S3", "detector": "D2", "kind": "HbO", "unit": "uM", "label": "x"}
    )
    separations = {"Long": "30 mm", "Short": "8 mm"}
    whole = {"SamplingFrequency": 8.12, "SourceDetectorSeparation": separations, "ChMontage": montage}
    geometry = {
        "SourceDetectorSeparation": {"Tx1-Rx1": "30 mm"},
        "Optodes": {"Tx3": [81.2, 10, 33.5], "Rx2": [70.1, 30, 40]},
        "OptodeUnit": "mm",
    }
    return [{"x.json": json.dumps(values, indent=1).encode()} for values in (whole, whole, geometry)]


def description() -> list[Input]:
    """The stream descriptions of every vendor that can be emulated, and the side files they need."""
    found: list[Input] = []
    for emulate in LAYOUTS.values():
        emulated = emulate(recording(), Origin())
        side = {} if emulated.side is None else {"side.json": json.dumps(emulated.side).encode()}
        found.append({"x.xml": ET.tostring(info_of(emulated)), **side})
    geometry = {"Optodes": {"Tx1": [0, 0, 0], "Rx1": [30, 0.5, 0]}, "OptodeUnit": "mm"}
    return [*found, {**found[0], "side.json": json.dumps(geometry).encode()}]


def recipe() -> list[Input]:
    """The recipes that ship."""
    folder = Path(__file__).resolve().parents[2] / "offline" / "recipes"
    return [{"x.toml": (folder / f"{name}.toml").read_bytes()} for name in recipe_names()]


def cohort() -> list[Input]:
    """A table of three recordings, which are there and empty."""
    lines = ["recording\tperson\tsession\tsite\tage\tsex\tgroup"]
    lines += [f"{name}\tp{i}\ts1\tA\t{20 + i}\tF\t{name}" for i, name in enumerate("abc")]
    return [{"x.tsv": ("\n".join(lines) + "\n").encode(), "a": b"", "b": b"", "c": b""}]
