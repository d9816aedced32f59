"""What `/metrics` says of the beds that the page knows: their last messages, read strictly."""

from collections.abc import Callable
from typing import TypeVar

from models.errors import MessageError
from realtime.decision import Decision
from realtime.messages.alarms import Alarms
from realtime.messages.metrics import BedState, metrics
from realtime.monitor.bed import Bed
from realtime.monitor.beds import Beds
from realtime.status import Status

T = TypeVar("T")


def metrics_of(beds: Beds) -> str:
    """The text that a scrape of the page's server gets."""
    now = beds.clock()
    return metrics(state_of(bed, now) for bed in beds.beds.values())


def state_of(bed: Bed, now: float) -> BedState:
    """What is known of a bed at a moment of the server's clock, s.

    The page shows what it can of a message; here one that does not fit its schema is left out.
    """
    decision = _read(bed, "decision", Decision.from_json)
    alarms = _read(bed, "alarms", Alarms.from_json)
    return BedState(
        session=bed.name,
        status=_read(bed, "status", Status.from_json),
        decision=decision,
        decision_age_s=None if decision is None else now - bed.latest_zero,
        alive_age_s=None if bed.heard is None else now - bed.heard,
        alarms=() if alarms is None else alarms.alarms,
    )


def _read(bed: Bed, what: str, parse: Callable[[bytes], T]) -> T | None:
    payload = bed.last_payloads.get(what)
    if payload is None:
        return None
    try:
        return parse(payload)
    except MessageError:
        return None
