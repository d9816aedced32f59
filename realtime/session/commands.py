"""Commands that came over MQTT: looked at, bounded, taken once; an event, or the acknowledgement of an alarm.

An event gets the time at which it arrived, for that is the one time of it that this machine's clock has
measured; how much earlier it may have been sent is in the answer.  Times are handed in.
"""

from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from models.errors import MessageError
from models.outside import printable
from realtime.log import AlarmChanged, Entry, EventReceived
from realtime.messages.commands import Answer, EventCommand, read_command
from realtime.session.alarms import AlarmBoard

BURST = 20
"""Commands that may come at once; a person presses buttons."""
A_SECOND = 2.0
"""Commands a second (local) that may come in the long run."""
REMEMBERED = 4096
"""Answers that are remembered by the id of their command."""
FLOOD = 200
"""Commands beyond the rate, one after the other, by which nobody listens for a while."""
PAUSE_S = 60.0
"""How long, local s."""
LATEST_SENT_S = 3600.0
"""A sender's clock that is further off says nothing of how long a command was on its way, s."""


class Taken(NamedTuple):
    """What follows from a command: an entry of the log, and an answer; None where there is none."""

    entry: Entry | None
    answer: Answer | None


class Commands:
    """Takes the commands of one session.

    Parameters
    ----------
    session, run : str, int
        Whose.
    board : AlarmBoard
        Its alarms.
    stream_time : callable
        Stream time (s) of a local time (s); None before there is a stream.
    utc : callable
        UTC, seconds since 1970, of a local time (s).
    """

    def __init__(
        self,
        session: str,
        run: int,
        *,
        board: AlarmBoard,
        stream_time: Callable[[float], float | None],
        utc: Callable[[float], float],
    ) -> None:
        self.taken = 0
        """Commands that were carried out."""
        self.refused = 0
        """Commands that were not: too many, no command at all, or one that could not be carried out."""
        self.paused_until = float("-inf")
        """Local time (s) until which nobody should listen."""
        self._session, self._run = session, run
        self._board = board
        self._stream_time, self._utc = stream_time, utc
        self._answers: OrderedDict[str, Answer] = OrderedDict()
        self._room, self._filled = float(BURST), float("-inf")
        self._beyond = 0

    def paused(self, local: float) -> bool:
        """Whether nobody should listen at a local time (s), since a flood of commands came."""
        return local < self.paused_until

    def take(self, name: str, payload: bytes, retained: bool, local: float) -> Taken:
        """A command as it came.

        Parameters
        ----------
        name : str
            Last level of its topic.
        payload : bytes
            What it holds.
        retained : bool
            Whether the broker had kept it: then it is from another time, and nothing is done.
        local : float
            Local time (s) of its arrival.
        """
        if not self._has_room(local):
            self.refused += 1
            return Taken(None, None)  # to answer a flood would double it
        try:
            command = read_command(name, payload)
        except MessageError as error:
            return self._refuse(name, "", str(error))
        if retained:
            return self._refuse(name, command.id, "it was retained; send commands without the retain flag")
        if (before := self._answers.get(f"{name} {command.id}")) is not None:
            return Taken(None, before)
        if isinstance(command, EventCommand):
            taken = self._event(command, local)
        else:
            alarm, why = self._board.acknowledge(command.alarm, command.who, local)
            if alarm is None:
                return self._refuse(name, command.id, why)
            answer = Answer(session=self._session, run=self._run, id=command.id, command=name, ok=True)
            taken = Taken(AlarmChanged(local, alarm), answer)
        if taken.answer is not None and taken.answer.ok:
            self.taken += 1
            self._answers[f"{name} {command.id}"] = taken.answer
            if len(self._answers) > REMEMBERED:
                self._answers.popitem(last=False)
        return taken

    def _event(self, command: EventCommand, local: float) -> Taken:
        time = self._stream_time(local)
        if time is None:
            return self._refuse("event", command.id, "there is no stream yet on whose clock it could stand")
        utc = self._utc(local)
        answer = Answer(
            session=self._session,
            run=self._run,
            id=command.id,
            command="event",
            ok=True,
            time=time,
            time_utc=datetime.fromtimestamp(utc, UTC).isoformat(timespec="milliseconds"),
            uncertainty_s=_on_its_way(command.sent, utc),
        )
        entry = EventReceived(
            local, time, command.label, who=command.who, command=command.id, sent_utc=command.sent or ""
        )
        return Taken(entry, answer)

    def _refuse(self, name: str, command: str, why: str) -> Taken:
        self.refused += 1
        if name not in ("event", "acknowledge"):
            return Taken(None, None)
        return Taken(
            None,
            Answer(
                session=self._session,
                run=self._run,
                id=command,
                command=name,
                ok=False,
                reason=printable(why, 300),
            ),
        )

    def _has_room(self, local: float) -> bool:
        """A bucket of `BURST` that fills by `A_SECOND`."""
        if self._filled > float("-inf"):
            self._room = min(float(BURST), self._room + (local - self._filled) * A_SECOND)
        self._filled = local
        if self._room >= 1.0:
            self._room -= 1.0
            self._beyond = 0
            return True
        self._beyond += 1
        if self._beyond >= FLOOD:
            self._beyond = 0
            self.paused_until = local + PAUSE_S
        return False


def _on_its_way(sent: str | None, utc: float) -> float | None:
    """How long (s) a command was on its way by two wall clocks; None where they cannot say."""
    if sent is None:
        return None
    try:
        seconds = utc - datetime.fromisoformat(sent).timestamp()
    except (ValueError, OverflowError):  # such as a 31st of June
        return None
    return round(seconds, 3) if 0.0 <= seconds <= LATEST_SENT_S else None
