"""What leaves a session besides decisions: each record and the schema that is published of it are one."""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

import realtime.decision
from models.errors import MessageError
from models.outside import printable
from realtime.messages.alarms import Alarm, AlarmKind, Alarms, Priority
from realtime.messages.alive import Alive
from realtime.messages.channels import MOST_BYTES, ChannelList
from realtime.messages.commands import COMMANDS, Answer, read_command
from realtime.messages.signals import ChannelsQuality, Signals
from realtime.signal import Channel, SignalSpec
from realtime.signal import Kind as Measures
from realtime.stages.homologues import mirrored
from realtime.status import State
from tests.realtime.support import intensity_spec

FOLDER = Path(realtime.decision.__file__).parent
UTC = "2026-11-22T10:00:00.100+00:00"
WHO = {"session": "bed-1", "run": 2}
SPEC = intensity_spec()
HALF = (0.5, None, 0.25, 1.0)
QUALITY = ChannelsQuality(
    window_start=1.0,
    window_end=8.0,
    window_reasons=("warming up",),
    reasons={"S1_D1 760": ("flat", "motion")},
    coverage=HALF,
    scalp_coupling=HALF,
    peak_power=HALF,
    flat_s=HALF,
    saturated=HALF,
    moving=HALF,
)
STREAM: dict[str, Any] = {**WHO, "revision": 1, "stream": "Aurora", "origin": "replayed", "speed": 4.0}
EXAMPLES: dict[str, list[Any]] = {
    "alive": [Alive(**WHO, beat=3, state=State.LIVE, utc=UTC)],
    "channels": [ChannelList.of(SPEC, SPEC.pick([0, 3]).with_rate(5.0), mirrored, **STREAM)],
    "signals": [
        Signals(
            **WHO,
            revision=1,
            sequence=7,
            dropped=1,
            stage="processed",
            interval_s=0.1,
            times=(1.0, 1.1),
            times_utc=(UTC, UTC),
            low=((0.5, None), (1.0, 2.0)),
            high=((0.5, None), (1.5, 2.0)),
            quality=QUALITY,
        ),
        Signals(
            **WHO,
            revision=1,
            sequence=8,
            dropped=0,
            stage="raw",
            interval_s=2.0,
            times=(3.0,),
            times_utc=None,
            low=((0.5,),),
            high=None,
            quality=None,
        ),
    ],
    "alarms": [
        Alarms(**WHO),
        Alarms(
            **WHO,
            alarms=(
                Alarm(
                    id="1-3", kind=AlarmKind.STREAM_LOST, priority=Priority.HIGH, text="gone", since_utc=UTC
                ),
                Alarm(
                    id="1-2",
                    kind=AlarmKind.SIGNAL_UNFIT,
                    priority=Priority.MEDIUM,
                    text="",
                    since_utc=UTC,
                    until_utc=UTC,
                    count=2,
                    acknowledged_by="nurse-1",
                    acknowledged_utc=UTC,
                ),
            ),
        ),
    ],
    "command_answer": [
        Answer(**WHO, id="a", command="event", ok=True, time=1.5, time_utc=UTC, uncertainty_s=0.02),
        Answer(**WHO, id="", command="acknowledge", ok=False, reason="no such alarm"),
    ],
}
GIVEN: dict[str, dict[str, Any]] = {
    "event": {"schema": 1, "id": "3f-a", "label": "suction", "who": "nurse-1", "sent": UTC},
    "acknowledge": {"schema": 1, "id": "3f-b", "alarm": "1-3", "who": "nurse-1", "sent": None},
}
NAMES = [*EXAMPLES, *(f"command_{name}" for name in GIVEN)]


def schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.schema.json").read_text())
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_schema_is_sound_and_describes_every_field(name: str) -> None:
    published = schema(name)
    jsonschema.Draft202012Validator.check_schema(published)
    assert published["$id"] == f"urn:hemostream:{name}:1"
    assert [key for key, value in published["properties"].items() if not value.get("description")] == []


def test_every_schema_is_tried_here() -> None:
    assert {path.name.removesuffix(".schema.json") for path in FOLDER.glob("*.schema.json")} == {
        "decision",
        *NAMES,
    }


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_record_and_its_schema_name_the_same_fields_in_the_same_order(name: str) -> None:
    published = schema(name)

    def compare(record: Any, form: Mapping[str, Any], first: tuple[str, ...]) -> None:
        names = [*first, *(field.name for field in fields(record))]
        assert list(form["properties"]) == names
        assert form["required"] == names

    for record in EXAMPLES[name]:
        compare(record, published, ("schema",))
        for field in fields(record):
            value = getattr(record, field.name)
            if is_dataclass(value):
                compare(value, published["properties"][field.name], ())
    if name == "alarms":
        compare(EXAMPLES[name][1].alarms[0], published["$defs"]["alarm"], ())


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_leaves_is_valid_and_comes_back_the_same(name: str) -> None:
    validator = jsonschema.Draft202012Validator(schema(name))
    for record in EXAMPLES[name]:
        text = record.to_json()
        validator.validate(json.loads(text))
        assert "\n" not in text
        assert type(record).from_json(text).to_json() == text
        assert type(record).from_json(text.encode()).to_json() == text


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_lacks_a_field_or_has_another_is_refused(name: str) -> None:
    values = json.loads(EXAMPLES[name][-1].to_json())
    for wrong in ({**values, "run": "x"}, {**values, "other": 1}, {"schema": 1}, [1], "x"):
        with pytest.raises(MessageError):
            type(EXAMPLES[name][-1]).from_json(json.dumps(wrong))


def test_words_of_a_schema_are_those_of_the_code() -> None:
    alarm = schema("alarms")["$defs"]["alarm"]["properties"]
    assert alarm["kind"]["enum"] == list(AlarmKind)
    assert alarm["priority"]["enum"] == list(Priority)
    assert schema("alarms")["properties"]["alarms"]["maxItems"] == len(AlarmKind)
    assert schema("alive")["properties"]["state"]["enum"] == list(State)
    assert schema("command_answer")["properties"]["command"]["enum"] == list(COMMANDS)
    channel = schema("channels")["$defs"]["channel"]["properties"]
    assert channel["kind"]["enum"] == list(Measures)
    assert list(channel) == [*(field.name for field in fields(Channel)), "mirror"]


def test_channels_that_have_no_room_are_counted() -> None:
    many = SignalSpec(
        tuple(Channel(name=f"region {i} {'x' * 150}", kind=Measures.BOLD, unit="a.u.") for i in range(2000)),
        0.5,
    )
    sent = ChannelList.of(many, many, mirrored, **STREAM)
    assert len(sent.to_json().encode()) <= MOST_BYTES
    assert len(sent.raw.channels) + len(sent.processed.channels) + sent.left_out == 4000
    assert sent.raw.channels == sent.processed.channels


def test_a_channel_names_its_mirror() -> None:
    spec = SignalSpec(
        tuple(
            Channel(name=name, kind=Measures.HBO, unit="mol/L", position=(x, 0.05, 0.0))
            for name, x in (("left", -0.03), ("right", 0.03), ("middle", 0.0))
        ),
        10.0,
    )
    rows = ChannelList.of(spec, spec, mirrored, **STREAM).raw.channels
    assert [row.get("mirror") for row in rows] == ["right", "left", None]


@pytest.mark.parametrize("name", GIVEN)
def test_a_command_is_read_as_it_was_sent(name: str) -> None:
    jsonschema.validate(GIVEN[name], schema(f"command_{name}"))
    command = read_command(name, json.dumps(GIVEN[name]).encode())
    assert command.model_dump(by_alias=True) == GIVEN[name]


texts = st.text(max_size=70) | st.sampled_from(["", " ", "x" * 201, "a b", UTC, "\x1b[2J", "\u202e"])
json_values = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts


@pytest.mark.parametrize("name", GIVEN)
@given(data=st.data())
def test_what_the_schema_of_a_command_refuses_is_refused(name: str, data: st.DataObject) -> None:
    values = dict(GIVEN[name])
    for key in data.draw(st.lists(st.sampled_from([*values, "other"]), min_size=1, max_size=2)):
        if data.draw(st.booleans()):
            values.pop(key, None)
        else:
            values[key] = data.draw(json_values)
    payload = json.dumps(values).encode()
    if jsonschema.Draft202012Validator(schema(f"command_{name}")).is_valid(values):
        shown = [printable(values[key].strip(), 200) for key in ("who", "label") if key in values]
        if all(shown):
            command = read_command(name, payload).model_dump()
            assert [command[key] for key in ("who", "label") if key in command] == shown
        else:
            with pytest.raises(MessageError, match="can be read"):
                read_command(name, payload)
    else:
        with pytest.raises(MessageError):
            read_command(name, payload)


@pytest.mark.parametrize(
    ("name", "payload", "says"),
    [
        ("reboot", b"{}", "no command 'reboot'"),
        ("event", b"{" + b" " * 4096 + b"}", "4098 bytes"),
        ("event", b"\xff", "no JSON"),
        ("event", b"[" * 4000, "no JSON"),
        ("event", b"[]", "The command 'event'"),
        ("event", b'{"id":"a","label":"x","who":"y","sent":"yesterday"}', "sent"),
    ],
)
def test_what_is_no_command_says_what_is_wrong(name: str, payload: bytes, says: str) -> None:
    with pytest.raises(MessageError, match=says):
        read_command(name, payload)


def test_what_the_pipeline_standardised_is_in_standard_deviations() -> None:
    rows = ChannelList.of(SPEC, SPEC, mirrored, standardised=True, **STREAM)
    assert {channel["unit"] for channel in rows.processed.channels} == {"SD"}
    assert [channel["unit"] for channel in rows.raw.channels] == [each.unit for each in SPEC.channels]
