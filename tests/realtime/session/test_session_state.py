"""How a session stands, on times that are handed in."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from realtime.decision import Decision
from realtime.log import Origin, OriginKind, StreamOpened
from realtime.quality.policy import Reason
from realtime.session.state import SessionState
from realtime.signal import SignalSpec
from realtime.status import State


def decided(*reasons: Reason) -> Decision:
    return cast(Decision, SimpleNamespace(reasons=tuple(str(r) for r in reasons)))


def stream(local: float = 0.0, speed: float = 1.0) -> StreamOpened:
    kind = OriginKind.LIVE if speed == 1.0 else OriginKind.REPLAYED
    return StreamOpened(local=local, spec=SignalSpec((), 10.0), origin=Origin(kind, speed), name="device")


def live(at: float = 5.0, **known: float) -> SessionState:
    standing = SessionState(0.0, **known)
    standing.opened(stream())
    standing.sample(at)
    standing.decided(decided(), at)
    assert standing.state is State.LIVE
    return standing


def test_a_session_waits_warms_up_and_lives() -> None:
    standing = SessionState(0.0)
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


def test_what_was_never_judged_is_not_live() -> None:
    standing = SessionState(0.0)
    standing.opened(stream())
    standing.decided(decided(Reason.COVERAGE, Reason.GAP), 20.0)
    assert standing.state is State.BASELINE
    assert standing.reason == "no window was usable yet: coverage, gap"
    standing.decided(decided(Reason.INFERENCE), 21.0)  # told by itself; the stream is not to blame
    assert standing.state is State.LIVE


@pytest.mark.parametrize("why", [Reason.STALE, Reason.AHEAD, Reason.WARMING_UP])
def test_what_is_not_of_now_is_live_no_more(why: Reason) -> None:
    standing = live()
    standing.decided(decided(why), 6.0)
    assert standing.state is State.RECOVERING
    assert (standing.since, bool(standing.reason)) == (6.0, True)
    standing.decided(decided(why), 7.0)
    standing.decided(decided(), 8.0)
    assert standing.state is State.LIVE


@pytest.mark.parametrize(
    ("rate", "speed", "told_after"), [(10.0, 1.0, 1.0), (0.5, 1.0, 10.0), (0.5, 20.0, 1.0), (50.0, 1.0, 1.0)]
)
def test_a_stall_is_told_after_a_few_intervals(rate: float, speed: float, told_after: float) -> None:
    standing = SessionState(0.0)
    standing.opened(stream(0.0, speed))
    standing.decided(decided(), 5.0)
    standing.sample(10.0)
    standing.tick(10.0 + told_after, rate)
    assert standing.state is State.LIVE
    standing.tick(10.0 + told_after + 0.01, rate)
    assert standing.state is State.STALLED
    assert standing.since == 10.0
    # A late decision on old samples does not make it live again; samples and a judged window do.
    standing.decided(decided(), 12.0)
    assert standing.state is State.STALLED
    standing.sample(30.0)
    assert standing.state is State.RECOVERING
    assert standing.reason == "samples come again"
    standing.decided(decided(Reason.GAP), 30.1)
    assert standing.state is State.RECOVERING
    standing.decided(decided(), 31.0)
    assert (standing.state, standing.since) == (State.LIVE, 31.0)


def test_a_device_that_sends_seconds_at_once_has_not_stalled_between() -> None:
    standing = live(2.0)
    for second in range(3, 20):
        standing.tick(second - 0.01, 10.0)
        for sample in range(10):
            standing.sample(second + 1e-4 * sample)
        standing.decided(decided(), second)
        if second > 4:  # its habit is known
            assert standing.state is State.LIVE
    standing.tick(19.0 + 2.6, 10.0)
    assert standing.state is State.STALLED
    # One long silence is no habit.
    standing.sample(60.0)
    standing.tick(62.6, 10.0)
    assert standing.state is State.STALLED


def test_samples_from_which_no_window_comes_are_a_stall_too() -> None:
    standing = live(0.0, first_after_s=30.0, next_after_s=8.0)
    for tenth in range(1, 100):
        standing.sample(tenth / 10)
        standing.tick(tenth / 10, 10.0)
    assert standing.state is State.STALLED
    assert "no window is completed" in standing.reason
    since = standing.since
    standing.sample(10.0)
    standing.tick(10.0, 10.0)
    assert (standing.state, standing.since) == (State.STALLED, since)
    standing.decided(decided(), 10.1)
    assert standing.state is State.LIVE


def test_the_first_window_of_a_stream_may_take_as_long_as_the_plan_says() -> None:
    standing = SessionState(0.0, first_after_s=30.0, next_after_s=8.0)
    standing.opened(stream())
    for tenth in range(1, 309):
        standing.sample(tenth / 10)
        standing.tick(tenth / 10, 10.0)
    assert standing.state is State.BASELINE
    standing.sample(31.2)
    standing.tick(31.2, 10.0)
    assert standing.state is State.STALLED


def test_a_first_sample_that_takes_its_time_is_no_return() -> None:
    standing = SessionState(0.0)
    standing.opened(stream(0.0))
    standing.tick(5.0, 0.0)
    assert standing.state is State.STALLED
    standing.sample(6.0)
    assert standing.state is State.BASELINE
    assert standing.reason == "connected to device"


def test_a_stream_is_lost_and_comes_back() -> None:
    standing = live()
    standing.lost("the outlet closed", 7.0)
    assert (standing.state, standing.since, standing.reason) == (State.LOST, 7.0, "the outlet closed")
    standing.decided(decided(), 7.1)
    standing.sample(7.2)
    standing.tick(60.0, 10.0)
    assert standing.state is State.LOST
    changes = standing.changes
    standing.lost("what came back lacks S2_D2", 61.0)
    assert (standing.since, standing.reason) == (7.0, "what came back lacks S2_D2")
    assert standing.changes == changes + 1
    standing.opened(stream(80.0))
    assert standing.state is State.RECOVERING
    assert standing.reason == "connected to device again"
    standing.sample(80.5)
    standing.decided(decided(Reason.WARMING_UP), 90.0)
    assert standing.state is State.RECOVERING
    standing.decided(decided(), 120.0)
    assert standing.state is State.LIVE


def test_a_clock_that_was_set_starts_everything_over() -> None:
    standing = live()
    standing.reset(6.0)
    assert standing.state is State.RECOVERING
    assert "clock was set" in standing.reason


def test_a_note_is_told_and_changes_no_state() -> None:
    standing = live()
    changes = standing.changes
    standing.note("the wall clock was set")
    assert (standing.state, standing.reason) == (State.LIVE, "the wall clock was set")
    assert standing.changes == changes + 1


def test_the_end_is_the_end() -> None:
    standing = SessionState(0.0)
    standing.opened(stream())
    standing.ended("session ended", 9.0)
    for late in (
        lambda: standing.decided(decided(), 10.0),
        lambda: standing.tick(99.0, 10.0),
        lambda: standing.lost("gone", 99.0),
        lambda: standing.sample(99.0),
    ):
        cast(Any, late)()
        assert standing.state is State.OFFLINE


def test_a_late_decision_is_no_return_of_a_stream_that_is_lost() -> None:
    standing = live(first_after_s=20.0, next_after_s=10.0)
    standing.sample(40.0)
    standing.tick(40.0, 10.0)  # samples come, windows do not
    assert standing.state is State.STALLED
    standing.lost("the outlet closed", 41.0)
    standing.decided(decided(), 41.1)
    assert (standing.state, standing.reason) == (State.LOST, "the outlet closed")


def test_a_session_says_since_when_it_waits() -> None:
    standing = SessionState(3.0)
    assert (standing.since, standing.reason, standing.changes) == (3.0, "no stream yet", 0)
    assert standing.silent_s(5.0) == 2.0


def test_silence_counts_from_the_opening_of_a_stream() -> None:
    standing = SessionState(0.0)
    standing.opened(stream(100.0))
    standing.tick(101.0, 10.0)
    assert standing.state is State.BASELINE
    standing.tick(101.1, 10.0)
    assert (standing.state, standing.since) == (State.STALLED, 100.0)


def burst(standing: SessionState, at: float) -> None:
    for sample in range(20):
        standing.sample(at + 1e-3 * sample)
    standing.decided(decided(), at)


def test_a_habit_of_sending_two_seconds_at_once_is_learnt() -> None:
    standing = live(2.0)
    for at in range(4, 30, 2):
        burst(standing, at)
    standing.tick(28.0 + 4.9, 10.0)
    assert standing.state is State.LIVE
    standing.tick(28.0 + 5.1, 10.0)
    assert standing.state is State.STALLED


def test_what_comes_within_a_fiftieth_of_a_second_came_at_once() -> None:
    standing = live(0.0)
    for number in range(200):  # three samples at once, every 2 s
        standing.sample(2.0 * (number // 3) + 0.019 * (number % 3))
    at = standing.silent_s(0.0) * -1.0
    standing.decided(decided(), at)
    standing.tick(at + 4.0, 100.0)
    assert standing.state is State.LIVE
    for number in range(200):  # a sample in 25 ms is a rate of 40 Hz, and no habit of sending at once
        standing.sample(at + 0.025 * number)
    at += 0.025 * 199
    standing.decided(decided(), at)
    standing.tick(at + 1.1, 100.0)
    assert standing.state is State.STALLED


def test_a_habit_is_the_middle_of_nine_pauses() -> None:
    def habit(n_short: int) -> tuple[SessionState, float]:
        standing, at = live(0.0), 0.0
        for pause in [2.0] * 12 + [0.1] * n_short:
            at += pause
            standing.sample(at)
            standing.decided(decided(), at)
        return standing, at

    still, at = habit(4)
    still.tick(at + 4.9, 10.0)
    assert still.state is State.LIVE
    gone, at = habit(5)
    gone.tick(at + 1.1, 10.0)
    assert gone.state is State.STALLED


def test_another_stream_has_habits_of_its_own() -> None:
    standing = live(0.0)
    for at in range(2, 30, 2):
        burst(standing, at)
    standing.lost("the outlet closed", 30.0)
    standing.opened(stream(50.0))
    standing.sample(57.0)  # how long the first took is no pause
    standing.sample(57.1)
    standing.tick(58.2, 10.0)
    assert standing.state is State.STALLED


def test_a_stream_that_came_back_has_sent_nothing_yet() -> None:
    standing = live(5.0)
    standing.lost("the outlet closed", 6.0)
    standing.opened(stream(50.0))
    standing.tick(52.0, 10.0)
    assert (standing.state, standing.since) == (State.STALLED, 50.0)
    standing.sample(53.0)
    assert (standing.state, standing.reason) == (State.BASELINE, "connected to device")


@pytest.mark.parametrize("anew", ["opened", "reset"])
def test_behind_a_new_start_the_first_window_may_take_its_time_again(anew: str) -> None:
    standing = live(0.0, first_after_s=30.0, next_after_s=8.0)
    if anew == "opened":
        standing.opened(stream(100.0))
    else:
        for second in range(101):
            standing.sample(second)
            standing.decided(decided(), second)
        standing.reset(100.0)
    for tenth in range(1001, 1310):
        standing.sample(tenth / 10)
        standing.tick(tenth / 10, 10.0)
    assert standing.state is State.RECOVERING
    standing.sample(131.1)
    standing.tick(131.1, 10.0)
    assert standing.state is State.STALLED
    assert "no window is completed" in standing.reason


def test_windows_that_come_in_their_time_are_no_stall() -> None:
    standing = live(100.0, first_after_s=30.0, next_after_s=8.0)
    for tenth in range(1001, 1600):
        standing.sample(tenth / 10)
        if tenth % 85 == 0:
            standing.decided(decided(), tenth / 10)
        standing.tick(tenth / 10, 10.0)
        assert standing.state is State.LIVE


def test_a_window_is_waited_for_in_stream_time() -> None:
    standing = SessionState(0.0, first_after_s=30.0, next_after_s=8.0)
    standing.opened(stream(0.0, 2.0))
    standing.sample(1.0)
    standing.decided(decided(), 1.0)
    for local in (2.0, 3.0, 4.0, 5.0, 6.0):  # 8 s at twice real time, and a second of patience
        standing.sample(local)
        standing.tick(local, 10.0)
    assert standing.state is State.LIVE
    standing.sample(6.1)
    standing.tick(6.1, 10.0)
    assert standing.state is State.STALLED


def blind() -> SessionState:
    """Samples have come for longer than any window can take."""
    standing = live(0.0, first_after_s=30.0, next_after_s=8.0)
    for second in range(1, 11):
        standing.sample(second)
        standing.tick(second, 10.0)
    assert "no window is completed" in standing.reason
    return standing


def test_a_silence_behind_windows_that_did_not_come_ends_with_the_next_sample() -> None:
    standing = blind()
    standing.tick(13.0, 10.0)
    assert (standing.state, standing.reason) == (State.STALLED, "no sample comes")
    standing.sample(40.0)
    assert (standing.state, standing.reason) == (State.RECOVERING, "samples come again")
    standing.tick(40.5, 10.0)
    assert standing.state is State.RECOVERING  # the window is waited for anew


def test_windows_that_come_again_are_told_once() -> None:
    standing = blind()
    standing.decided(decided(Reason.GAP), 10.5)
    assert (standing.state, standing.reason) == (
        State.RECOVERING,
        "no window was usable yet: gap",
    )
    standing.decided(decided(), 11.0)
    assert (standing.state, standing.since) == (State.LIVE, 11.0)
    changes = standing.changes
    standing.decided(decided(), 12.0)
    assert (standing.state, standing.since, standing.changes) == (State.LIVE, 11.0, changes)


def test_a_clock_that_is_set_while_no_window_comes_ends_the_waiting_for_it() -> None:
    standing = blind()
    standing.reset(10.0)
    assert standing.state is State.STALLED
    standing.sample(10.1)
    assert (standing.state, standing.reason) == (State.RECOVERING, "samples come again")


def test_what_was_told_already_is_no_change() -> None:
    standing = live(5.0)
    standing.tick(7.0, 10.0)
    changes = standing.changes
    standing.tick(8.0, 10.0)
    assert (standing.state, standing.since, standing.changes) == (State.STALLED, 5.0, changes)
    standing.lost("the outlet closed", 9.0)
    standing.lost("the outlet closed", 10.0)
    assert (standing.since, standing.changes) == (9.0, changes + 1)


def test_of_a_long_note_a_thousand_characters_are_told() -> None:
    standing = live()
    standing.note("b" * 1000)
    assert standing.reason == "b" * 1000
    standing.note("e" * 500)
    assert len(standing.reason) == 1000
    assert (standing.reason[:400], standing.reason[-400:]) == ("b" * 400, "e" * 400)
