"""How a session stands, on times that are handed in."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from realtime.decision import Decision
from realtime.log import Origin, OriginKind, StreamOpened
from realtime.quality import Reason
from realtime.signal import SignalSpec
from realtime.standing import Standing
from realtime.status import State


def decided(*reasons: Reason) -> Decision:
    return cast(Decision, SimpleNamespace(reasons=tuple(str(r) for r in reasons)))


def stream(local: float = 0.0, speed: float = 1.0) -> StreamOpened:
    kind = OriginKind.LIVE if speed == 1.0 else OriginKind.REPLAYED
    return StreamOpened(local=local, spec=SignalSpec((), 10.0), origin=Origin(kind, speed), name="device")


def test_a_session_waits_warms_up_and_lives() -> None:
    standing = Standing(0.0)
    assert standing.state is State.WAITING
    standing.tick(100.0, 0.0)
    assert standing.state is State.WAITING  # nothing can stall that never was
    standing.opened(stream(100.0))
    assert standing.state is State.BASELINE
    standing.decided(decided(Reason.WARMING_UP), 110.0)
    assert standing.state is State.BASELINE
    standing.decided(decided(), 120.0)
    assert standing.state is State.LIVE
    assert standing.since == 120.0
    standing.decided(decided(Reason.COVERAGE), 121.0)
    assert standing.state is State.LIVE


@pytest.mark.parametrize(
    ("rate", "speed", "told_after"), [(10.0, 1.0, 1.0), (0.5, 1.0, 10.0), (0.5, 20.0, 1.0), (50.0, 1.0, 1.0)]
)
def test_a_stall_is_told_after_a_few_intervals(rate: float, speed: float, told_after: float) -> None:
    standing = Standing(0.0)
    standing.opened(stream(0.0, speed))
    standing.decided(decided(), 5.0)
    standing.sample(10.0)
    standing.tick(10.0 + told_after - 0.01, rate)
    assert standing.state is State.LIVE
    standing.tick(10.0 + told_after + 0.01, rate)
    assert standing.state is State.STALLED
    assert standing.since == 10.0
    # A late decision on old samples does not make it live again; a sample does.
    standing.decided(decided(), 12.0)
    assert standing.state is State.STALLED
    standing.sample(30.0)
    assert standing.state is State.LIVE
    assert standing.reason == "samples come again"


def test_a_first_sample_that_takes_its_time_is_no_return() -> None:
    standing = Standing(0.0)
    standing.opened(stream(0.0))
    standing.tick(5.0, 0.0)
    assert standing.state is State.STALLED
    standing.sample(6.0)
    assert standing.state is State.BASELINE
    assert standing.reason == "connected to device"


def test_the_end_is_the_end() -> None:
    standing = Standing(0.0)
    standing.opened(stream())
    standing.ended("session ended", 9.0)
    for late in (lambda: standing.decided(decided(), 10.0), lambda: standing.tick(99.0, 10.0)):
        cast(Any, late)()
        assert standing.state is State.OFFLINE
