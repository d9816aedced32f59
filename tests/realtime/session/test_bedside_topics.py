"""A session and what it says besides decisions: a broker that is handed in, a real journal."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.bundle import Bundle
from offline.recordings import read_recording
from offline.recordings.journal import read_journal
from offline.recordings.snirf_writer import write_segments
from realtime.core import Core
from realtime.inference import Inference
from realtime.log import AlarmChanged, Entry, EventReceived, Origin, StreamOpened
from realtime.messages.alarms import AlarmKind, Alarms
from realtime.messages.channels import ChannelList
from realtime.messages.commands import Answer
from realtime.messages.signals import Signals
from realtime.rerun import predict_log
from realtime.session.bedside_topics import BedsideTopics
from realtime.session.interfaces import SessionSettings
from realtime.session.session import Session
from realtime.sinks.journal.journal import JournalWriter, read_journal_entries, read_open_alarms
from realtime.status import State, Status
from tests.realtime.session.test_session import HandedIn, Listener, bundle, entries
from tests.realtime.session.test_signals import reopened
from tests.realtime.support import RATE, fast_plan, feed, intensities, intensity_spec

__all__ = ["bundle"]


class Side:
    """What a session sees of its other topics."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.passed: list[tuple[str, str]] = []
        self.answers: list[Answer] = []
        self.dropped: Counter[str] = Counter()
        self.received: Callable[[str, bytes, bool], None] = lambda name, payload, retained: None
        self.commands: Sequence[str] = ()
        self.paused = False

    def retain(self, what: str, text: str) -> None:
        self.kept[what] = text

    retain_at = retain

    def send(self, what: str, text: str) -> bool:
        self.passed.append((what, text))
        return True

    def answer(self, text: str) -> None:
        self.answers.append(Answer.from_json(text))

    def listen(self, commands: Sequence[str], received: Callable[[str, bytes, bool], None]) -> None:
        self.commands, self.received = commands, received

    def pause(self, paused: bool) -> None:
        self.paused = paused


class Broker:
    connected = True
    waiting = backlog = dropped = 0

    def __init__(self) -> None:
        self.side = Side()

    async def __aenter__(self) -> "Broker":
        return self

    async def __aexit__(self, *error: object) -> None:
        pass

    def attend(self, **options: object) -> None:
        pass

    def publish(self, letter: object) -> None:
        pass

    def publish_status(self, text: str) -> None:
        pass

    async def drain(self) -> bool:
        return True


class WithCommands(HandedIn):
    """Entries, and commands between them, as far as the session has come by then."""

    def __init__(
        self, log: Sequence[Entry], at: int, commands: Sequence[tuple[str, bytes]], side: Side
    ) -> None:
        super().__init__(log)
        self.at, self.given, self.side = at, commands, side

    def make(self, emit: Callable[[Entry], None], failed: Callable[[Exception], None]) -> "WithCommands":
        loop = asyncio.get_running_loop()
        seen: list[int] = []

        def counting(entry: Entry) -> None:
            seen.append(1)
            if len(seen) == self.at:

                async def commands() -> None:
                    for name, payload in self.given:
                        self.side.received(name, payload, False)

                asyncio.run_coroutine_threadsafe(commands(), loop).result(30)
            emit(entry)

        super().make(counting, failed)
        return self


def run(
    bundle: Bundle, log: Sequence[Entry], commands: Sequence[tuple[str, bytes]], path: Path, **options: Any
) -> tuple[Side, Listener]:
    broker, heard = Broker(), Listener()
    source = WithCommands(log, 120, commands, broker.side)
    readings = iter(range(10**9))
    session = Session(
        bundle,
        inference=Inference(bundle, device="cpu"),
        make_source=source.make,
        settings=SessionSettings(
            session="bed-7", local_clock=lambda: 130.0 + next(readings) * 1e-3, **options
        ),
        broker=broker,  # type: ignore[arg-type]
        sinks=[heard],
        journal=JournalWriter(path, on_trouble=lambda _: None),
        observer=heard,
    )

    async def main() -> None:
        loop = asyncio.get_running_loop()
        source.done = lambda: loop.call_soon_threadsafe(session.stop)
        await session.run()

    asyncio.run(main())
    return broker.side, heard


def event(identity: str, label: str) -> tuple[str, bytes]:
    return "event", json.dumps({"id": identity, "label": label, "who": "nurse-1"}).encode()


def test_an_event_from_the_broker_is_in_the_log_and_in_the_recording(bundle: Bundle, tmp_path: Path) -> None:
    path = tmp_path / "bed.hemostream"
    asked = [event("e1", "suction"), event("e1", "suction"), ("event", b"{")]
    side, heard = run(bundle, entries(), asked, path, accept_commands=True)
    assert [(one.id, one.ok) for one in side.answers] == [("e1", True), ("e1", True), ("", False)]
    found = [one for one in read_journal_entries(path) if isinstance(one, EventReceived)]
    assert [(one.label, one.who, one.command) for one in found] == [("suction", "nurse-1", "e1")]
    assert found[0].stamp == side.answers[0].time
    again = predict_log(read_journal_entries(path), bundle, Inference(bundle, device="cpu"))
    assert [d.to_json() for d in again] == heard.texts
    assert len(heard.texts) > 10
    recording = read_journal(path)
    assert [(one.label, one.onset) for one in recording.events] == [("suction", found[0].stamp)]
    (snirf,) = write_segments(recording, tmp_path / "bed.snirf")
    (exported,) = read_recording(snirf).events
    assert exported.label == "suction"
    assert exported.onset == pytest.approx(recording.events[0].onset, abs=1e-6)
    status = heard.states[-1]
    assert status.commands is not None
    assert (status.commands.taken, status.commands.refused) == (1, 1)
    assert status.window is not None
    assert (status.window.length_s, status.window.max_age_s, status.channels) == (7.0, 1e4, 4)


def test_nobody_is_listened_to_unless_that_was_said(bundle: Bundle, tmp_path: Path) -> None:
    side, heard = run(bundle, entries(20.0), [event("e1", "x")], tmp_path / "bed.hemostream")
    assert (side.commands, side.answers) == ((), [])
    assert heard.states[-1].commands is None
    assert heard.states[-1].signals is None


def made(log: list[Entry], core: Any = None, **options: Any) -> tuple[BedsideTopics, Side, list[Entry]]:

    side, emitted = Side(), []
    topics = BedsideTopics(
        SessionSettings(session="bed-7", local_clock=lambda: 50.0, **options),
        core or Core(fast_plan(intensity_spec())),
        topics=side,  # type: ignore[arg-type]
        keep=log.append,
        emit=emitted.append,
        utc_offset=lambda: 1.7e9,
    )
    return topics, side, emitted


def status(state: State = State.LIVE) -> Status:
    return Status(session="bed-7", run=1, state=state, reason="gone")


def test_alarms_are_kept_at_the_broker_and_in_the_log_and_acknowledged_with_name_and_time() -> None:
    log: list[Entry] = []
    topics, side, _ = made(log, accept_commands=True)
    topics.tick(40.0, status(State.LOST), "", idle=True)
    assert not Alarms.from_json(side.kept["alarms"]).alarms
    topics.tick(45.0, status(State.LOST), "", idle=True)
    (alarm,) = Alarms.from_json(side.kept["alarms"]).alarms
    assert (alarm.kind, alarm.text, alarm.active) == (AlarmKind.STREAM_LOST, "gone", True)
    side.received("acknowledge", json.dumps({"id": "k", "alarm": alarm.id, "who": "nurse-1"}).encode(), False)
    (seen,) = Alarms.from_json(side.kept["alarms"]).alarms
    assert (seen.acknowledged_by, seen.acknowledged_utc) == ("nurse-1", "2023-11-14T22:14:10.000+00:00")
    topics.ended(60.0)
    topics.publish_last()
    assert not Alarms.from_json(side.kept["alarms"]).alarms
    changes = [entry.alarm for entry in log if isinstance(entry, AlarmChanged)]
    assert [(one.active, one.acknowledged_by) for one in changes] == [
        (True, None),
        (True, "nurse-1"),
        (False, "nurse-1"),
    ]


def test_heartbeats_and_signals_come_once_a_second_and_signals_make_way() -> None:
    core, _ = reopened()
    topics, side, _ = made([], core, signals=True)
    core.watcher.opened(*opened_with(core), standardised=True)
    times, data = np.arange(100) / RATE, intensities(core.plan.spec, 100)
    for second in range(10):
        part = slice(10 * second, 10 * second + 10)
        feed(core, times[part], data[:, part])
        for tick in range(4):
            topics.tick(second + tick / 4, status(), "", idle=second != 5)
    beats = [text for what, text in side.passed if what == "alive"]
    assert [json.loads(text)["beat"] for text in beats] == list(range(1, 11))
    sent = [Signals.from_json(text) for what, text in side.passed if what == "signals"]
    assert [one.sequence for one in sent] == list(range(1, len(sent) + 1))
    assert len(sent) == 9  # the one of the busy second came with the next
    assert ChannelList.from_json(side.kept["channels"]).revision == sent[0].revision


def opened_with(core: Any) -> tuple[Any, ...]:
    return StreamOpened(0.0, core.plan.spec, Origin(), "device"), core.plan.spec, core.pipeline.spec_out


def test_what_nobody_acknowledged_is_found_again_in_the_journal(tmp_path: Path, bundle: Bundle) -> None:
    path = tmp_path / "bed.hemostream"
    assert read_open_alarms(path) == ()
    log: list[Entry] = []
    topics, _, _ = made(log)
    for local in (40.0, 45.0):
        topics.tick(local, status(State.LOST), "", idle=True)
    run(bundle, [*entries(20.0), *log], [], path)
    (left,) = read_open_alarms(path)
    assert left.kind is AlarmKind.STREAM_LOST
    later, side, _ = made(again := [], earlier_alarms=read_open_alarms(path))
    later.began()
    later.tick(51.0, status(), "", idle=True)
    (alarm,) = Alarms.from_json(side.kept["alarms"]).alarms
    assert (alarm.id, alarm.active) == (left.id, False)
    assert [entry.alarm for entry in again if isinstance(entry, AlarmChanged)] == [alarm]


@pytest.mark.parametrize("flood", [False, True])
def test_after_a_flood_nobody_listens(flood: bool) -> None:
    topics, side, emitted = made([], accept_commands=True)
    for i in range(300 if flood else 3):
        side.received("event", b"{" if i else event("a", "x")[1], False)
    topics.tick(50.0, status(), "", idle=True)
    assert side.paused is flood
    assert emitted == []  # before there is a stream
