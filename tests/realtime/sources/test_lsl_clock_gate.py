"""Samples and comparisons of clocks in the one order that may stand in the log; all handed in."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.log import ClockMeasured, Entry, Origin, OriginKind, Received, StreamReset
from realtime.sources.lsl.clock_gate import SUSPECT_S, ClockGate
from realtime.stages.base import Reset

LATENCY = 0.01


class Bed:
    """A source whose clock and deliveries are given; 10 Hz of stream time."""

    def __init__(self, origin: Origin | None = None, offset: float = 5.0) -> None:
        self.log: list[Entry] = []
        self.asked = 0
        self.origin = origin or Origin()
        self.offset = offset
        self.order = ClockGate(
            self.log.append, self.ask, origin=self.origin, first=ClockMeasured(0.0, offset, 1.7e9)
        )

    def ask(self) -> None:
        self.asked += 1

    def sample(self, at: float, *, came: float | None = None, offset: float | None = None) -> None:
        """One sample taken at a local time, stamped on a clock with this offset."""
        offset = self.offset if offset is None else offset
        origin = Origin(self.origin.kind, self.origin.speed, self.origin.anchor + offset)
        stamp = origin.stream_time(at) - offset
        self.order.received(
            Received((at if came is None else came) + LATENCY, np.array([stamp]), np.array([[at]]))
        )

    def stream(self, start: float, seconds: float, **how: float) -> None:
        for i in range(round(10 * seconds)):
            self.sample(start + i / 10, **how)

    @property
    def samples(self) -> list[float]:
        """When each sample that was logged was taken."""
        return [float(x) for e in self.log if isinstance(e, Received) for x in e.data[0]]

    def errors(self) -> list[float]:
        """By how much each logged sample's stamp misses when it was taken, on the offset that stood then."""
        offset, found = self.offset, []
        for entry in self.log:
            if isinstance(entry, ClockMeasured):
                offset = entry.offset
            if isinstance(entry, Received):
                origin = Origin(self.origin.kind, self.origin.speed, self.origin.anchor + offset)
                found += (origin.local_time(entry.stamps + offset) - entry.data[0]).tolist()
        return found


@pytest.mark.parametrize("origin", [Origin(), Origin(OriginKind.REPLAYED, 4.0, 2.0)])
@pytest.mark.parametrize("jump", [1000.0, -1000.0, 3.0, -0.8])
def test_no_sample_is_put_on_the_offset_of_another_clock(origin: Origin, jump: float) -> None:
    bed = Bed(origin)
    bed.stream(1.0, 10.0)
    assert bed.asked == 0
    bed.stream(11.0, 0.5, offset=5.0 + jump)  # the source's clock was set, not compared yet
    assert bed.asked == 1
    assert len(bed.samples) == 100
    bed.order.measured(ClockMeasured(11.5, 5.0 + jump, 1.7e9), fresh=True)
    bed.stream(11.5, 5.0, offset=5.0 + jump)
    kinds = [e for e in bed.log if not isinstance(e, Received)]
    assert kinds == [StreamReset(11.5, Reset.CLOCK), ClockMeasured(11.5, 5.0 + jump, 1.7e9)]
    assert len(bed.samples) == 155
    assert bed.samples == sorted(bed.samples)
    assert max(map(abs, bed.errors())) < 1e-6


def test_a_burst_after_a_freeze_waits_for_a_comparison_and_is_no_reset() -> None:
    bed = Bed()
    bed.stream(1.0, 10.0)
    for i in range(200):
        bed.sample(11.0 + i / 10, came=31.0)
    assert (bed.asked, len(bed.samples)) == (1, 100)
    bed.order.measured(ClockMeasured(31.6, 5.0, 1.7e9), fresh=True)
    bed.stream(31.6, 1.0)
    assert len(bed.samples) == 310
    assert not any(isinstance(e, StreamReset) for e in bed.log)


def test_a_cached_comparison_lets_nothing_go_unless_it_shows_the_jump() -> None:
    bed = Bed()
    bed.stream(1.0, 10.0)
    bed.sample(11.0, offset=1005.0)
    bed.order.measured(ClockMeasured(11.1, 5.0, 1.7e9), fresh=False)
    assert len(bed.samples) == 100
    bed.order.measured(ClockMeasured(11.2, 1005.0, 1.7e9), fresh=False)
    assert len(bed.samples) == 101
    assert max(map(abs, bed.errors())) < 1e-6


@pytest.mark.parametrize("fresh", [True, False])
@pytest.mark.parametrize("wild", [-73914.2, -0.3, 0.2, 1000.0])
def test_one_wild_comparison_moves_nothing(wild: float, fresh: bool) -> None:
    bed = Bed()
    bed.stream(1.0, 10.0)
    bed.order.measured(ClockMeasured(11.0, 5.0 + wild, 1.7e9), fresh=fresh)
    assert bed.asked == 1
    bed.stream(11.0, 0.5)
    assert len(bed.samples) == 100  # held until a fresh one tells
    bed.order.measured(ClockMeasured(11.5, 5.0 + wild, 1.7e9), fresh=False)  # liblsl still says the same
    assert len(bed.samples) == 100
    assert bed.asked == 2
    bed.order.measured(ClockMeasured(11.6, 5.0, 1.7e9), fresh=True)
    bed.stream(11.6, 1.0)
    assert len(bed.samples) == 115
    assert [e for e in bed.log if not isinstance(e, Received)] == [ClockMeasured(11.6, 5.0, 1.7e9)]
    assert bed.asked == 2


def test_a_jump_too_small_to_show_in_samples_is_believed_when_a_fresh_comparison_agrees() -> None:
    bed = Bed()
    bed.stream(1.0, 10.0)
    bed.order.measured(ClockMeasured(11.0, 5.3, 1.7e9), fresh=False)
    bed.stream(11.0, 0.5, offset=5.3)
    bed.order.measured(ClockMeasured(11.5, 5.2999, 1.7e9), fresh=True)
    bed.stream(11.5, 1.0, offset=5.3)
    kinds = [type(e) for e in bed.log if not isinstance(e, Received)]
    assert kinds == [StreamReset, ClockMeasured]
    assert max(map(abs, bed.errors())) < 1e-3
    assert len(bed.samples) == 115


def test_two_wild_comparisons_that_disagree_are_asked_about_again_and_given_up() -> None:
    bed = Bed()
    bed.stream(1.0, 10.0)
    bed.order.measured(ClockMeasured(11.0, 905.0, 1.7e9), fresh=False)
    bed.stream(11.0, 0.5)
    bed.order.measured(ClockMeasured(11.5, -905.0, 1.7e9), fresh=True)
    assert bed.asked == 2
    assert bed.order.holding_for(12.0) == pytest.approx(1.0 - LATENCY)
    bed.order.give_up()
    bed.stream(11.5, 1.0)
    assert len(bed.samples) == 115
    assert not any(isinstance(e, StreamReset | ClockMeasured) for e in bed.log)


def test_a_device_that_sends_seconds_at_once_is_asked_about_once_at_most() -> None:
    bed = Bed()
    for second in range(60):
        for i in range(10):
            bed.sample(second + i / 10, came=second + 1.0)
        if bed.order.holding:
            bed.order.measured(ClockMeasured(second + 1.5, 5.0, 1.7e9), fresh=True)
    assert bed.asked <= 1
    assert len(bed.samples) == 600


def test_stamps_that_run_at_a_wrong_rate_are_no_jump() -> None:
    bed = Bed()
    for i in range(3000):
        bed.order.received(Received(i / 10, np.array([1.13 * i / 10 - 5.0]), np.array([[i / 10]])))
    assert bed.asked == 0


def test_without_an_answer_what_is_held_is_logged_and_nothing_joined_with_what_cannot_be() -> None:
    late = Bed()
    late.stream(1.0, 5.0)
    late.sample(6.0, came=20.0)
    late.order.give_up()
    assert len(late.samples) == 51
    assert not any(isinstance(e, StreamReset) for e in late.log)
    early = Bed()
    early.stream(1.0, 5.0)
    early.sample(6.0, offset=-15.0)  # stamped 20 s ahead: no delay does that
    early.order.give_up()
    assert len(early.samples) == 51
    assert isinstance(early.log[-2], StreamReset)


def test_drift_and_bad_wireless_are_no_reset() -> None:
    bed = Bed()
    for i in range(1, 50):
        bed.order.measured(ClockMeasured(5.0 * i, 5.0 + 0.005 * i + 0.02 * (i % 2), 1.7e9), fresh=False)
    assert not any(isinstance(e, StreamReset) for e in bed.log)


@given(
    st.lists(
        st.tuples(
            st.floats(0.0, 30.0), st.floats(-100.0, 100.0) | st.just(0.0), st.integers(1, 5), st.booleans()
        ),
        max_size=30,
    )
)
def test_nothing_is_lost_and_nothing_overtakes(steps: list[tuple[float, float, int, bool]]) -> None:
    bed, at, n = Bed(), 1.0, 0
    for pause, jump, samples, compares in steps:
        at += pause
        for _ in range(samples):
            at += 0.1
            stamps = np.array([at - 5.0 - jump, np.nan])
            bed.order.received(Received(at, stamps, np.array([[n, n + 1]])))
            n += 2
        if compares:
            for _ in range(2):  # of no samples' jump it is believed when it comes again
                bed.order.measured(ClockMeasured(at, 5.0 + jump, 1.7e9), fresh=True)
            assert not bed.order.holding
    bed.order.give_up()
    assert bed.samples == list(range(n))


def test_what_is_held_when_the_connection_ends_is_logged_and_a_late_comparison_is_not() -> None:
    bed = Bed()
    bed.stream(1.0, 10.0)
    bed.sample(11.0, came=31.0)
    assert len(bed.samples) == 100
    bed.order.close()
    assert len(bed.samples) == 101
    logged = len(bed.log)
    bed.order.measured(ClockMeasured(34.0, 1005.0, 1.7e9), fresh=True)
    assert len(bed.log) == logged


LATE = st.floats(-2.0, 30.0) | st.just(float("nan"))


@given(st.lists(st.floats(0.0, 3.0), min_size=1, max_size=5), LATE, st.integers(1, 3))
def test_what_is_held_leaves_what_was_usual_by_a_jump_however_it_came(
    usual: list[float], late: float, times: int
) -> None:
    bed = Bed()
    came = 100.0
    bed.order.received(Received(came, came - np.array(usual) - bed.offset, np.zeros((1, len(usual)))))
    late_now = np.full(times, late)
    bed.order.received(Received(came, came - late_now - bed.offset, np.zeros((1, times))))
    far = min(abs(late - usual[-1]), max(late - max(usual), min(usual) - late))
    if not abs(far - SUSPECT_S) < 1e-6:
        assert bed.order.holding == (far > SUSPECT_S)
    assert bed.asked == bed.order.holding
