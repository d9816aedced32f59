"""The announcement to Home Assistant, against what its own code says of device discovery.

``FORM`` restates ``DEVICE_DISCOVERY_SCHEMA`` of homeassistant/components/mqtt/schemas.py and the options that
its documentation gives for MQTT sensors and binary sensors.
"""

import json
import re
from typing import Any

import jinja2
import jsonschema
import pytest

from models.cards.window_card import WindowCard
from realtime.decision import Decision
from realtime.messages.alarms import Alarm, AlarmKind, Alarms, Priority
from realtime.sinks.mqtt.home_assistant import announcement, identifier
from realtime.status import State, Status
from tests.realtime.sinks.support import some_decision
from tests.realtime.support import FAST, intensity_spec

CARD = WindowCard(
    model={"kind": "cgrnn", "params": {}, "n_chans": 4, "n_times": 70, "n_outputs": 2},
    input=intensity_spec().to_json(),
    pipeline=[dict(stage) for stage in FAST],
    rate=10.0,
    window={"length_s": 7.0, "step_s": 1.0},
    labels=["rest", "task"],
    policy={"max_age_s": 5.5},
)
TOPIC = {"type": "string", "pattern": "^[^#+]+$"}
ENTITY = {
    "type": "object",
    "additionalProperties": False,
    "required": ["platform", "unique_id", "state_topic"],
    "properties": {
        "platform": {"enum": ["sensor", "binary_sensor"]},
        "unique_id": {"type": "string"},
        "name": {"type": "string"},
        "state_topic": TOPIC,
        "value_template": {"type": "string"},
        "json_attributes_topic": TOPIC,
        "expire_after": {"type": "integer", "minimum": 1},
        "device_class": {"enum": ["enum", "problem", "connectivity"]},
        "entity_category": {"enum": ["diagnostic"]},
        "options": {"type": "array", "items": {"type": "string"}, "minItems": 1},
        "state_class": {"enum": ["measurement"]},
        "unit_of_measurement": {"type": "string"},
        "suggested_display_precision": {"type": "integer", "minimum": 0},
    },
}
FORM = {
    "type": "object",
    "additionalProperties": False,
    "required": ["device", "components", "origin"],
    "properties": {
        "device": {
            "type": "object",
            "additionalProperties": False,
            "required": ["identifiers"],
            "properties": {
                "identifiers": {"type": "array", "items": {"type": "string"}, "minItems": 1},
                "name": {"type": "string"},
                "manufacturer": {"type": "string"},
                "model": {"type": "string"},
            },
        },
        "origin": {
            "type": "object",
            "additionalProperties": False,
            "required": ["name"],
            "properties": {"name": {"type": "string"}},
        },
        "availability": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["topic"],
                "properties": {"topic": TOPIC, "value_template": {"type": "string"}},
            },
        },
        "qos": {"enum": [0, 1, 2]},
        "components": {"type": "object", "additionalProperties": ENTITY},
    },
}
UTC = "2026-11-22T10:00:00.100+00:00"


def announced(session: str = "bed-1") -> dict[str, Any]:
    where, text = announcement(session, CARD)
    assert re.fullmatch(r"homeassistant/device/[a-zA-Z0-9_-]+/config", where)
    found: dict[str, Any] = json.loads(text)
    jsonschema.validate(found, FORM)
    return found


def shown(component: dict[str, Any], payload: str) -> str:
    value = json.loads(payload)
    return jinja2.Environment().from_string(component["value_template"]).render(value_json=value)


@pytest.mark.parametrize("session", ["bed-1", "Bett 4 (süd)", "x" * 200])
def test_the_announcement_has_the_form_that_is_asked_for(session: str) -> None:
    found = announced(session)
    entities = found["components"].values()
    assert len({entity["unique_id"] for entity in entities}) == len(entities)
    assert all(entity["state_topic"].startswith(f"hemostream/{session}/") for entity in entities)


def test_two_sessions_are_two_devices() -> None:
    assert identifier("bed 1") != identifier("bed_1") != identifier("bed(1")
    assert identifier("bed-1") == "hemostream-bed-1"


def test_what_depends_on_a_decision_expires_and_no_label_is_an_alarm() -> None:
    components = announced()["components"]
    for entity in components.values():
        if entity["state_topic"].endswith("/decision"):
            assert entity["expire_after"] == 5
            assert entity["platform"] == "sensor"
            assert "device_class" not in entity
    problem = [entity for entity in components.values() if entity.get("device_class") == "problem"]
    assert [entity["state_topic"] for entity in problem] == ["hemostream/bed-1/alarms"]


def test_templates_show_what_the_messages_say() -> None:
    found = announced()
    its = found["components"]
    decision: Decision = some_decision(1)
    silent = some_decision(2, label="abstain", reasons=("gap",), probabilities=None)
    assert shown(its["label"], decision.to_json()) == "task"
    assert shown(its["probability"], decision.to_json()) == "75.0"
    assert shown(its["probability"], silent.to_json()) == ""
    assert shown(its["coverage"], decision.to_json()) == "100.0"
    live = Status(session="bed-1", run=1, state=State.LIVE)
    assert shown(its["state"], live.to_json()) == "live"
    assert set(its["state"]["options"]) == set(State)
    (availability,) = found["availability"]
    assert shown(availability, live.to_json()) == "online"
    assert shown(availability, Status.lost("bed-1", 1).to_json()) == "offline"
    alarm = Alarm(id="1", kind=AlarmKind.STREAM_LOST, priority=Priority.HIGH, text="", since_utc=UTC)
    over = Alarm(
        id="2", kind=AlarmKind.STREAM_LOST, priority=Priority.LOW, text="", since_utc=UTC, until_utc=UTC
    )
    for alarms, problem, count in (((), "OFF", "0"), ((over,), "OFF", "1"), ((alarm, over), "ON", "2")):
        text = Alarms(session="bed-1", run=1, alarms=alarms).to_json()
        assert (shown(its["alarms"], text), shown(its["alarm_count"], text)) == (problem, count)
