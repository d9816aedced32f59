"""What Prometheus is told of the beds that a page watches: a pure function of what came over MQTT.

In Prometheus' text format 0.0.4.  Nothing that was decided is exported: only how the measurement is doing, so
that no dashboard of machines shows something of a person.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from typing import Protocol

from realtime.decision import Decision
from realtime.messages.alarms import Alarm, AlarmKind, Priority
from realtime.status import State, Status

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""Of an answer that holds `metrics`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BedState:
    """What is known of one bed.

    Parameters
    ----------
    session : str
        Its name.
    status : Status or None
        Its latest status; None where none came.
    decision : Decision or None
        Its latest decision.
    decision_age_s : float or None
        Seconds since that decision's window ended, by the watcher's own monotonic clock.
    alive_age_s : float or None
        Seconds since its last heartbeat came, likewise.
    alarms : sequence of Alarm
        Those that are listed.
    """

    session: str
    status: Status | None = None
    decision: Decision | None = None
    decision_age_s: float | None = None
    alive_age_s: float | None = None
    alarms: Sequence[Alarm] = ()


class Put(Protocol):
    """Takes a sample: the metric's name, its value (None is left out), and its labels."""

    def __call__(self, name: str, value: float | None, **labels: str) -> None: ...  # noqa: D102


METRICS: dict[str, tuple[str, str]] = {
    "hemostream_beds": ("gauge", "Beds that are known."),
    "hemostream_state": ("gauge", "1 for the state that a bed's session is in, 0 for the others."),
    "hemostream_alive_age_seconds": ("gauge", "Since the last heartbeat."),
    "hemostream_run": ("gauge", "Run of the session."),
    "hemostream_decision_age_seconds": ("gauge", "Since the end of the window of the latest decision."),
    "hemostream_decision_max_age_seconds": ("gauge", "Age beyond which no decision is current."),
    "hemostream_decision_abstained": ("gauge", "1 where the latest decision is an abstention."),
    "hemostream_coverage_ratio": ("gauge", "Measured fraction of the latest window."),
    "hemostream_channels": ("gauge", "Channels that the latest window used."),
    "hemostream_stream_rate_hertz": ("gauge", "Measured samples a stream second; 0 before it is known."),
    "hemostream_stream_jitter_seconds": ("gauge", "Mean distance of the stamps from a line."),
    "hemostream_stream_uncertainty_seconds": ("gauge", "How wrong times may be."),
    "hemostream_stream_gaps": ("gauge", "Gaps since the stream was opened."),
    "hemostream_stream_dropped": ("gauge", "Samples that could not be used since the stream was opened."),
    "hemostream_stream_lost": ("gauge", "Samples that the device counted and that never came."),
    "hemostream_rejected": ("gauge", "What came and could not be taken in this run, by kind."),
    "hemostream_journal_depth": ("gauge", "Entries that wait for the journal."),
    "hemostream_journal_dropped": ("gauge", "Entries that the journal lost in this run."),
    "hemostream_journal_failing": ("gauge", "1 where the journal cannot be written."),
    "hemostream_broker_waiting": ("gauge", "Decisions that wait for the broker."),
    "hemostream_broker_dropped": ("gauge", "Decisions that were lost on the way to it in this run."),
    "hemostream_signals_dropped": ("gauge", "Messages of signals that could not be sent in this run."),
    "hemostream_commands_taken": ("gauge", "Commands that were carried out in this run."),
    "hemostream_commands_refused": ("gauge", "Commands that were refused in this run."),
    "hemostream_wall_clock_steps": ("gauge", "How often the machine's clock was set in this run."),
    "hemostream_failing_parts": ("gauge", "Parts of the session that do not work."),
    "hemostream_alarms": ("gauge", "Technical alarms that last, by priority."),
    "hemostream_alarms_unacknowledged": ("gauge", "Technical alarms that nobody has acknowledged."),
    "hemostream_alarm": ("gauge", "1 while a technical alarm of the kind lasts."),
}
"""Every metric: its type and its help.  What counts starts over with each run, so all are gauges."""


def metrics(beds: Iterable[BedState]) -> str:
    """The text that a scrape gets.

    Parameters
    ----------
    beds : iterable of BedState
        In any order; a bed that comes twice counts as it came last.

    Returns
    -------
    str
        Lines, ended by a line end.
    """
    known = {bed.session: bed for bed in beds}
    samples: dict[str, list[str]] = {name: [] for name in METRICS}

    def put(name: str, value: float | None, **labels: str) -> None:
        if value is not None:
            samples[name].append(f"{name}{_labels(labels)} {_number(value)}")

    put("hemostream_beds", len(known))
    for session in sorted(known):
        _bed(known[session], put, session)
    lines = []
    for name, (kind, what) in METRICS.items():
        if samples[name]:
            lines += [f"# HELP {name} {what}", f"# TYPE {name} {kind}", *samples[name]]
    return "\n".join(lines) + "\n"


def _bed(bed: BedState, put: Put, session: str) -> None:
    put("hemostream_alive_age_seconds", bed.alive_age_s, session=session)
    put("hemostream_decision_age_seconds", bed.decision_age_s, session=session)
    if (decision := bed.decision) is not None:
        put("hemostream_decision_abstained", decision.abstained, session=session)
        put("hemostream_coverage_ratio", decision.coverage, session=session)
        put("hemostream_channels", decision.channels, session=session)
    for priority in Priority:
        active = sum(alarm.active and alarm.priority is priority for alarm in bed.alarms)
        put("hemostream_alarms", active, session=session, priority=priority)
    unseen = sum(not alarm.acknowledged for alarm in bed.alarms)
    put("hemostream_alarms_unacknowledged", unseen, session=session)
    lasting = {alarm.kind for alarm in bed.alarms if alarm.active}
    for kind in AlarmKind:
        put("hemostream_alarm", kind in lasting, session=session, kind=kind)
    if bed.status is not None:
        _status(bed.status, put, session)


def _status(status: Status, put: Put, session: str) -> None:
    for state in State:
        put("hemostream_state", status.state is state, session=session, state=state)
    put("hemostream_run", status.run, session=session)
    put("hemostream_wall_clock_steps", status.wall_clock_steps, session=session)
    put("hemostream_failing_parts", len(status.failing), session=session)
    for kind, count in sorted(status.rejected.items()):
        put("hemostream_rejected", count, session=session, kind=kind)
    if (window := status.window) is not None:
        put("hemostream_decision_max_age_seconds", window.max_age_s, session=session)
    if (clock := status.clock) is not None:
        put("hemostream_stream_rate_hertz", clock.rate, session=session)
        put("hemostream_stream_jitter_seconds", clock.jitter_s, session=session)
        put("hemostream_stream_uncertainty_seconds", clock.uncertainty_s, session=session)
        put("hemostream_stream_gaps", clock.gaps, session=session)
        put("hemostream_stream_dropped", clock.dropped, session=session)
        put("hemostream_stream_lost", clock.lost, session=session)
    if (journal := status.journal) is not None:
        put("hemostream_journal_depth", journal.depth, session=session)
        put("hemostream_journal_dropped", journal.dropped, session=session)
        put("hemostream_journal_failing", journal.failing, session=session)
    if (broker := status.broker) is not None:
        put("hemostream_broker_waiting", broker.waiting, session=session)
        put("hemostream_broker_dropped", broker.dropped, session=session)
    if (signals := status.signals) is not None:
        put("hemostream_signals_dropped", signals.dropped, session=session)
    if (commands := status.commands) is not None:
        put("hemostream_commands_taken", commands.taken, session=session)
        put("hemostream_commands_refused", commands.refused, session=session)


def _labels(labels: dict[str, str]) -> str:
    listed = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
    return f"{{{listed}}}" if labels else ""


def _escaped(text: str) -> str:
    """As the format wants it; lone surrogates, which are no UTF-8, are replaced."""
    text = text.encode("utf-8", "replace").decode()
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _number(value: float) -> str:
    value = float(value)
    if isfinite(value):
        return repr(value).removesuffix(".0")
    return "+Inf" if value == inf else "-Inf" if value == -inf else "NaN"
