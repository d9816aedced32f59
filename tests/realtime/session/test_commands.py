"""Commands: bounded, taken once, stamped with their arrival."""

import json
from typing import Any

import pytest

from realtime.log import AlarmChanged, EventReceived
from realtime.messages.alarms import AlarmKind
from realtime.session.alarms import AlarmBoard
from realtime.session.commands import BURST, FLOOD, PAUSE_S, Commands, Taken

UTC_0 = 1.7e9


def commands(stream: bool = True) -> tuple[Commands, AlarmBoard]:
    board = AlarmBoard(run=1, utc=str)
    return (
        Commands(
            "bed-1",
            1,
            board=board,
            stream_time=lambda local: 2 * local if stream else None,
            utc=lambda local: UTC_0 + local,
        ),
        board,
    )


def take(to: Commands, local: float = 10.0, name: str = "event", **changes: Any) -> Taken:
    values = {"id": "a1", "who": "nurse-1"}
    values |= {"label": "suction"} if name == "event" else {"alarm": "1-1"}
    return to.take(name, json.dumps({**values, **changes}).encode(), False, local)


def test_an_event_stands_at_its_arrival_and_says_how_late_that_may_be() -> None:
    to, _ = commands()
    entry, answer = take(to, sent="2023-11-14T22:13:29.250Z")  # 0.75 s before 1.7e9 + 10
    assert entry == EventReceived(
        10.0, 20.0, "suction", who="nurse-1", command="a1", sent_utc="2023-11-14T22:13:29.250Z"
    )
    assert answer is not None
    assert (answer.ok, answer.time, answer.time_utc) == (True, 20.0, "2023-11-14T22:13:30.000+00:00")
    assert answer.uncertainty_s == 0.75
    assert (to.taken, to.refused) == (1, 0)


@pytest.mark.parametrize(
    "sent", [None, "2023-11-14T22:13:31Z", "2023-11-14T20:13:29Z", "2023-02-31T00:00:00Z"]
)
def test_a_clock_that_cannot_be_right_says_nothing(sent: str | None) -> None:
    _, answer = take(commands()[0], sent=sent)
    assert answer is not None
    assert (answer.ok, answer.uncertainty_s) == (True, None)


def test_the_same_id_again_is_the_same_event() -> None:
    to, _ = commands()
    first = take(to)
    again = take(to, local=11.0, label="something else")
    assert again == Taken(None, first.answer)
    assert to.taken == 1
    assert take(to, id="a2").entry is not None


def test_an_alarm_is_acknowledged_once() -> None:
    to, board = commands()
    for local in (0.0, 60.0):
        board.look(local, {AlarmKind.STREAM_LOST: "gone"})
    entry, answer = take(to, name="acknowledge")
    assert isinstance(entry, AlarmChanged)
    assert (entry.alarm.acknowledged_by, entry.alarm.acknowledged_utc) == ("nurse-1", "10.0")
    assert answer is not None
    assert answer.ok
    refused = take(to, name="acknowledge", id="a2").answer
    assert refused is not None
    assert (refused.ok, refused.reason) == (False, "nurse-1 has acknowledged it already")
    assert take(to, name="acknowledge").answer == answer


@pytest.mark.parametrize(
    ("name", "payload", "retained", "says"),
    [
        ("event", b"{", False, "no JSON"),
        ("event", b"x" * 5000, False, "5000 bytes"),
        ("event", b'{"id":"a","label":"","who":"b"}', False, "label"),
        ("event", b'{"id":"a","label":"x","who":"b"}', True, "retained"),
        ("acknowledge", b'{"id":"a","alarm":"7-7","who":"b"}', False, "no alarm has the id '7-7'"),
    ],
)
def test_what_cannot_be_carried_out_is_refused_and_answered(
    name: str, payload: bytes, retained: bool, says: str
) -> None:
    to, _ = commands()
    entry, answer = to.take(name, payload, retained, 1.0)
    assert entry is None
    assert answer is not None
    assert not answer.ok
    assert says in answer.reason
    assert (to.taken, to.refused) == (0, 1)


def test_before_a_stream_there_is_no_clock_for_an_event() -> None:
    answer = take(commands(stream=False)[0]).answer
    assert answer is not None
    assert "no stream yet" in answer.reason


def test_an_unknown_command_is_not_answered() -> None:
    assert commands()[0].take("reboot", b"{}", False, 1.0) == Taken(None, None)


def test_a_flood_is_refused_unanswered_and_then_nobody_listens() -> None:
    to, _ = commands()
    taken = [take(to, id=f"a{i}") for i in range(BURST + FLOOD)]
    assert sum(one.entry is not None for one in taken) == to.taken == BURST
    assert all(one == Taken(None, None) for one in taken[BURST:])
    assert to.paused(10.0 + PAUSE_S - 0.1)
    assert not to.paused(10.0 + PAUSE_S)
    assert take(to, id="later", local=10.0 + PAUSE_S).entry is not None
