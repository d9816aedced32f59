"""The state of a session: waiting, warming up, live, stalled, lost, recovering, offline, and why.

Pure bookkeeping on times that are handed in; the session reports what happens to it and asks it now
and then what no sample can show: that none comes.  Live is a claim: it holds as long as windows
are predicted, on samples that are there, and of an age that the policy allows.
"""

from collections import deque
from statistics import median

from models.outside import printable
from realtime.decision import Decision
from realtime.log import StreamOpened
from realtime.quality.policy import Reason
from realtime.status import State

STALL_INTERVALS = 5
"""Sample intervals without a sample after which a stream has stalled."""
STALL_LEAST_S = 1.0
"""... but never sooner than this, local seconds."""
STALL_PAUSES = 2.5
"""... nor sooner than so many of the pauses that are usual: some devices send seconds at once."""
TOGETHER_S = 0.02
"""What arrives within this came at once, local seconds."""
USUAL = 9
"""Pauses of which the median is the usual one: a single long one is none."""
LONGEST_REASON = 1000
"""Characters of a reason that are reported."""
NOT_NOW = {
    Reason.WARMING_UP: "everything starts over",
    Reason.STALE: "decisions come too late",
    Reason.AHEAD: "stamps lie ahead of the clock",
}
"""With one of these a session is live no more."""
NOT_THE_STREAM = frozenset({Reason.INFERENCE, Reason.UNDECIDED})
"""A network that raises is reported by itself, and what is undecided was predicted."""


class SessionState:
    """The state of one session.

    Parameters
    ----------
    local : float
        Local time (s) of the start.
    first_after_s : float
        Longest time (stream seconds) from a stream's first sample to its first window; none expected by
        default.
    next_after_s : float
        Longest time (stream seconds) from one window to the next while samples come.
    """

    def __init__(
        self, local: float, *, first_after_s: float = float("inf"), next_after_s: float = float("inf")
    ) -> None:
        self.state = State.WAITING
        self.since = local
        self.stream: StreamOpened | None = None
        self.reason = "no stream yet"
        self.changes = 0
        """Grows with whatever is to be published."""
        self._first_after_s = first_after_s
        self._next_after_s = next_after_s
        self._last_sample = local
        self._any_sample = False
        self._pauses: deque[float] = deque(maxlen=USUAL)
        self._patience_s = first_after_s
        self._window = local  # when the last one came, or waiting for one began
        self._blind = False  # stalled although samples come

    # ------------------------------------------------------------- what happens

    def opened(self, stream: StreamOpened) -> None:
        """A stream was connected."""
        again = self.stream is not None
        self.stream = stream
        self._last_sample = stream.local
        self._any_sample = False
        self._pauses.clear()
        self._wait_anew(stream.local)
        if again:
            self._become(State.RECOVERING, f"connected to {stream.name} again", stream.local)
        else:
            self._become(State.BASELINE, f"connected to {stream.name}", stream.local)

    def lost(self, reason: str, local: float) -> None:
        """The stream is gone, or what came in its place cannot be used."""
        self._blind = False  # a decision that comes late is no return
        if self.state is not State.OFFLINE:
            self._become(State.LOST, reason, local)

    def reset(self, local: float) -> None:
        """The source's clock was set."""
        self._wait_anew(local)
        if self.state in (State.LIVE, State.RECOVERING):
            self._become(State.RECOVERING, "the source's clock was set: everything starts over", local)

    def sample(self, local: float) -> None:
        """A sample arrived; a silence is over."""
        pause = local - self._last_sample
        if self._any_sample and pause > TOGETHER_S:
            self._pauses.append(pause)
        self._last_sample = max(local, self._last_sample)
        if self.state is State.STALLED and not self._blind:
            self._window = local
            if self._any_sample:
                self._become(State.RECOVERING, "samples come again", local)
            else:
                # A first sample that takes its time is no return.
                self._become(State.BASELINE, self._connected(), local)
        self._any_sample = True

    def decided(self, decision: Decision, local: float) -> None:
        """A window was decided, whatever came out."""
        self._window = local
        self._patience_s = self._next_after_s
        reasons = [reason for reason in decision.reasons if reason not in NOT_THE_STREAM]
        if self._blind:
            self._blind = False
            self._become(State.RECOVERING, "windows are completed again", local)
        if self.state in (State.BASELINE, State.RECOVERING):
            if not reasons:
                self._become(State.LIVE, "", local)
            elif Reason.WARMING_UP not in reasons:
                self._become(self.state, f"no window was usable yet: {', '.join(reasons)}", local)
        elif self.state is State.LIVE:
            for reason, why in NOT_NOW.items():
                if reason in reasons:
                    self._become(State.RECOVERING, why, local)
                    return

    def note(self, what: str) -> None:
        """Something that changes no state and is to be published."""
        self.reason = printable(f"{self.reason}; {what}" if self.reason else what, LONGEST_REASON)
        self.changes += 1

    def ended(self, reason: str, local: float) -> None:
        """The session is over."""
        self._become(State.OFFLINE, reason, local)

    # ------------------------------------------------------------- what does not

    def tick(self, local: float, rate: float) -> None:
        """Time went by.

        Parameters
        ----------
        local : float
            Local time (s).
        rate : float
            Measured rate of the stream, samples a stream second; 0 where it is not known yet.
        """
        if self.stream is None or self.state in (State.WAITING, State.LOST, State.OFFLINE):
            return
        speed = self.stream.origin.speed
        interval = 1.0 / (rate * speed) if rate > 0 else 0.0
        usual = median(self._pauses) if self._pauses else 0.0
        silent = self.silent_s(local)
        if silent > max(STALL_LEAST_S, STALL_INTERVALS * interval, STALL_PAUSES * usual):
            self._blind = False
            self._become(State.STALLED, "no sample comes", self._last_sample)
        elif (
            self.state is not State.STALLED
            and local - self._window > STALL_LEAST_S + self._patience_s / speed
        ):
            self._blind = True
            self._become(
                State.STALLED, "samples come, but no window is completed: their stamps lead nowhere", local
            )

    def silent_s(self, local: float) -> float:
        """Local seconds since the last sample (or the opening)."""
        return local - self._last_sample

    def _wait_anew(self, local: float) -> None:
        self._window = local
        self._patience_s = self._first_after_s
        self._blind = False

    def _connected(self) -> str:
        return "no stream yet" if self.stream is None else f"connected to {self.stream.name}"

    def _become(self, state: State, reason: str, since: float) -> None:
        if state is not self.state:
            self.since = since
        elif reason == self.reason or not reason:
            return
        self.state, self.reason = state, reason
        self.changes += 1
