"""Technical alarms: latched until acknowledged, with declared delays, on times that are handed in.

After the pattern of bedside monitors (IEC 60601-1-8 as inspiration; no conformity is claimed): a cause must
last before it alarms and be over for a while before it counts as over, so that nothing flaps; what began
stays listed until somebody acknowledges it, also when its cause is over, and in the session's next run.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from models.outside import printable
from realtime.messages.alarms import Alarm, AlarmKind, Priority

LONGEST_TEXT = 300


class Behaviour(NamedTuple):
    """How an alarm behaves.

    Parameters
    ----------
    priority : Priority
        How soon somebody should look: high, nothing is decided until somebody does something; medium, what is
        decided or kept is at risk; low, the rest.
    on_s : float
        So long (local s) its cause lasts before it alarms.
    off_s : float
        So long its cause is absent before it counts as over.
    """

    priority: Priority
    on_s: float
    off_s: float = 5.0


BEHAVIOURS: Mapping[AlarmKind, Behaviour] = {
    AlarmKind.STREAM_LOST: Behaviour(Priority.HIGH, 2.0),
    AlarmKind.STREAM_STALLED: Behaviour(Priority.HIGH, 3.0),
    AlarmKind.INFERENCE_FAILING: Behaviour(Priority.HIGH, 3.0),
    AlarmKind.MODEL_STALE: Behaviour(Priority.MEDIUM, 10.0),
    AlarmKind.SIGNAL_UNFIT: Behaviour(Priority.MEDIUM, 60.0),
    AlarmKind.JOURNAL_TROUBLE: Behaviour(Priority.MEDIUM, 5.0, 10.0),
    AlarmKind.BROKER_TROUBLE: Behaviour(Priority.LOW, 10.0, 10.0),
    AlarmKind.SESSION_FAULT: Behaviour(Priority.LOW, 5.0, 10.0),
}
_RANK = {priority: rank for rank, priority in enumerate(Priority)}


@dataclass(slots=True)
class _Cause:
    """Since when (local s) a cause is there, or is not; and the alarm that it raised."""

    there: float | None = None
    gone: float | None = None
    alarm: Alarm | None = None


class AlarmBoard:
    """The alarms of one run: at most one of each kind.

    Parameters
    ----------
    run : int
        The session's run; part of the identifiers.
    utc : callable
        ISO 8601 of a local time (s).
    behaviours : mapping
        Of each kind.
    earlier : sequence of Alarm
        Of the run before; of these are kept that nobody acknowledged.
    local : float
        Local time (s) of the start: when the causes of those were over at the latest.
    """

    def __init__(
        self,
        *,
        run: int,
        utc: Callable[[float], str],
        behaviours: Mapping[AlarmKind, Behaviour] = BEHAVIOURS,
        earlier: Sequence[Alarm] = (),
        local: float = 0.0,
    ) -> None:
        self._run = run
        self._utc = utc
        self._behaviours = behaviours
        self._number = 0
        self._causes = {kind: _Cause() for kind in AlarmKind}
        for alarm in earlier:
            if not alarm.acknowledged:
                over = alarm if alarm.until_utc else replace(alarm, until_utc=utc(local))
                self._causes[alarm.kind].alarm = over

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """What nobody has acknowledged first, then by priority, then the older first."""
        listed = [cause.alarm for cause in self._causes.values() if cause.alarm is not None]
        return tuple(
            sorted(listed, key=lambda one: (one.acknowledged, _RANK[one.priority], one.since_utc, one.id))
        )

    def look(self, local: float, present: Mapping[AlarmKind, str]) -> list[Alarm]:
        """Take what is wrong now.

        Parameters
        ----------
        local : float
            Local time, s; never falls.
        present : mapping of AlarmKind to str
            The causes that are there, in plain words.

        Returns
        -------
        list of Alarm
            Those that began, began again, or whose cause is over: as they are then.
        """
        changed: list[Alarm] = []
        for kind, cause in self._causes.items():
            text = present.get(kind)
            found = self._gone(kind, cause, local) if text is None else self._there(kind, cause, local, text)
            if found is not None:
                changed.append(found)
        return changed

    def _there(self, kind: AlarmKind, cause: _Cause, local: float, text: str) -> Alarm | None:
        text, alarm = printable(text, LONGEST_TEXT), cause.alarm
        cause.gone = None
        if cause.there is None:
            cause.there = local
        if alarm is not None and alarm.active:
            cause.alarm = alarm if alarm.text == text else replace(alarm, text=text)
            return None
        if local - cause.there < self._behaviours[kind].on_s:
            return None
        if alarm is None:
            self._number += 1
            cause.alarm = Alarm(
                id=f"{self._run}-{self._number}",
                kind=kind,
                priority=self._behaviours[kind].priority,
                text=text,
                since_utc=self._utc(cause.there),
            )
        else:
            cause.alarm = replace(alarm, text=text, until_utc=None, count=alarm.count + 1)
        return cause.alarm

    def _gone(self, kind: AlarmKind, cause: _Cause, local: float) -> Alarm | None:
        alarm = cause.alarm
        cause.there = None
        if alarm is None or not alarm.active:
            return None
        if cause.gone is None:
            cause.gone = local
        if local - cause.gone < self._behaviours[kind].off_s:
            return None
        return self._over(cause, alarm, cause.gone)

    def _over(self, cause: _Cause, alarm: Alarm, local: float) -> Alarm:
        over = replace(alarm, until_utc=self._utc(local))
        cause.alarm = None if alarm.acknowledged else over
        cause.gone = None
        return over

    def acknowledge(self, alarm_id: str, who: str, local: float) -> tuple[Alarm | None, str]:
        """Somebody has seen an alarm: it stays listed as long as its cause lasts.

        Parameters
        ----------
        alarm_id : str
            Which.
        who : str
            A pseudonym.
        local : float
            Local time, s.

        Returns
        -------
        Alarm or None
            As it is now; None where it was not acknowledged by this.
        str
            Why not; empty where it was.
        """
        for cause in self._causes.values():
            alarm = cause.alarm
            if alarm is None or alarm.id != alarm_id:
                continue
            if alarm.acknowledged:
                return None, f"{alarm.acknowledged_by} has acknowledged it already"
            seen = replace(alarm, acknowledged_by=who, acknowledged_utc=self._utc(local))
            cause.alarm = seen if seen.active else None
            return seen, ""
        known = ", ".join(alarm.id for alarm in self.alarms) or "none"
        return None, f"no alarm has the id {alarm_id[:64]!r}; there are: {known}"

    def end(self, local: float) -> list[Alarm]:
        """The session is over, and with it every cause; what nobody acknowledged stays listed."""
        return [
            self._over(cause, alarm, local)
            for cause in self._causes.values()
            if (alarm := cause.alarm) is not None and alarm.active
        ]
