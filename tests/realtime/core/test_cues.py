"""Which event came last before a window: told by time, never by the order in which events were heard of."""

from hypothesis import given
from hypothesis import strategies as st

from realtime.core.cues import MOST_HELD, SLACK_S, Cues

times = st.lists(st.floats(0, 100), max_size=20)


@given(heard=times, ends=times)
def test_it_is_the_last_one_at_or_before(heard: list[float], ends: list[float]) -> None:
    cues = Cues(["a"])
    for time in heard:
        cues.event(time, "a")
    for end in sorted(ends):
        past = [time for time in heard if time <= end + SLACK_S]
        assert cues.before(end) == (max(past) if past else None)


def test_other_events_begin_no_block() -> None:
    cues = Cues(["a"])
    cues.event(1.0, "pause")
    assert cues.before(5.0) is None


def test_events_are_compared_as_those_of_labels_and_rounding_parts_none_from_its_window() -> None:
    cues = Cues(["left hand"])
    cues.event(0.1 + 0.2, "left\u00a0 hand")
    assert cues.before(0.3) == 0.1 + 0.2


def test_another_clock_forgets_them() -> None:
    cues = Cues(["a"])
    cues.event(1.0, "a")
    cues.forget()
    assert cues.before(5.0) is None


def test_a_flood_of_events_is_bounded() -> None:
    cues = Cues(["a"])
    for time in range(MOST_HELD + 50):
        cues.event(float(time), "a")
    assert cues.before(49.0) is None
    assert cues.before(50.0) == 50.0
