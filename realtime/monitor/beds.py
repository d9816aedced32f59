"""`Beds`: every session that was heard of, up to a bound, and who waits for news of which."""

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Iterator

from models.errors import MessageError
from realtime.monitor.bed import Bed, compact
from realtime.monitor.clock import server_clock
from realtime.monitor.seen import (
    SeenAlarms,
    SeenBeat,
    SeenChannels,
    SeenDecision,
    SeenSignals,
    SeenStatus,
    read,
)
from realtime.status import State

MOST_BEDS = 400
"""More are counted, and named by nobody."""
COUNTED = 10_000
"""Beds beyond the bound that are told apart, so that one is not counted twice."""
FOLLOWED = 16
"""Beds whose signals are asked for at the same time; the one that nobody looked at for longest leaves."""
GONE_AFTER_S = 3600.0
"""A session that said goodbye so long ago may leave room for another."""


class Beds:
    """What is known of all sessions; fed by `take`, read by the pages' streams.

    Parameters
    ----------
    clock : callable
        The server's clock, s.
    """

    def __init__(self, clock: Callable[[], float] = server_clock) -> None:
        self.clock = clock
        self.epoch = secrets.token_hex(4)
        """Numbers of another start of the server mean nothing here."""
        self.number = 0
        """Of the last change."""
        self.refused: dict[str, int] = {"messages": 0, "beds": 0}
        self.connected = False
        self.connected_since = clock()
        """Since when the broker is connected, or is not."""
        self.beds: dict[str, Bed] = {}
        self.followed: dict[str, float] = {}
        """Beds whose signals are wanted, and when somebody last looked."""
        self.on_follow: Callable[[str, bool], None] = lambda name, wanted: None
        self._reshaped = 0
        self._waiting: dict[asyncio.Event, str | None] = {}
        self._strangers: set[str] = set()

    def take(self, topic: str, payload: object, *, retained: bool = False) -> None:
        """Take a message, whatever it is: what cannot be read is counted and changes nothing.

        Parameters
        ----------
        topic : str
            ``hemostream/SESSION/WHAT``.
        payload : bytes
            As it came.
        retained : bool
            Whether the broker had kept it: a decision that was kept is not current.
        """
        parts = topic.split("/")
        if len(parts) != 3 or parts[0] != "hemostream":
            return
        _, name, what = parts
        try:
            self.read(name, what, payload, retained=retained)
        except MessageError:
            self.refused["messages"] += 1

    def read(self, name: str, what: str, payload: object, *, retained: bool = False) -> None:
        """Take a message of a session.

        Raises
        ------
        MessageError
            It cannot be read.
        """
        now = self.clock()
        if what == "alive":
            beat = read(SeenBeat, name, payload)
            if (bed := self._bed(name)) is not None and bed.take_beat(beat, self.number + 1, now):
                self._news(bed)
            return
        if what == "status":
            status = read(SeenStatus, name, payload)
            if (bed := self._bed(name)) is not None:
                bed.take_status(status, self.number + 1)
                self._keep(bed, what, payload)
                self._news(bed)
            return
        bed = self.beds.get(name)  # only what says that it lives makes a bed
        if bed is None:
            return
        if what in ("decision", "history"):
            current = what == "decision" and not retained
            bed.take_decision(read(SeenDecision, name, payload), self.number + 1, now, current=current)
            if current:
                self._keep(bed, what, payload)
        elif what == "alarms":
            bed.take_alarms(read(SeenAlarms, name, payload), self.number + 1)
            self._keep(bed, what, payload)
        elif what == "channels":
            bed.take_channels(read(SeenChannels, name, payload), self.number + 1)
        elif what == "signals":
            if name not in self.followed:
                return
            bed.take_signals(read(SeenSignals, name, payload), self.number + 1)
        else:
            return
        self._news(bed)

    def broker(self, connected: bool) -> None:
        """The broker is connected now, or is not."""
        if connected != self.connected:
            self.connected = connected
            self.connected_since = self.clock()
            for bed in self.beds.values():
                bed.heard = None
                bed.silent = True
                bed.touch(self.number + 1)
            self._news(None)

    def look(self) -> None:
        """Whose heart has stopped?  To be called a few times a second."""
        now = self.clock()
        for bed in self.beds.values():
            if bed.look(self.number + 1, now):
                self._news(bed)

    def follow(self, name: str) -> None:
        """Somebody looks at a bed: its signals are wanted."""
        if name not in self.beds:
            return
        known = name in self.followed
        self.followed[name] = self.clock()
        if not known:
            if len(self.followed) > FOLLOWED:
                oldest = min(self.followed, key=lambda each: self.followed[each])
                del self.followed[oldest]
                self.on_follow(oldest, False)
            self.on_follow(name, True)

    @contextlib.contextmanager
    def waiting(self, name: str | None) -> Iterator[asyncio.Event]:
        """An event that is set at news of a bed (of any, where it is None)."""
        event = asyncio.Event()
        self._waiting[event] = name
        try:
            yield event
        finally:
            del self._waiting[event]

    def place(self, last: str) -> int:
        """The number that an event's id stands for; -1 where it is of another start, or none."""
        epoch, _, number = last.partition("-")
        known = epoch == self.epoch and number.isascii() and number.isdigit() and len(number) < 16
        return int(number) if known and int(number) <= self.number else -1

    def overview(self, since: int) -> bytes:
        """What changed after a number, as JSON; everything where that is too long ago."""
        whole = since < self._reshaped or since < 0
        tiles = [bed.tile() for bed in self.beds.values() if whole or bed.changed > since]
        return b'{%s,"whole":%s,"beds":[%s]}' % (self._head(), _bool(whole), b",".join(tiles))

    def bed(self, name: str, since: int) -> bytes:
        """The same of one bed, with what only its page shows."""
        bed = self.beds.get(name)
        if bed is None:
            return b'{%s,"whole":true,"bed":null}' % self._head()
        whole = since < 0 or bed.restarted_since(since)
        since = -1 if whole else since
        parts = [self._head(), b'"whole":' + _bool(whole)]
        if bed.changed > since:
            parts += [b'"bed":' + bed.tile(), b'"details":' + compact(bed.details())]
        for key, rows in (("decisions", bed.decisions_since(since)), ("signals", bed.signals_since(since))):
            parts.append(b'"%s":[%s]' % (key.encode(), b",".join(rows)))
        if bed.channels is not None and bed.channels[0] > since:
            parts.append(b'"channels":' + bed.channels[1])
        return b"{" + b",".join(parts) + b"}"

    def _head(self) -> bytes:
        head = {
            "t": self.clock(),
            "broker": {"connected": self.connected, "since": self.connected_since},
            "refused": self.refused,
        }
        return compact(head)[1:-1]

    def _bed(self, name: str) -> Bed | None:
        bed = self.beds.get(name)
        if bed is not None:
            return bed
        if not name or len(name) > 200 or not name.isprintable():
            raise MessageError("A session's name is 1 to 200 printable characters.")
        if len(self.beds) >= MOST_BEDS and not self._make_room():
            if len(self._strangers) < COUNTED:
                self._strangers.add(name)
                self.refused["beds"] = len(self._strangers)
            return None
        bed = self.beds[name] = Bed(name)
        return bed

    def _make_room(self) -> bool:
        """Let the bed go that said goodbye longest ago; one that was lost stays."""
        now = self.clock()
        gone = [
            (bed.heard, name)
            for name, bed in self.beds.items()
            if bed.status is not None
            and bed.status.state is State.OFFLINE
            and bed.heard is not None
            and now - bed.heard > GONE_AFTER_S
        ]
        if not gone:
            return False
        del self.beds[min(gone)[1]]
        self._reshaped = self.number = self.number + 1
        return True

    def _keep(self, bed: Bed, what: str, payload: object) -> None:
        assert isinstance(payload, bytes)
        bed.last_payloads[what] = payload

    def _news(self, bed: Bed | None) -> None:
        self.number += 1
        for event, name in self._waiting.items():
            if name is None or bed is None or bed.name == name:
                event.set()


def _bool(value: bool) -> bytes:
    return b"true" if value else b"false"
