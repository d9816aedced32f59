"""What is technically wrong with a session at this moment, from its status and its windows.

Of a decision nothing is looked at but whether it came in time: no label, no probability, and no lack of a
label raises an alarm or ends one.
"""

from collections.abc import Iterable, Mapping

from realtime.messages.alarms import AlarmKind
from realtime.quality.policy import Reason
from realtime.status import State, Status
from realtime.windows import Window

LOSS_S = 30.0
"""So long (local s) after something was lost for good, the journal or the broker counts as in trouble."""
LATE = frozenset({Reason.STALE, Reason.AHEAD})
NO_PART = frozenset({"journal"})
"""Parts that are reported as failing and have an alarm of their own."""


class AlarmCauses:
    """Remembers what no single status shows."""

    def __init__(self) -> None:
        self._unfit = ""
        self._late = ""
        self._lost: dict[AlarmKind, tuple[int, float]] = {}

    def windows(self, windows: Iterable[Window]) -> None:
        """Windows were completed: could they be used?

        Parameters
        ----------
        windows : iterable of Window
            As the core gave them.
        """
        for window in windows:
            reasons = [str(reason) for reason in window.reasons if reason is not Reason.WARMING_UP]
            if reasons:
                self._unfit = f"no window can be used: {', '.join(reasons)}"
            elif not window.reasons:
                self._unfit = ""

    def decided(self, reasons: Iterable[str]) -> None:
        """A window was decided: was that in time?

        Parameters
        ----------
        reasons : iterable of str
            Why it abstained, if it did; all but lateness is passed over.
        """
        late = [str(reason) for reason in reasons if reason in LATE]
        self._late = f"no decision is current: {', '.join(late)}" if late else ""

    def now(self, local: float, status: Status, inference_error: str) -> Mapping[AlarmKind, str]:
        """What is wrong at a local time (s), in plain words.

        Parameters
        ----------
        local : float
            Local time, s.
        status : Status
            The session's.
        inference_error : str
            What the network raised last; empty where it works.
        """
        found: dict[AlarmKind, str] = {}
        running = status.state in (State.BASELINE, State.LIVE, State.RECOVERING)
        if status.state is State.LOST:
            found[AlarmKind.STREAM_LOST] = status.reason or "the stream is gone"
        if status.state is State.STALLED:
            found[AlarmKind.STREAM_STALLED] = status.reason or "no sample comes"
        if running and self._unfit:
            found[AlarmKind.SIGNAL_UNFIT] = self._unfit
        if running and self._late:
            found[AlarmKind.MODEL_STALE] = self._late
        if running and inference_error:
            found[AlarmKind.INFERENCE_FAILING] = inference_error
        if (journal := status.journal) is not None:
            lost = self._lost_lately(AlarmKind.JOURNAL_TROUBLE, journal.dropped, local)
            if journal.failing:
                found[AlarmKind.JOURNAL_TROUBLE] = f"it cannot be written; {journal.depth} entries wait"
            elif lost:
                found[AlarmKind.JOURNAL_TROUBLE] = f"{journal.dropped} entries were lost"
        if (broker := status.broker) is not None:
            lost = self._lost_lately(AlarmKind.BROKER_TROUBLE, broker.dropped, local)
            if not broker.connected:
                found[AlarmKind.BROKER_TROUBLE] = "it is not connected"
            elif lost:
                found[AlarmKind.BROKER_TROUBLE] = f"{broker.dropped} decisions were lost on the way to it"
        if parts := [f"{part}: {why}" for part, why in status.failing.items() if part not in NO_PART]:
            found[AlarmKind.SESSION_FAULT] = "; ".join(parts)
        return found

    def _lost_lately(self, kind: AlarmKind, count: int, local: float) -> bool:
        """Whether a count of what was lost has grown within the last `LOSS_S`."""
        before, when = self._lost.get(kind, (0, float("-inf")))
        if count > before:
            when = local
        self._lost[kind] = (count, when)
        return local - when < LOSS_S
