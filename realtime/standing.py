"""How a session stands: waiting, warming up, live, stalled, offline, and why.

Pure bookkeeping on times that are handed in; the session tells it what happens and asks it now
and then what no sample can tell: that none comes.
"""

from realtime.decision import Decision
from realtime.log import StreamOpened
from realtime.quality import Reason
from realtime.status import State

STALL_INTERVALS = 5
"""Sample intervals without a sample after which a stream is said to have stalled."""
STALL_LEAST_S = 1.0
"""... but never sooner than this, local seconds."""


class Standing:
    """The state of one session.

    Parameters
    ----------
    local : float
        Local time (s) of the start.
    """

    def __init__(self, local: float) -> None:
        self.state = State.WAITING
        self.since = local
        self.stream: StreamOpened | None = None
        self.reason = self._connected()
        self._last_sample = local
        self._before_stall = State.BASELINE
        self._any_sample = False

    def opened(self, stream: StreamOpened) -> None:
        """A stream was connected."""
        self.stream = stream
        self._last_sample = stream.local
        self._any_sample = False
        self._become(State.BASELINE, self._connected(), stream.local)

    def sample(self, local: float) -> None:
        """A sample arrived; a stall is over."""
        self._last_sample = local
        if self.state is State.STALLED:
            # A first sample that takes its time is no return.
            why = "samples come again" if self._any_sample else self._connected()
            self._become(self._before_stall, why, local)
        self._any_sample = True

    def decided(self, decision: Decision, local: float) -> None:
        """A window was decided: warm or not."""
        if self.state is State.OFFLINE:
            return
        warming = Reason.WARMING_UP in decision.reasons
        self._before_stall = State.BASELINE if warming else State.LIVE
        if self.state is not State.STALLED:
            self._become(self._before_stall, "", local)

    def tick(self, local: float, rate: float) -> None:
        """Time went by.

        Parameters
        ----------
        local : float
            Local time (s).
        rate : float
            Measured rate of the stream, samples a stream second; 0 where it is not known yet.
        """
        if self.stream is None or self.state in (State.WAITING, State.OFFLINE):
            return
        interval = 1.0 / (rate * self.stream.origin.speed) if rate > 0 else 0.0
        if self.silent_s(local) > max(STALL_LEAST_S, STALL_INTERVALS * interval):
            if self.state is not State.STALLED:
                self._before_stall = self.state
            self._become(State.STALLED, "no sample comes", self._last_sample)

    def silent_s(self, local: float) -> float:
        """Local seconds since the last sample (or the opening)."""
        return local - self._last_sample

    def ended(self, reason: str, local: float) -> None:
        """The session is over."""
        self._become(State.OFFLINE, reason, local)

    def _connected(self) -> str:
        return "no stream yet" if self.stream is None else f"connected to {self.stream.name}"

    def _become(self, state: State, reason: str, since: float) -> None:
        if state is not self.state:
            self.state, self.reason, self.since = state, reason, since
