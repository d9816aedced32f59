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
    bed = SessionState(0.0, **known)
    bed.opened(stream())
    bed.sample(at)
    bed.decided(decided(), at)
    assert bed.state is State.LIVE
    return bed


def test_a_session_waits_warms_up_and_lives() -> None:
    bed = SessionState(0.0)
    assert bed.state is State.WAITING
    bed.tick(100.0, 0.0)
    assert bed.state is State.WAITING  # nothing can stall that never was
    bed.opened(stream(100.0))
    assert bed.state is State.BASELINE
    bed.decided(decided(Reason.WARMING_UP), 110.0)
    assert bed.state is State.BASELINE
    bed.decided(decided(), 120.0)
    assert bed.state is State.LIVE
    assert bed.since == 120.0
    bed.decided(decided(Reason.COVERAGE), 121.0)
    assert bed.state is State.LIVE


def test_what_was_never_predicted_is_not_live() -> None:
    bed = SessionState(0.0)
    bed.opened(stream())
    bed.decided(decided(Reason.COVERAGE, Reason.GAP), 20.0)
    assert bed.state is State.BASELINE
    assert bed.reason == "no window was usable yet: coverage, gap"
    bed.decided(decided(Reason.INFERENCE), 21.0)  # reported by itself; the stream is not to blame
    assert bed.state is State.LIVE


@pytest.mark.parametrize("why", [Reason.STALE, Reason.AHEAD, Reason.WARMING_UP])
def test_what_is_not_of_now_is_live_no_more(why: Reason) -> None:
    bed = live()
    bed.decided(decided(why), 6.0)
    assert bed.state is State.RECOVERING
    assert (bed.since, bool(bed.reason)) == (6.0, True)
    bed.decided(decided(why), 7.0)
    bed.decided(decided(), 8.0)
    assert bed.state is State.LIVE


@pytest.mark.parametrize(
    ("rate", "speed", "told_after"), [(10.0, 1.0, 1.0), (0.5, 1.0, 10.0), (0.5, 20.0, 1.0), (50.0, 1.0, 1.0)]
)
def test_a_stall_is_reported_after_a_few_intervals(rate: float, speed: float, told_after: float) -> None:
    bed = SessionState(0.0)
    bed.opened(stream(0.0, speed))
    bed.decided(decided(), 5.0)
    bed.sample(10.0)
    bed.tick(10.0 + told_after, rate)
    assert bed.state is State.LIVE
    bed.tick(10.0 + told_after + 0.01, rate)
    assert bed.state is State.STALLED
    assert bed.since == 10.0
    # A late decision on old samples does not make it live again; samples and a predicted window do.
    bed.decided(decided(), 12.0)
    assert bed.state is State.STALLED
    bed.sample(30.0)
    assert bed.state is State.RECOVERING
    assert bed.reason == "samples come again"
    bed.decided(decided(Reason.GAP), 30.1)
    assert bed.state is State.RECOVERING
    bed.decided(decided(), 31.0)
    assert (bed.state, bed.since) == (State.LIVE, 31.0)


def test_a_device_that_sends_seconds_at_once_has_not_stalled_between() -> None:
    bed = live(2.0)
    for second in range(3, 20):
        bed.tick(second - 0.01, 10.0)
        for sample in range(10):
            bed.sample(second + 1e-4 * sample)
        bed.decided(decided(), second)
        if second > 4:  # its habit is known
            assert bed.state is State.LIVE
    bed.tick(19.0 + 2.6, 10.0)
    assert bed.state is State.STALLED
    # One long silence is no habit.
    bed.sample(60.0)
    bed.tick(62.6, 10.0)
    assert bed.state is State.STALLED


def test_samples_from_which_no_window_comes_are_a_stall_too() -> None:
    bed = live(0.0, first_after_s=30.0, next_after_s=8.0)
    for tenth in range(1, 100):
        bed.sample(tenth / 10)
        bed.tick(tenth / 10, 10.0)
    assert bed.state is State.STALLED
    assert "no window is completed" in bed.reason
    since = bed.since
    bed.sample(10.0)
    bed.tick(10.0, 10.0)
    assert (bed.state, bed.since) == (State.STALLED, since)
    bed.decided(decided(), 10.1)
    assert bed.state is State.LIVE


def test_the_first_window_of_a_stream_may_take_as_long_as_the_plan_says() -> None:
    bed = SessionState(0.0, first_after_s=30.0, next_after_s=8.0)
    bed.opened(stream())
    for tenth in range(1, 309):
        bed.sample(tenth / 10)
        bed.tick(tenth / 10, 10.0)
    assert bed.state is State.BASELINE
    bed.sample(31.2)
    bed.tick(31.2, 10.0)
    assert bed.state is State.STALLED


def test_a_first_sample_that_takes_its_time_is_no_return() -> None:
    bed = SessionState(0.0)
    bed.opened(stream(0.0))
    bed.tick(5.0, 0.0)
    assert bed.state is State.STALLED
    bed.sample(6.0)
    assert bed.state is State.BASELINE
    assert bed.reason == "connected to device"


def test_a_stream_is_lost_and_comes_back() -> None:
    bed = live()
    bed.lost("the outlet closed", 7.0)
    assert (bed.state, bed.since, bed.reason) == (State.LOST, 7.0, "the outlet closed")
    bed.decided(decided(), 7.1)
    bed.sample(7.2)
    bed.tick(60.0, 10.0)
    assert bed.state is State.LOST
    changes = bed.changes
    bed.lost("what came back lacks S2_D2", 61.0)
    assert (bed.since, bed.reason) == (7.0, "what came back lacks S2_D2")
    assert bed.changes == changes + 1
    bed.opened(stream(80.0))
    assert bed.state is State.RECOVERING
    assert bed.reason == "connected to device again"
    bed.sample(80.5)
    bed.decided(decided(Reason.WARMING_UP), 90.0)
    assert bed.state is State.RECOVERING
    bed.decided(decided(), 120.0)
    assert bed.state is State.LIVE


def test_a_clock_that_was_set_starts_everything_over() -> None:
    bed = live()
    bed.reset(6.0)
    assert bed.state is State.RECOVERING
    assert "clock was set" in bed.reason


def test_a_note_is_reported_and_changes_no_state() -> None:
    bed = live()
    changes = bed.changes
    bed.note("the wall clock was set")
    assert (bed.state, bed.reason) == (State.LIVE, "the wall clock was set")
    assert bed.changes == changes + 1


def test_the_end_is_the_end() -> None:
    bed = SessionState(0.0)
    bed.opened(stream())
    bed.ended("session ended", 9.0)
    for late in (
        lambda: bed.decided(decided(), 10.0),
        lambda: bed.tick(99.0, 10.0),
        lambda: bed.lost("gone", 99.0),
        lambda: bed.sample(99.0),
    ):
        cast(Any, late)()
        assert bed.state is State.OFFLINE


def test_a_late_decision_is_no_return_of_a_stream_that_is_lost() -> None:
    bed = live(first_after_s=20.0, next_after_s=10.0)
    bed.sample(40.0)
    bed.tick(40.0, 10.0)  # samples come, windows do not
    assert bed.state is State.STALLED
    bed.lost("the outlet closed", 41.0)
    bed.decided(decided(), 41.1)
    assert (bed.state, bed.reason) == (State.LOST, "the outlet closed")


def test_a_session_says_since_when_it_waits() -> None:
    bed = SessionState(3.0)
    assert (bed.since, bed.reason, bed.changes) == (3.0, "no stream yet", 0)
    assert bed.silent_s(5.0) == 2.0


def test_silence_counts_from_the_opening_of_a_stream() -> None:
    bed = SessionState(0.0)
    bed.opened(stream(100.0))
    bed.tick(101.0, 10.0)
    assert bed.state is State.BASELINE
    bed.tick(101.1, 10.0)
    assert (bed.state, bed.since) == (State.STALLED, 100.0)


def burst(bed: SessionState, at: float) -> None:
    for sample in range(20):
        bed.sample(at + 1e-3 * sample)
    bed.decided(decided(), at)


def test_a_habit_of_sending_two_seconds_at_once_is_learnt() -> None:
    bed = live(2.0)
    for at in range(4, 30, 2):
        burst(bed, at)
    bed.tick(28.0 + 4.9, 10.0)
    assert bed.state is State.LIVE
    bed.tick(28.0 + 5.1, 10.0)
    assert bed.state is State.STALLED


def test_what_comes_within_a_fiftieth_of_a_second_came_at_once() -> None:
    bed = live(0.0)
    for number in range(200):  # three samples at once, every 2 s
        bed.sample(2.0 * (number // 3) + 0.019 * (number % 3))
    at = bed.silent_s(0.0) * -1.0
    bed.decided(decided(), at)
    bed.tick(at + 4.0, 100.0)
    assert bed.state is State.LIVE
    for number in range(200):  # a sample in 25 ms is a rate of 40 Hz, and no habit of sending at once
        bed.sample(at + 0.025 * number)
    at += 0.025 * 199
    bed.decided(decided(), at)
    bed.tick(at + 1.1, 100.0)
    assert bed.state is State.STALLED


def test_a_habit_is_the_middle_of_nine_pauses() -> None:
    def habit(n_short: int) -> tuple[SessionState, float]:
        bed, at = live(0.0), 0.0
        for pause in [2.0] * 12 + [0.1] * n_short:
            at += pause
            bed.sample(at)
            bed.decided(decided(), at)
        return bed, at

    still, at = habit(4)
    still.tick(at + 4.9, 10.0)
    assert still.state is State.LIVE
    gone, at = habit(5)
    gone.tick(at + 1.1, 10.0)
    assert gone.state is State.STALLED


def test_another_stream_has_habits_of_its_own() -> None:
    bed = live(0.0)
    for at in range(2, 30, 2):
        burst(bed, at)
    bed.lost("the outlet closed", 30.0)
    bed.opened(stream(50.0))
    bed.sample(57.0)  # how long the first took is no pause
    bed.sample(57.1)
    bed.tick(58.2, 10.0)
    assert bed.state is State.STALLED


def test_a_stream_that_came_back_has_sent_nothing_yet() -> None:
    bed = live(5.0)
    bed.lost("the outlet closed", 6.0)
    bed.opened(stream(50.0))
    bed.tick(52.0, 10.0)
    assert (bed.state, bed.since) == (State.STALLED, 50.0)
    bed.sample(53.0)
    assert (bed.state, bed.reason) == (State.BASELINE, "connected to device")


@pytest.mark.parametrize("anew", ["opened", "reset"])
def test_behind_a_new_start_the_first_window_may_take_its_time_again(anew: str) -> None:
    bed = live(0.0, first_after_s=30.0, next_after_s=8.0)
    if anew == "opened":
        bed.opened(stream(100.0))
    else:
        for second in range(101):
            bed.sample(second)
            bed.decided(decided(), second)
        bed.reset(100.0)
    for tenth in range(1001, 1310):
        bed.sample(tenth / 10)
        bed.tick(tenth / 10, 10.0)
    assert bed.state is State.RECOVERING
    bed.sample(131.1)
    bed.tick(131.1, 10.0)
    assert bed.state is State.STALLED
    assert "no window is completed" in bed.reason


def test_windows_that_come_in_their_time_are_no_stall() -> None:
    bed = live(100.0, first_after_s=30.0, next_after_s=8.0)
    for tenth in range(1001, 1600):
        bed.sample(tenth / 10)
        if tenth % 85 == 0:
            bed.decided(decided(), tenth / 10)
        bed.tick(tenth / 10, 10.0)
        assert bed.state is State.LIVE


def test_a_window_is_waited_for_in_stream_time() -> None:
    bed = SessionState(0.0, first_after_s=30.0, next_after_s=8.0)
    bed.opened(stream(0.0, 2.0))
    bed.sample(1.0)
    bed.decided(decided(), 1.0)
    for local in (2.0, 3.0, 4.0, 5.0, 6.0):  # 8 s at twice real time, and a second of patience
        bed.sample(local)
        bed.tick(local, 10.0)
    assert bed.state is State.LIVE
    bed.sample(6.1)
    bed.tick(6.1, 10.0)
    assert bed.state is State.STALLED


def blind() -> SessionState:
    """Samples have come for longer than any window can take."""
    bed = live(0.0, first_after_s=30.0, next_after_s=8.0)
    for second in range(1, 11):
        bed.sample(second)
        bed.tick(second, 10.0)
    assert "no window is completed" in bed.reason
    return bed


def test_a_silence_behind_windows_that_did_not_come_ends_with_the_next_sample() -> None:
    bed = blind()
    bed.tick(13.0, 10.0)
    assert (bed.state, bed.reason) == (State.STALLED, "no sample comes")
    bed.sample(40.0)
    assert (bed.state, bed.reason) == (State.RECOVERING, "samples come again")
    bed.tick(40.5, 10.0)
    assert bed.state is State.RECOVERING  # the window is waited for anew


def test_windows_that_come_again_are_reported_once() -> None:
    bed = blind()
    bed.decided(decided(Reason.GAP), 10.5)
    assert (bed.state, bed.reason) == (
        State.RECOVERING,
        "no window was usable yet: gap",
    )
    bed.decided(decided(), 11.0)
    assert (bed.state, bed.since) == (State.LIVE, 11.0)
    changes = bed.changes
    bed.decided(decided(), 12.0)
    assert (bed.state, bed.since, bed.changes) == (State.LIVE, 11.0, changes)


def test_a_clock_that_is_set_while_no_window_comes_ends_the_waiting_for_it() -> None:
    bed = blind()
    bed.reset(10.0)
    assert bed.state is State.STALLED
    bed.sample(10.1)
    assert (bed.state, bed.reason) == (State.RECOVERING, "samples come again")


def test_what_was_reported_already_is_no_change() -> None:
    bed = live(5.0)
    bed.tick(7.0, 10.0)
    changes = bed.changes
    bed.tick(8.0, 10.0)
    assert (bed.state, bed.since, bed.changes) == (State.STALLED, 5.0, changes)
    bed.lost("the outlet closed", 9.0)
    bed.lost("the outlet closed", 10.0)
    assert (bed.since, bed.changes) == (9.0, changes + 1)


def test_of_a_long_note_a_thousand_characters_are_reported() -> None:
    bed = live()
    bed.note("b" * 1000)
    assert bed.reason == "b" * 1000
    bed.note("e" * 500)
    assert len(bed.reason) == 1000
    assert (bed.reason[:400], bed.reason[-400:]) == ("b" * 400, "e" * 400)
