"""Decisions as lines of a file."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models.errors import HemostreamError
from realtime.decision import Decision
from realtime.sinks.jsonl import JsonLinesSink


def test_each_decision_is_a_line_that_can_be_read_at_once(
    tmp_path: Path, make_decision: Callable[..., Any]
) -> None:
    path = tmp_path / "decisions.jsonl"
    decisions = [make_decision(index, label="tâche") for index in range(3)]
    with JsonLinesSink(path) as sink:
        for count, decision in enumerate(decisions, 1):
            sink.publish(decision.to_json(), decision.window_end)
            assert path.read_bytes().count(b"\n") == count
    assert path.read_bytes() == "".join(f"{one.to_json()}\n" for one in decisions).encode()
    assert [Decision.from_json(line) for line in path.read_text().splitlines()] == decisions


def test_an_open_stream_is_left_open(make_decision: Callable[..., Any]) -> None:
    stream = io.StringIO()
    with JsonLinesSink(stream) as sink:
        sink.publish("{}")
    assert stream.getvalue() == "{}\n"
    assert not stream.closed


def test_a_file_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    with pytest.raises(HemostreamError, match=r"absent.*No such file"):
        JsonLinesSink(tmp_path / "absent" / "x.jsonl")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's full device")
def test_a_full_disk_does_not_end_the_session_and_is_reported_at_the_end() -> None:
    sink = JsonLinesSink("/dev/full")
    for _ in range(3):
        sink.publish("{}")
    assert sink.missing == 3
    with pytest.raises(HemostreamError, match=r"last 3 decisions are not in /dev/full: No space left"):
        sink.close()
