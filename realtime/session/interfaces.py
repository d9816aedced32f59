"""What a session is made of besides the core: a source, an observer, and its settings."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from models.errors import HemostreamError
from realtime.decision import Decision
from realtime.log import MOST_RUNS, Entry
from realtime.messages.alarms import Alarm
from realtime.status import Status


class Source(Protocol):
    """What gives entries; made with two callbacks, see `realtime.sources.lsl.source`."""

    def start(self) -> None:
        """Begin."""
        ...

    def refuse(self, reason: str) -> None:
        """Leave the present stream, which came in the place of another and cannot be used; look on."""
        ...

    def close(self) -> None:
        """Stop, and wait until no callback can come any more."""
        ...


SourceFactory = Callable[[Callable[[Entry], None], Callable[[Exception], None]], Source]
"""Makes a source from its callbacks ``emit(entry)`` and ``failed(error)``, called from any thread."""


class Observer(Protocol):
    """Watches on the loop: a terminal view."""

    def decision(self, decision: Decision) -> None:
        """Take a published decision."""
        ...

    def status(self, status: Status) -> None:
        """Take a changed status."""
        ...


@dataclass(frozen=True, kw_only=True)
class SessionSettings:
    """Who this is and how it ends.

    Parameters
    ----------
    session : str
        Pseudonymous name; part of topics and of each decision's identity.
    run : int
        Grows by one at each start of the same session.
    seconds : float or None
        End after so many stream seconds of decisions, counted from the first window behind the
        warm-up; None goes on until stopped.
    local_clock : callable
        The machine's monotonic clock, s, on which entries are stamped.
    extra : mapping
        Noted in the journal with the settings; JSON types.
    signals : bool
        Whether signals are published as well.
    accept_commands : bool
        Whether events and acknowledgements are taken from the broker.
    unfit_after_s : float
        For so long (local s) no window could be used before that is an alarm.
    earlier_alarms : sequence of Alarm
        Of the run before; those that nobody acknowledged stay listed.
    announcement : (str, str) or None
        A topic and a text that the broker is to keep there, for whoever looks for devices
        (`realtime.sinks.mqtt.home_assistant`).
    """

    session: str
    run: int = 1
    seconds: float | None = None
    local_clock: Callable[[], float] = time.monotonic
    extra: Mapping[str, Any] = field(default_factory=dict)
    signals: bool = False
    accept_commands: bool = False
    unfit_after_s: float = 60.0
    earlier_alarms: Sequence[Alarm] = ()
    announcement: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.run <= MOST_RUNS:
            raise HemostreamError(
                f"Run is {str(self.run)[:40]} of session {self.session!r}; expected 1 to {MOST_RUNS}. Give "
                "the session another name, or another journal."
            )
