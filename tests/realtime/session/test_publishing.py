"""The way out: the journal first, then the sinks; what is current has an end."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models.errors import JournalError
from realtime.decision import Decision
from realtime.session.publisher import Publisher
from realtime.sinks.journal.journal import JournalWriter, read_decisions
from realtime.sinks.mqtt.outbox import Letter
from realtime.sinks.mqtt.sink import Spool
from tests.realtime.sinks.support import some_decision


class Broker:
    """What a publisher sees of a broker; it acknowledges when it is drained."""

    connected = True
    waiting, backlog, dropped = 7, 3, 1

    def __init__(self, look: Callable[[], Any] = lambda: None) -> None:
        self.letters: list[Letter] = []
        self.seen: list[Any] = []
        self.drained = 0
        self._look = look

    def attend(
        self,
        *,
        clock: Callable[[], float],
        run: int,
        spool: Spool | None = None,
        acknowledged: Callable[[int, int], None] = lambda run, sequence: None,
    ) -> None:
        self.run, self.spool, self.acknowledged = run, spool, acknowledged

    def publish(self, letter: Letter) -> None:
        self.letters.append(letter)
        self.seen.append(self._look())

    async def drain(self) -> bool:
        self.drained += 1
        for letter in self.letters:
            self.acknowledged(letter.run, letter.sequence)
        return True


def pass_on(
    decisions: list[Decision], *, journal: JournalWriter | None, broker: Any = None, max_age_s: float = 5.0
) -> tuple[list[Decision], JournalError | None]:
    published: list[Decision] = []

    async def scenario() -> JournalError | None:
        publisher = Publisher(
            journal=journal, broker=broker, sinks=(), published=published.append, run=1, max_age_s=max_age_s
        )
        for decision in decisions:
            publisher.pass_on(decision, decision.window_end)
        return await publisher.close()

    return published, asyncio.run(scenario())


def unexpected(message: str) -> None:
    raise AssertionError(message)


def test_until_when_a_decision_is_current_follows_from_policy_and_speed() -> None:
    broker = Broker()
    decisions = [
        some_decision(0),
        some_decision(1, origin="replayed", speed=4.0),
        some_decision(2, label="abstain", reasons=("stale",), probabilities=None),
    ]
    published, _ = pass_on(decisions, journal=None, broker=broker)
    assert published == decisions
    assert [letter.identity for letter in broker.letters] == [(1, 0), (1, 1), (1, 2)]
    assert [letter.fresh_until for letter in broker.letters] == [
        decisions[0].window_end + 5.0,
        decisions[1].window_end + 1.25,
        float("-inf"),
    ]
    assert not any(letter.kept for letter in broker.letters), "there is no journal"
    assert broker.spool is None


def test_what_the_broker_is_given_is_what_the_journal_holds_already(tmp_path: Path) -> None:
    path = tmp_path / "j"
    broker = Broker(lambda: list(read_decisions(path)))
    pass_on(
        [some_decision(i) for i in range(5)],
        journal=JournalWriter(path, on_trouble=unexpected),
        broker=broker,
    )
    assert all(letter.kept for letter in broker.letters)
    assert [letter.text for letter in broker.letters] == list(read_decisions(path))
    for letter, seen in zip(broker.letters, broker.seen, strict=True):
        assert letter.text in seen


def test_at_the_end_the_broker_is_waited_for_before_the_journal_closes(tmp_path: Path) -> None:
    """Or the next run would tell the last decisions a second time."""
    path = tmp_path / "j"
    broker = Broker()
    pass_on(
        [some_decision(i) for i in range(5)],
        journal=JournalWriter(path, on_trouble=unexpected),
        broker=broker,
    )
    assert broker.drained == 1
    with JournalWriter(path, on_trouble=unexpected) as again:
        assert again.spool((0, 0), (9, 0)).letters == []


def test_without_a_broker_nothing_is_spooled(tmp_path: Path) -> None:
    path = tmp_path / "j"
    pass_on([some_decision(0)], journal=JournalWriter(path, on_trouble=unexpected))
    with JournalWriter(path, on_trouble=unexpected) as again:
        assert again.spool((0, 0), (9, 0)).letters == []
    assert len(list(read_decisions(path))) == 1


def test_a_journal_that_fails_stops_no_decision(tmp_path: Path) -> None:
    reported: list[str] = []
    folder = tmp_path / "disk"
    folder.mkdir()
    journal = JournalWriter(folder / "j", queue_size=2, on_trouble=reported.append, retry_s=(0.01, 0.02))
    folder.rename(tmp_path / "gone")  # It does not come back.
    broker = Broker()
    decisions = [some_decision(i) for i in range(5)]
    published, trouble = pass_on(decisions, journal=journal, broker=broker)
    assert {decision.sequence for decision in published} == {0, 1, 2, 3, 4}
    assert len(broker.letters) == 5
    assert not any(letter.kept for letter in broker.letters)
    assert isinstance(trouble, JournalError)
    assert "cannot be written" in reported[0]


@pytest.mark.parametrize(("connected", "waiting"), [(True, 3), (False, 7)])
def test_the_status_shows_the_backlog_and_not_what_is_just_on_its_way(connected: bool, waiting: int) -> None:
    async def scenario() -> None:
        broker = Broker()
        broker.connected = connected
        publisher = Publisher(journal=None, broker=broker, sinks=(), published=lambda _: None)  # type: ignore[arg-type]
        status = publisher.broker_status
        assert status is not None
        assert (status.connected, status.waiting, status.dropped) == (connected, waiting, 1)
        assert publisher.journal_status is None

    asyncio.run(scenario())
