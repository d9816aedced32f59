"""What Prometheus is told, read back by its own parser; and the dashboard that is made of it."""

import json
import math
import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

import tools
from realtime.clock import ClockReport
from realtime.messages.alarms import Alarm, AlarmKind, Priority
from realtime.messages.metrics import METRICS, BedState, metrics
from realtime.status import (
    BrokerStatus,
    CommandsStatus,
    JournalStatus,
    SignalsStatus,
    State,
    Status,
    WindowStatus,
)
from tests.realtime.sinks.support import some_decision

UTC = "2026-11-22T10:00:00.100+00:00"
FULL = BedState(
    session="bed-1",
    status=Status(
        session="bed-1",
        run=2,
        state=State.LIVE,
        window=WindowStatus(length_s=7.0, step_s=1.0, max_age_s=5.0),
        clock=ClockReport(rate=10.0, gaps=2, lost=3),
        journal=JournalStatus(depth=1, failing=True),
        broker=BrokerStatus(connected=True, waiting=4),
        signals=SignalsStatus(dropped=5),
        commands=CommandsStatus(taken=6, refused=7),
        rejected={"stamps": 8},
    ),
    decision=some_decision(3),
    decision_age_s=1.25,
    alive_age_s=0.5,
    alarms=(
        Alarm(id="2-1", kind=AlarmKind.SIGNAL_UNFIT, priority=Priority.MEDIUM, text="", since_utc=UTC),
        Alarm(
            id="2-2",
            kind=AlarmKind.STREAM_LOST,
            priority=Priority.HIGH,
            text="",
            since_utc=UTC,
            until_utc=UTC,
        ),
    ),
)


def read(text: str) -> dict[tuple[str, ...], float]:
    found = {}
    for family in text_string_to_metric_families(text):
        assert (family.type, family.documentation) == METRICS[family.name]
        for sample in family.samples:
            key = (sample.name, *(f"{name}={value}" for name, value in sorted(sample.labels.items())))
            assert key not in found
            found[key] = sample.value
    return found


def test_every_metric_is_given_where_everything_is_known() -> None:
    found = read(metrics([FULL]))
    assert {key[0] for key in found} == set(METRICS)
    assert found["hemostream_beds",] == 1
    assert found["hemostream_state", "session=bed-1", "state=live"] == 1
    assert found["hemostream_state", "session=bed-1", "state=lost"] == 0
    assert found["hemostream_decision_age_seconds", "session=bed-1"] == 1.25
    assert found["hemostream_alarm", "kind=signal unfit", "session=bed-1"] == 1
    assert found["hemostream_alarm", "kind=stream lost", "session=bed-1"] == 0
    assert found["hemostream_alarms_unacknowledged", "session=bed-1"] == 2
    assert found["hemostream_commands_refused", "session=bed-1"] == 7
    assert found["hemostream_rejected", "kind=stamps", "session=bed-1"] == 8


def test_what_is_not_known_is_left_out_and_nothing_decided_is_told() -> None:
    assert read(metrics([])) == {("hemostream_beds",): 0}
    names = {key[0] for key in read(metrics([BedState(session="bed-2")]))}
    assert "hemostream_state" not in names
    assert "hemostream_decision_age_seconds" not in names
    one, other = (
        metrics([BedState(session="b", decision=some_decision(1, label=label))]) for label in ("task", "rest")
    )
    assert one == other


@given(st.text(min_size=1, max_size=12), st.none() | st.floats())
def test_any_name_and_any_number_come_back(session: str, age: float | None) -> None:
    found = read(metrics([BedState(session=session, decision_age_s=age)]))
    ages = [value for key, value in found.items() if key[0] == "hemostream_decision_age_seconds"]
    assert len(ages) == (age is not None)
    if age is not None:
        assert ages[0] == age or (math.isnan(ages[0]) and math.isnan(age))
    if session.isprintable():
        assert ("hemostream_alarms_unacknowledged", f"session={session}") in found


def test_the_dashboard_asks_for_metrics_and_labels_that_exist() -> None:
    path = Path(tools.__file__).parent / "assets" / "grafana" / "hemostream.json"
    board = json.loads(path.read_text())
    asked = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    asked += [one["definition"] for one in board["templating"]["list"] if "definition" in one]
    names = {name for one in asked for name in re.findall(r"hemostream_\w+", one)}
    assert names
    assert names <= set(METRICS)
    given_labels = set(re.findall(r'[{,](\w+)="', metrics([FULL])))
    assert {label for one in asked for label in re.findall(r'[{,](\w+)=~?"', one)} <= given_labels
    shown = {
        label
        for panel in board["panels"]
        for target in panel["targets"]
        for label in re.findall(r"{{(\w+)}}", target["legendFormat"])
    }
    assert shown <= given_labels
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    boxes = [panel["gridPos"] for panel in board["panels"]]
    taken = {
        (x, y)
        for box in boxes
        for x in range(box["x"], box["x"] + box["w"])
        for y in range(box["y"], box["y"] + box["h"])
    }
    assert len(taken) == sum(box["w"] * box["h"] for box in boxes)
