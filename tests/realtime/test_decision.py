"""The decision as it leaves the house: its JSON, and the schema that is published of it."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

import realtime.decision
from realtime.decision import ABSTAIN, Decision, Evidence

SCHEMA = json.loads((Path(realtime.decision.__file__).parent / "decision.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

seconds = st.floats(-1e9, 1e9)
positive = st.floats(0, 1e6)
utc = st.none() | st.datetimes().map(lambda time: f"{time.isoformat(timespec='microseconds')}+00:00")
probability = st.floats(0, 1)
probabilities = st.dictionaries(st.text(min_size=1, max_size=5), probability, max_size=3)
predicted = st.fixed_dictionaries(
    {
        "label": st.sampled_from(["task", "rest", "tâche"]),
        "reasons": st.just(()),
        "probabilities": probabilities,
    }
)
abstained = st.fixed_dictionaries(
    {
        "label": st.just(ABSTAIN),
        "reasons": st.lists(st.text(min_size=1, max_size=9), min_size=1, max_size=3).map(tuple),
        "probabilities": st.none() | probabilities,
    }
)


@st.composite
def decisions(draw: st.DrawFn) -> Decision:
    values: dict[str, Any] = draw(predicted | abstained)
    return Decision(
        session=draw(st.text(min_size=1, max_size=8)),
        run=draw(st.integers(0, 2**40)),
        sequence=draw(st.integers(0, 2**40)),
        count=draw(st.integers(1, 2**20)),
        window_start=draw(seconds),
        window_end=draw(seconds),
        window_start_utc=draw(utc),
        window_end_utc=draw(utc),
        produced_at_utc=draw(utc),
        age_s=draw(seconds),
        delay_s=draw(positive),
        evidence=Evidence(
            probabilities=draw(probabilities),
            windows=draw(st.integers(0, 10**6)),
            effective_windows=draw(st.none() | st.floats(0, 1e6)),
            memory_s=draw(st.none() | st.floats(0.1, 1e5)),
            stopped=draw(st.none() | st.sampled_from(["rest", "task"])),
        ),
        coverage=draw(probability),
        largest_gap_s=draw(positive),
        channels=draw(st.integers(0, 500)),
        left_out=draw(
            st.dictionaries(st.text(min_size=1), st.lists(st.text(), min_size=1).map(tuple), max_size=2)
        ),
        quality=draw(st.dictionaries(st.text(min_size=1), st.none() | st.floats(0, 1), max_size=3)),
        novelty=draw(st.none() | st.floats(0, 1e3)),
        time_uncertainty_s=draw(st.floats(0, 10)),
        model=draw(st.text(max_size=64)),
        origin=draw(st.sampled_from(["live", "replayed", "simulated"])),
        speed=draw(st.floats(0.1, 1000)),
        **values,
    )


@given(decisions())
def test_what_leaves_the_house_is_valid_and_comes_back_the_same(decision: Decision) -> None:
    text = decision.to_json()
    VALIDATOR.validate(json.loads(text))
    assert "\n" not in text
    assert Decision.from_json(text) == decision
    assert Decision.from_json(text.encode()).to_json() == text
    assert decision.abstained == (decision.label == ABSTAIN)


def test_the_schema_itself_is_sound() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_schema_and_record_name_the_same_fields_in_the_same_order() -> None:
    names = ["schema", *(field.name for field in fields(Decision))]
    assert list(SCHEMA["properties"]) == names
    assert SCHEMA["required"] == names
    evidence = SCHEMA["properties"]["evidence"]
    assert list(evidence["properties"]) == evidence["required"] == [field.name for field in fields(Evidence)]


def test_every_field_is_described() -> None:
    assert [name for name, value in SCHEMA["properties"].items() if not value.get("description")] == []


@given(decisions(), st.data())
def test_what_is_not_a_decision_is_refused(decision: Decision, data: st.DataObject) -> None:
    values = json.loads(decision.to_json())
    wrong: dict[str, list[Any]] = {
        "schema": [2, None],
        "session": ["", 3],
        "sequence": [-1, 0.5],
        "count": [0],
        "window_start": ["0", None],
        "window_end_utc": ["yesterday", "2026-11-22 10:00", 5],
        "delay_s": [-1.0],
        "label": [None, ""],
        "reasons": [None, "why", [] if decision.abstained else ["why"]],
        "probabilities": [{"task": 1.5}, {"task": "much"}, []],
        "coverage": [1.01, -0.01, None],
        "origin": ["elsewhere"],
        "speed": [0, -1],
    }
    name = data.draw(st.sampled_from(sorted(wrong)))
    values[name] = data.draw(st.sampled_from(wrong[name]))
    assert not VALIDATOR.is_valid(values)


@given(decisions(), st.data())
def test_a_missing_or_an_unknown_field_is_refused(decision: Decision, data: st.DataObject) -> None:
    values = json.loads(decision.to_json())
    values.pop(data.draw(st.sampled_from(sorted(values))))
    assert not VALIDATOR.is_valid(values)
    assert not VALIDATOR.is_valid({**json.loads(decision.to_json()), "diagnosis": "none"})


def test_no_nan_is_published() -> None:
    decision = Decision.from_json(
        '{"schema":1,"session":"s","run":1,"sequence":0,"count":1,"window_start":0.0,"window_end":7.0,'
        '"window_start_utc":null,"window_end_utc":null,"produced_at_utc":null,"age_s":NaN,"delay_s":0.0,'
        '"label":"task","reasons":[],"probabilities":{},"evidence":{"probabilities":{},"windows":0,'
        '"memory_s":null},"coverage":1.0,"largest_gap_s":0.0,"channels":1,"left_out":{},"quality":{},"novelty":null,"time_uncertainty_s":0.0,"model":"","origin":"live","speed":1.0}'
    )
    with pytest.raises(ValueError, match="not JSON compliant"):
        decision.to_json()
