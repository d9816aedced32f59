"""What a session publishes besides decisions and status (heartbeat, alarms, signals), and what it is asked.

Fed by the session on its loop, on times that are handed in.  Nothing here changes a decision: what a command
adds to the log it adds as any source would.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from realtime.core import Core
from realtime.log import AlarmChanged, Entry
from realtime.messages.alarms import Alarm, AlarmKind, Alarms
from realtime.messages.alive import Alive
from realtime.session.alarm_causes import AlarmCauses
from realtime.session.alarms import BEHAVIOURS, AlarmBoard
from realtime.session.commands import Commands
from realtime.session.interfaces import SessionSettings
from realtime.session.signals import SignalCollector
from realtime.sinks.mqtt.side_topics import SideTopics
from realtime.status import CommandsStatus, SignalsStatus, Status
from realtime.windows import Window

EVERY_S = 1.0
"""Between two heartbeats, and between two messages of signals, local s."""
SLACK_S = 0.05
"""A timer that comes so much early is on time."""


class BedsideTopics:
    """The other topics of one session.

    Parameters
    ----------
    settings : SessionSettings
        Who, and what is wanted.
    core : Core
        Whose signals are collected.
    topics : SideTopics or None
        Where they are published; None where there is no broker.
    keep : callable of Entry
        Writes an entry into the log that moves no window.
    emit : callable of Entry
        Hands an event to the session, as a source does.
    utc_offset : callable
        Add to local time to get UTC seconds, as of now.
    """

    def __init__(
        self,
        settings: SessionSettings,
        core: Core,
        *,
        topics: SideTopics | None,
        keep: Callable[[Entry], None],
        emit: Callable[[Entry], None],
        utc_offset: Callable[[], float],
    ) -> None:
        self._session, self._run = settings.session, settings.run
        self._clock = settings.local_clock
        self._core, self._topics = core, topics
        self._keep, self._emit = keep, emit
        self._utc_offset = utc_offset
        unfit = BEHAVIOURS[AlarmKind.SIGNAL_UNFIT]._replace(on_s=settings.unfit_after_s)
        self._causes = AlarmCauses()
        self._board = AlarmBoard(
            run=self._run,
            utc=self._iso,
            behaviours={**BEHAVIOURS, AlarmKind.SIGNAL_UNFIT: unfit},
            earlier=settings.earlier_alarms,
            local=self._clock(),
        )
        self._announcement = None if topics is None else settings.announcement
        self._published: tuple[Alarm, ...] | None = None
        self._commands: Commands | None = None
        if topics is not None and settings.accept_commands:
            self._commands = Commands(
                self._session,
                self._run,
                board=self._board,
                stream_time=self._stream_time,
                utc=lambda local: local + utc_offset(),
            )
            topics.listen(("command/event", "command/acknowledge"), self._command)
        self._signals: SignalCollector | None = None
        if topics is not None and settings.signals:
            self._signals = SignalCollector(self._session, self._run, core.plan.policy)
            core.watcher = self._signals
        self._revision = 0
        self._beat = 0
        self._beat_at = self._signals_at = float("-inf")

    # ------------------------------------------------------------- what happens

    def began(self) -> None:
        """The run began, and its log: what the run before left stands in it too."""
        for alarm in self._board.alarms:
            self._keep(AlarmChanged(self._clock(), alarm))
        if self._topics is not None and self._announcement is not None:
            self._topics.retain_at(*self._announcement)

    def windows(self, windows: Sequence[Window]) -> None:
        """Windows were completed."""
        self._causes.windows(windows)

    def decided(self, reasons: Sequence[str]) -> None:
        """A window was decided, for these reasons in vain; of them only lateness is looked at."""
        self._causes.decided(reasons)

    def tick(self, local: float, status: Status, inference_error: str, *, idle: bool) -> None:
        """Time went by.

        Parameters
        ----------
        local : float
            Local time, s.
        status : Status
            The session's latest.
        inference_error : str
            What the network raised last; empty where it works.
        idle : bool
            Whether no entry waits to be handled: then there is time for signals.
        """
        for alarm in self._board.look(local, self._causes.now(local, status, inference_error)):
            self._keep(AlarmChanged(local, alarm))
        self._publish_alarms()
        topics = self._topics
        if topics is None:
            return
        if local - self._beat_at >= EVERY_S - SLACK_S:
            self._beat, self._beat_at = self._beat + 1, local
            alive = Alive(
                session=self._session,
                run=self._run,
                beat=self._beat,
                state=status.state,
                utc=self._iso(local),
            )
            topics.send("alive", alive.to_json())
        if self._commands is not None:
            topics.pause(self._commands.paused(local))
        late = local - self._signals_at
        if self._signals is not None and late >= EVERY_S - SLACK_S and (idle or late >= 2 * EVERY_S):
            self._send_signals(topics, min(late, 2 * EVERY_S))
            self._signals_at = local

    def ended(self, local: float) -> None:
        """The session is over, at a local time (s)."""
        for alarm in self._board.end(local):
            self._keep(AlarmChanged(local, alarm))

    def publish_last(self) -> None:
        """Publish what is listed at the end."""
        self._publish_alarms()

    # ------------------------------------------------------------- for the status

    @property
    def signals_status(self) -> SignalsStatus | None:
        """How publishing signals is going; None where nobody asked for them."""
        if self._signals is None or self._topics is None:
            return None
        return SignalsStatus(dropped=self._topics.dropped["signals"])

    @property
    def commands_status(self) -> CommandsStatus | None:
        """What came of commands; None where none are taken."""
        if (commands := self._commands) is None:
            return None
        return CommandsStatus(
            taken=commands.taken, refused=commands.refused, paused=commands.paused(self._clock())
        )

    # ------------------------------------------------------------- inside

    def _publish_alarms(self) -> None:
        alarms = self._board.alarms
        if alarms != self._published and self._topics is not None:
            self._published = alarms
            listed = Alarms(session=self._session, run=self._run, alarms=alarms)
            self._topics.retain("alarms", listed.to_json())

    def _send_signals(self, topics: SideTopics, seconds: float) -> None:
        assert self._signals is not None
        channels = self._signals.channels
        if channels is not None and channels.revision != self._revision:
            self._revision = channels.revision
            topics.retain("channels", channels.to_json())
        signals = self._signals.take(
            seconds=seconds, dropped=topics.dropped["signals"], utc=self._utc_of_stream
        )
        if signals is not None:
            topics.send("signals", signals.to_json())

    def _command(self, name: str, payload: bytes, retained: bool) -> None:
        assert self._commands is not None
        assert self._topics is not None
        local = self._clock()
        entry, answer = self._commands.take(name, payload, retained, local)
        if isinstance(entry, AlarmChanged):
            self._keep(entry)
            self._publish_alarms()
        elif entry is not None:
            self._emit(entry)
        if answer is not None:
            self._topics.answer(answer.to_json())

    def _stream_time(self, local: float) -> float | None:
        return self._core.local_origin.stream_time(local) if self._core.clock is not None else None

    def _utc_of_stream(self, time: float) -> float | None:
        return self._core.local_origin.local_time(time) + self._utc_offset()

    def _iso(self, local: float) -> str:
        return datetime.fromtimestamp(local + self._utc_offset(), UTC).isoformat(timespec="milliseconds")
