"""What the server keeps: bounded, by number, and nothing that only claims to be a bed."""

import asyncio
import json
import time
from typing import Any

import pytest

from models.errors import MessageError
from realtime.decision import Decision
from realtime.monitor.bed import DECISIONS, SIGNALS, SILENT_AFTER_S
from realtime.monitor.beds import FOLLOWED, MOST_BEDS, Beds
from realtime.monitor.seen import MOST_BYTES, SeenDecision, SeenSignals, SeenStatus, read
from realtime.status import State, Status
from tests.realtime.sinks.support import some_decision
from tools.bench.ward_scene import Actor

NOW = 1_796_000_000.0


class Time:
    """A clock that is handed in."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def beds(clock: Time) -> Beds:
    beds = Beds(clock)
    beds.broker(True)
    return beds


def come_alive(beds: Beds, actor: Actor, at: float = NOW) -> None:
    beds.take(actor.topic("status"), actor.status(at).encode())
    beds.take(actor.topic("alive"), actor.alive(at).encode())


def tile(beds: Beds, name: str) -> dict[str, Any]:
    return dict(json.loads(beds.beds[name].tile()))


def test_our_own_messages_are_read() -> None:
    read(SeenDecision, "bed-1", some_decision().to_json().encode())
    read(SeenStatus, "bed-1", Status.lost("bed-1", 1).to_json().encode())
    for state in State:
        read(SeenStatus, "bed-1", Status(session="bed-1", run=1, state=state).to_json().encode())


def test_a_decision_is_as_old_as_its_own_stamp_says(beds: Beds, clock: Time) -> None:
    actor = Actor("bed-1")
    come_alive(beds, actor)
    clock.now += 8.0
    beds.take(actor.topic("decision"), actor.decision(1, NOW).encode())  # made 8 s before it came
    assert tile(beds, "bed-1")["decision"]["zero"] == pytest.approx(clock.now - 8.05)


def test_a_decision_that_came_with_late_beats_gets_old_when_a_quick_one_comes(
    beds: Beds, clock: Time
) -> None:
    actor = Actor("bed-1")
    clock.now += 9.0  # everything is held up by 9 s
    come_alive(beds, actor)
    beds.take(actor.topic("decision"), actor.decision(1, NOW).encode())
    assert tile(beds, "bed-1")["decision"]["zero"] == pytest.approx(clock.now - 0.05)
    beds.take(actor.topic("alive"), actor.alive(NOW + 9.0).encode())
    assert tile(beds, "bed-1")["decision"]["zero"] == pytest.approx(clock.now - 9.05)


@pytest.mark.parametrize(("what", "retained"), [("history", False), ("decision", True)])
def test_history_is_drawn_and_not_current(beds: Beds, what: str, retained: bool) -> None:
    actor = Actor("bed-1")
    come_alive(beds, actor)
    beds.take(actor.topic(what), actor.decision(1, NOW).encode(), retained=retained)
    assert "decision" not in tile(beds, "bed-1")
    assert len(json.loads(beds.bed("bed-1", -1))["decisions"]) == 1


def test_without_a_policy_nothing_is_current(beds: Beds) -> None:
    actor = Actor("bed-1")
    status = json.loads(actor.status(NOW))
    del status["window"]
    beds.take(actor.topic("status"), json.dumps(status).encode())
    beds.take(actor.topic("alive"), actor.alive(NOW).encode())
    beds.take(actor.topic("decision"), actor.decision(1, NOW).encode())
    assert "decision" not in tile(beds, "bed-1")


def test_a_heart_that_stops_is_noticed(beds: Beds, clock: Time) -> None:
    come_alive(beds, Actor("bed-1"))
    beds.look()
    assert not tile(beds, "bed-1")["silent"]
    clock.now += SILENT_AFTER_S + 0.01
    number = beds.number
    beds.look()
    assert tile(beds, "bed-1")["silent"]
    assert [bed["name"] for bed in json.loads(beds.overview(number))["beds"]] == ["bed-1"]


def test_another_run_begins_anew(beds: Beds) -> None:
    actor = Actor("bed-1")
    come_alive(beds, actor)
    beds.take(actor.topic("decision"), actor.decision(7, NOW).encode())
    number = beds.number
    again = Actor("bed-1", run=2)
    come_alive(beds, again, NOW + 10)
    news = json.loads(beds.bed("bed-1", number))
    assert news["whole"]
    assert not news["decisions"]
    beds.take(actor.topic("decision"), actor.decision(8, NOW + 10).encode())  # of the run before
    assert "decision" not in tile(beds, "bed-1")


def test_only_what_changed_is_told_again(beds: Beds) -> None:
    first, second = Actor("bed-1"), Actor("bed-2")
    come_alive(beds, first)
    come_alive(beds, second)
    number = beds.number
    assert json.loads(beds.overview(number))["beds"] == []
    beds.take(first.topic("alive"), first.alive(NOW + 1).encode())
    assert json.loads(beds.overview(number))["beds"] == []  # a beat is no news
    beds.take(first.topic("decision"), first.decision(1, NOW + 1).encode())
    assert [bed["name"] for bed in json.loads(beds.overview(number))["beds"]] == ["bed-1"]
    assert beds.place(f"{beds.epoch}-{number}") == number
    for other in ("", "x", f"{beds.epoch}-", f"{beds.epoch}-99999999", f"0-{number}", f"{beds.epoch}-१"):
        assert beds.place(other) == -1


def test_a_thousand_beds_that_do_not_exist(beds: Beds, clock: Time) -> None:
    actor = Actor("bed-1")
    come_alive(beds, actor)
    for number in range(1000):
        # What only claims to decide makes no bed at all, what claims to live up to a bound.
        beds.take(f"hemostream/ghost-{number}/decision", Actor(f"ghost-{number}").decision(1, NOW).encode())
    assert len(beds.beds) == 1
    for number in range(1000):
        ghost = Actor(f"ghost-{number}", pairs=1)
        beds.take(ghost.topic("alive"), ghost.alive(NOW).encode())
    assert len(beds.beds) == MOST_BEDS
    assert beds.refused["beds"] == 1001 - MOST_BEDS
    assert "bed-1" in beds.beds
    beds.take(actor.topic("decision"), actor.decision(1, NOW).encode())
    assert tile(beds, "bed-1")["decision"]["sequence"] == 1


def test_who_said_goodbye_long_ago_makes_room_and_who_was_lost_does_not(beds: Beds, clock: Time) -> None:
    for number in range(MOST_BEDS):
        come_alive(beds, Actor(f"bed-{number}", pairs=1))
    come_alive(beds, Actor("bed-3", run=2, state=State.OFFLINE, pairs=1))
    clock.now += 4000.0
    come_alive(beds, Actor("bed-new", pairs=1))
    assert "bed-new" in beds.beds
    assert "bed-3" not in beds.beds
    come_alive(beds, Actor("bed-newer", pairs=1))
    assert "bed-newer" not in beds.beds


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff\xfe",
        b"{}",
        b"[]",
        b"[" * 100_000,
        b'{"schema":1,"session":"bed-1","run":1e400}',
        b'{"session":"bed-1","run":NaN,"beat":1,"state":"live","utc":""}',
        b" " * (MOST_BYTES + 1),
        json.dumps({"session": "another", "run": 1, "state": "live"}).encode(),
        json.dumps({"session": "bed-1", "run": -1, "state": "live"}).encode(),
        json.dumps({"session": "bed-1", "run": 1, "state": "splendid"}).encode(),
        None,
        "text",
    ],
)
def test_what_cannot_be_read_is_counted_and_changes_nothing(beds: Beds, payload: Any) -> None:
    come_alive(beds, Actor("bed-1"))
    before, number = beds.beds["bed-1"].tile(), beds.number
    for what in ("status", "alive", "decision", "history", "alarms", "channels"):
        beds.take(f"hemostream/bed-1/{what}", payload)
    assert beds.refused["messages"] == 6
    assert (beds.beds["bed-1"].tile(), beds.number) == (before, number)


def test_texts_are_cut_and_made_printable() -> None:
    status = json.loads(Actor("bed-1").status(NOW)) | {"reason": "a\x1b[31m\u202eb" + "x" * 5000}
    seen = read(SeenStatus, "bed-1", json.dumps(status).encode())
    assert len(seen.reason) <= 1000
    assert seen.reason.isprintable()
    with pytest.raises(MessageError):
        read(
            SeenStatus, "bed-1", json.dumps(status | {"versions": {str(n): "1" for n in range(99)}}).encode()
        )


def test_signals_that_do_not_fit_together_are_refused() -> None:
    signals = json.loads(Actor("bed-1", pairs=2).signals(10.0))
    read(SeenSignals, "bed-1", json.dumps(signals).encode())
    for wrong in ({"times": [1.0]}, {"high": signals["high"][:1]}, {"interval_s": 0.0}):
        with pytest.raises(MessageError):
            read(SeenSignals, "bed-1", json.dumps(signals | wrong).encode())


def test_memory_is_bounded(beds: Beds) -> None:
    actor = Actor("bed-1", pairs=2)
    come_alive(beds, actor)
    beds.take(actor.topic("channels"), actor.channels().encode())
    asked: list[tuple[str, bool]] = []
    beds.on_follow = lambda name, wanted: asked.append((name, wanted))
    beds.take(actor.topic("signals"), actor.signals(1.0).encode())
    assert json.loads(beds.bed("bed-1", -1))["signals"] == []  # nobody looks
    beds.follow("bed-1")
    for number in range(DECISIONS + 50):
        beds.take(actor.topic("decision"), actor.decision(number, NOW).encode())
        beds.take(actor.topic("signals"), actor.signals(1.0 + number).encode())
    news = json.loads(beds.bed("bed-1", -1))
    assert (len(news["decisions"]), len(news["signals"])) == (DECISIONS, SIGNALS)
    for number in range(FOLLOWED):
        come_alive(beds, Actor(f"other-{number}", pairs=1))
        beds.follow(f"other-{number}")
    assert len(beds.followed) == FOLLOWED
    assert ("bed-1", False) in asked


def test_pages_are_woken_by_their_bed_only(beds: Beds) -> None:
    async def run() -> None:
        first, second = Actor("bed-1"), Actor("bed-2")
        come_alive(beds, first)
        come_alive(beds, second)
        with beds.waiting("bed-1") as one, beds.waiting(None) as every:
            beds.take(second.topic("decision"), second.decision(1, NOW).encode())
            assert (one.is_set(), every.is_set()) == (False, True)
            beds.take(first.topic("decision"), first.decision(1, NOW).encode())
            assert one.is_set()

    asyncio.run(run())


def test_what_is_read_is_what_was_written() -> None:
    actor = Actor("bed-1")
    for number in range(50):
        text = actor.decision(number, time.time())
        seen = read(SeenDecision, "bed-1", text.encode())
        whole = Decision.from_json(text)
        assert (seen.sequence, seen.label, seen.window_end) == (whole.sequence, whole.label, whole.window_end)
