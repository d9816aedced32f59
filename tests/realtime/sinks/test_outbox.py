"""What is sent next, as laws: nothing old is current, nothing is forgotten, history keeps its order."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.sinks.mqtt.outbox import HISTORY_IN_FLIGHT, HOLD_S, IN_FLIGHT, InFlight, Letter, Outbox, Page


class World:
    """An outbox between a session, a broker and a journal, all of them made of dictionaries.

    The journal learns of acknowledgements late, and a page is read at one time and taken at another.
    """

    def __init__(self, size: int, *, journal: bool, earlier: int = 0) -> None:
        self.now = 0.0
        self.page = 5
        self.journal = {(1, index): f"1/{index}" for index in range(earlier)} if journal else None
        self.outbox = Outbox(size=size, clock=lambda: self.now, spooled_before=(2, 0) if journal else None)
        self.made = 0
        self.flying: list[InFlight] = []
        self.connections: list[list[InFlight]] = [[]]
        self.delivered: list[InFlight] = []
        self.unnoted: list[tuple[int, int]] = []
        self.read: tuple[Page, tuple[int, int]] | None = None

    def make(self, kept: bool) -> None:
        kept = kept and self.journal is not None
        letter = Letter(2, self.made, f"2/{self.made}", self.now + 3.0, kept)
        if kept:
            assert self.journal is not None
            self.journal[letter.identity] = letter.text
        self.made += 1
        self.outbox.put(letter)

    def send(self) -> None:
        while (sending := self.outbox.next()) is not None:
            assert not sending.current or sending.letter.fresh_until > self.now
            self.flying.append(sending)
            self.connections[-1].append(sending)
        assert sum(one.current for one in self.flying) <= IN_FLIGHT
        assert sum(not one.current for one in self.flying) <= HISTORY_IN_FLIGHT

    def acknowledge(self, number: int) -> None:
        for sending in self.flying[:number]:
            self.outbox.acknowledged(sending)
            self.delivered.append(sending)
            self.unnoted.append(sending.letter.identity)
        del self.flying[:number]

    def note(self) -> None:
        for identity in self.unnoted:
            if self.journal is not None:
                self.journal.pop(identity, None)
        self.unnoted.clear()

    def break_off(self) -> None:
        self.flying.clear()
        self.connections.append([])
        self.outbox.broken()

    def begin_reading(self) -> None:
        if self.read is None and (part := self.outbox.page_wanted()):
            assert self.journal is not None
            found = sorted(each for each in self.journal.items() if part[0] <= each[0] < part[1])
            rows = [Letter(*identity, text, float("-inf"), True) for identity, text in found[: self.page]]
            self.read = Page(rows, len(found) - len(rows)), part[1]

    def end_reading(self) -> None:
        if self.read is not None:
            self.outbox.take_page(*self.read)
            self.read = None

    def finish(self) -> None:
        for _ in range(10_000):
            self.begin_reading()
            self.end_reading()
            self.send()
            if not self.flying and not self.outbox.waiting:
                return
            self.acknowledge(99)
        raise AssertionError(f"{self.outbox.waiting} are never sent")


STEPS = ("make", "send", "acknowledge", "note", "break", "read", "take", "wait")


def play(world: World, chance: random.Random, *, kept: float) -> None:
    """Some hundred things happen, each as often as this play has it: outages are long or short."""
    weights = [chance.choice((0.2, 1.0, 5.0)) for _ in STEPS]
    weights[STEPS.index("break")] /= 5
    for step in chance.choices(STEPS, weights, k=chance.randint(20, 400)):
        match step:
            case "make":
                world.make(kept=chance.random() < kept)
            case "send":
                world.send()
            case "acknowledge":
                world.acknowledge(chance.randint(1, 4))
            case "note":
                world.note()
            case "break":
                world.break_off()
            case "read":
                world.begin_reading()
            case "take":
                world.end_reading()
            case "wait":
                world.now += chance.choice((0.1, 1.0, 5.0))


plays = given(
    st.integers(0, 2**32).map(random.Random), st.integers(1, 12), st.one_of(st.just(0), st.integers(0, 50))
)


@settings(max_examples=1000, deadline=None)
@plays
def test_with_a_journal_everything_is_reported_in_order_and_nothing_old_as_current(
    chance: random.Random, size: int, earlier: int
) -> None:
    world = World(size, journal=True, earlier=earlier)
    play(world, chance, kept=1.0)
    world.finish()
    reported = {sending.letter.identity for sending in world.delivered}
    everything = {(1, index) for index in range(earlier)} | {(2, index) for index in range(world.made)}
    assert reported == everything
    assert world.outbox.dropped == 0
    assert (world.outbox.waiting, world.outbox.backlog) == (0, 0)
    assert all(sending.letter.text == "{}/{}".format(*sending.letter.identity) for sending in world.delivered)
    # Once each, but for what was in flight when a connection broke.
    assert len(world.delivered) == len(reported)
    for connection in world.connections:
        identities = [sending.letter.identity for sending in connection]
        assert len(set(identities)) == len(identities)
        history = [sending.letter.identity for sending in connection if not sending.current]
        assert history == sorted(history)
    current = [s.letter.identity for connection in world.connections for s in connection if s.current]
    assert current == sorted(current)


@settings(max_examples=200, deadline=None)
@plays
def test_what_is_not_reported_is_counted(chance: random.Random, size: int, earlier: int) -> None:
    """A journal that fails now and then, or none at all (of which nothing earlier remains)."""
    world = World(size, journal=earlier > 0, earlier=earlier)
    play(world, chance, kept=0.5)
    world.finish()
    reported = {sending.letter.identity for sending in world.delivered}
    assert len(reported) == world.made + earlier - world.outbox.dropped


def test_the_current_goes_before_a_long_history() -> None:
    world = World(10, journal=True, earlier=1000)
    for _ in range(3):
        world.begin_reading()
        world.end_reading()
        world.send()
    assert len(world.flying) == HISTORY_IN_FLIGHT
    world.make(kept=True)
    world.send()
    assert [sending.current for sending in world.flying] == [False] * HISTORY_IN_FLIGHT + [True]


def test_the_oldest_makes_room_so_that_the_newest_can_be_current() -> None:
    world = World(3, journal=False)
    for _ in range(8):
        world.make(kept=False)
        world.now += 1.0
    assert world.outbox.dropped == 5
    world.finish()
    assert [(s.letter.sequence, s.current) for s in world.delivered] == [(6, True), (7, True), (5, False)]


def test_after_a_lost_connection_only_the_newest_is_current_again() -> None:
    world = World(10, journal=False)
    for _ in range(3):
        world.make(kept=False)
    world.send()
    world.break_off()
    world.finish()
    assert [(s.letter.sequence, s.current) for s in world.delivered] == [(2, True), (0, False), (1, False)]


def test_nothing_is_given_to_a_broker_that_has_gone_silent() -> None:
    """What a frozen broker holds when it wakes, it delivers: it shall not be more than one."""
    world = World(10, journal=False)
    world.make(kept=False)
    world.send()
    world.now += 2 * HOLD_S
    world.make(kept=False)
    world.send()
    assert len(world.flying) == 1
    world.acknowledge(1)
    world.send()
    assert [sending.letter.sequence for sending in world.flying] == [1]


def test_a_spool_that_cannot_be_read_holds_nothing_up() -> None:
    world = World(10, journal=True, earlier=5)
    part = world.outbox.page_wanted()
    assert part is not None
    assert world.outbox.page_wanted() is None, "it is being read"
    world.make(kept=True)
    world.now += 10.0
    world.send()
    assert world.flying == [], "the older ones come first"
    world.outbox.take_page(None, part[1])
    world.send()
    assert [sending.letter.identity for sending in world.flying] == [(2, 0)]
    assert world.outbox.page_wanted() is None


def test_depths_are_reported() -> None:
    world = World(4, journal=True, earlier=100)
    assert world.outbox.waiting == 0, "none was taken yet"
    world.begin_reading()
    world.end_reading()
    assert (world.outbox.waiting, world.outbox.backlog) == (100, 100)
    for _ in range(10):
        world.make(kept=True)
    assert (world.outbox.waiting, world.outbox.backlog) == (110, 106)
    world.now += 10.0
    world.finish()
    assert world.outbox.waiting == 0


@pytest.mark.parametrize("fresh_until", [float("-inf"), 0.0])
def test_what_is_old_already_is_history_at_once(fresh_until: float) -> None:
    outbox = Outbox(clock=lambda: 0.0)
    outbox.put(Letter(1, 0, "", fresh_until))
    sending = outbox.next()
    assert sending is not None
    assert not sending.current
