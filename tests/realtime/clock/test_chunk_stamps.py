"""Made-up stamps: when they are believed, and between which bounds a sample lies while they are not."""

import json

import numpy as np
import pytest

from realtime.clock import Clock
from realtime.clock.chunk_ends import EndsLine
from realtime.clock.chunk_stamps import Ends, Step

PERIOD = 0.1


def chunked(
    sizes: list[int], *, period: float, late: list[float] | None = None, nominal: float = PERIOD
) -> tuple[list[float], list[float]]:
    """Stamps made up one declared period apart before each chunk's end, and the true times."""
    stamps, true, at = [], [], 0.0
    for turn, size in enumerate(sizes):
        times = [at + period * (k + 1) for k in range(size)]
        end = times[-1] + (late[turn] if late else 0.0)
        stamps += [end - nominal * (size - 1 - k) for k in range(size)]
        true += times
        at = times[-1]
    return stamps, true


def looked(stamps: list[float], nominal: float = PERIOD) -> Ends:
    ends = Ends(nominal)
    for stamp in stamps:
        ends.look(stamp)
    return ends


def believed(ends: Ends) -> bool:
    return ends.cleared


@pytest.mark.parametrize(("rate", "longest"), [(0.2, 8), (1.0, 20), (3.0, 60), (10.0, 128), (100.0, 128)])
def test_exact_stamps_are_believed_when_no_chunk_is_so_long(rate: float, longest: int) -> None:
    ends = looked([k / rate for k in range(longest)], 1 / rate)
    assert not believed(ends)
    assert ends.away_from(0.0) == pytest.approx(0.25 * longest / rate)
    assert ends.look(longest / rate) is Step.INSIDE
    assert believed(ends)
    assert ends.away_from(0.0) == 0.0


def test_where_no_rate_is_declared_nothing_is_deduced() -> None:
    assert Ends(0.0).cleared


def test_stamps_that_are_odd_from_the_start_are_measured() -> None:
    ends = looked([0.0, 0.101, 0.203])
    assert not believed(ends)
    ends.look(0.302)
    assert believed(ends)


@pytest.mark.parametrize(("apart", "samples"), [(0.051, 9), (0.049, 100)])
def test_samples_that_came_one_by_one_were_stamped_one_by_one(apart: float, samples: int) -> None:
    ends = Ends(PERIOD)
    for k in range(samples):
        assert not believed(ends)
        ends.came(apart * k)
        ends.look(PERIOD * k)
    assert ends.cleared == (apart >= 0.5 * PERIOD)


@pytest.mark.parametrize("size", [3, 5])
def test_samples_that_came_together_prove_nothing(size: int) -> None:
    ends = Ends(PERIOD)
    for k in range(100):
        ends.came(PERIOD * (k - k % size))
        ends.look(PERIOD * k)
    assert not believed(ends)


def test_one_burst_among_single_samples_starts_the_proof_anew() -> None:
    ends = Ends(PERIOD)
    for k, came in enumerate(
        [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.7, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4]
    ):
        ends.came(came)
        ends.look(PERIOD * k)
    assert not believed(ends)
    ends.came(1.5)
    assert believed(ends)


@pytest.mark.parametrize(("late", "expected"), [(0.0, True), (1e-3, False)])
def test_pairs_are_believed_only_where_one_follows_exactly_on_the_other(late: float, expected: bool) -> None:
    """Of a pair that was pushed the first stamp is made up: samples lost inside it show nowhere else."""
    ends = Ends(PERIOD)
    for k in range(100):
        pair = k // 2
        ends.came(PERIOD * 2 * pair)
        ends.look(PERIOD * k + late * (pair % 3))
    assert believed(ends) is expected


def test_what_a_step_is() -> None:
    ends = looked([0.0, 0.1])
    assert ends.look(0.2) is Step.INSIDE
    assert ends.look(0.5) is Step.LOSS
    assert ends.look(0.4) is Step.BEHIND
    assert ends.look(0.6) is Step.INSIDE  # the one that was overtaken is forgotten
    assert ends.look(0.73) is Step.END
    assert ends.look(0.83) is Step.INSIDE
    assert ends.look(60.0) is Step.PAUSE
    assert Ends(PERIOD).look(3.0) is Step.ODD
    assert looked([0.0]).look(0.13) is Step.ODD
    assert looked([0.0]).look(0.0) is Step.BEHIND


@pytest.mark.parametrize(
    ("first", "periods", "off", "exact"),
    [
        (0.0, 1, 0.9e-9, True), (0.0, 1, 1.1e-9, False),
        (0.0, 3, 2.9e-9, True), (0.0, 3, 3.1e-9, False),
        (1.7e9, 1, 1.4e-6, True), (1.7e9, 1, 2.1e-6, False),  # float64 rounds such stamps to 0.24 us
    ],
)  # fmt: skip
def test_a_step_was_deduced_where_it_is_exact_to_a_nanosecond_a_period_or_to_the_rounding_of_stamps(
    first: float, periods: int, off: float, exact: bool
) -> None:
    step = looked([first]).look(first + periods * PERIOD + off)
    assert (step in (Step.INSIDE, Step.LOSS)) == exact


@pytest.mark.parametrize(("back", "step"), [(128, Step.BEHIND), (129, Step.ODD)])
def test_further_back_than_a_chunk_is_long_nothing_was_overtaken(back: int, step: Step) -> None:
    assert looked([50.0]).look(50.0 - back * PERIOD) is step


@pytest.mark.parametrize(
    ("sizes", "off", "step"),
    [
        ([10], 33.9, Step.END), ([10], 34.1, Step.PAUSE),  # of chunks of which nothing is known
        ([10] * 6, 4.4, Step.END), ([10] * 6, 4.6, Step.PAUSE),
        ([10] * 5 + [4], 4.4, Step.END), ([10] * 5 + [4], 4.6, Step.PAUSE),
        ([10] * 5 + [20], 6.9, Step.END), ([10] * 5 + [20], 7.1, Step.PAUSE),
    ],
)  # fmt: skip
def test_a_pause_is_longer_than_two_periods_and_a_quarter_of_the_longest_chunk(
    sizes: list[int], off: float, step: Step
) -> None:
    stamps = chunked(sizes, period=0.113)[0]
    assert looked(stamps).look(stamps[-1] + (1.0 + off) * PERIOD) is step


@pytest.mark.parametrize("wrong", [-0.2, -0.05, 0.07, 0.2])
@pytest.mark.parametrize("sizes", [[10], [3, 7], [2, 9, 20]])
def test_a_wrong_rate_is_found_and_every_sample_lies_within_its_bounds(
    wrong: float, sizes: list[int]
) -> None:
    period = PERIOD * (1.0 + wrong)
    rng = np.random.default_rng(3)
    all_sizes = sizes * 16
    stamps, true = chunked(all_sizes, period=period, late=rng.uniform(0.0, 0.004, len(all_sizes)).tolist())
    ends = Ends(PERIOD)
    settled = sum(sizes) * 5
    for k, (stamp, at) in enumerate(zip(stamps, true, strict=True)):
        ends.look(stamp)
        if k > settled:
            assert ends.shows_chunks
            assert ends.period == pytest.approx(period, abs=2e-3)
            earliest, latest = ends.bounds
            assert earliest <= at + 0.004
            assert latest >= at
            assert abs(ends.time - at) < 0.01
            assert ends.away_from(ends.time) >= abs(ends.time - at) - 0.004
            assert ends.claim(ends.time) == pytest.approx(1.5 * ends.away_from(ends.time))


@pytest.mark.parametrize(
    ("nominal", "wrong", "shown"),
    [(0.1, 0.012, True), (0.1, 0.008, False), (0.05, 0.012, True), (0.02, 0.015, False)],
)
def test_a_rate_is_wrong_where_that_is_a_tenth_of_a_period_a_chunk_and_more_than_pushes_are_late(
    nominal: float, wrong: float, shown: bool
) -> None:
    stamps, _ = chunked([10] * 6, period=nominal * (1.0 + wrong), nominal=nominal)
    assert looked(stamps[:51], nominal).shows_chunks == shown


def test_four_chunks_of_two_samples_show_a_rate_and_a_deduced_step_among_measured_ones_does_not() -> None:
    ends = looked(chunked([2, 1, 2, 2], period=0.12)[0])
    for stamp, shown in zip(chunked([2, 1, 2, 2, 2, 2], period=0.12)[0][7:], [0, 0, 1, 1], strict=True):
        ends.look(stamp)
        assert ends.shows_chunks == shown
    assert not looked([0.0, 0.1] + [0.1 + 0.12 * k for k in range(1, 20)]).shows_chunks


@pytest.mark.parametrize(("off", "declared"), [(1.11, True), (1.15, False)])
def test_while_ends_are_few_whole_periods_may_be_losses_and_the_declared_period_be_true(
    off: float, declared: bool
) -> None:
    """As near to whole ones as pushes are late: 12 ms, and no less than a tenth."""
    stamps, true = chunked([10] * 10, period=PERIOD * (1.0 + off / 10))
    for chunks, may_be in ((6, declared), (9, False)):
        ends = looked(stamps[: 10 * chunks + 5])
        earliest, _ = ends.bounds
        by_declared = true[10 * chunks - 1] + 5 * PERIOD
        assert (earliest < by_declared) == may_be
        assert earliest > by_declared - 0.01


def test_samples_that_the_device_counted_as_lost_lie_between_those_that_came() -> None:
    ends, at, period = Ends(PERIOD), 0.0, 0.113
    for chunk in range(30):
        before, inside = (1, 1) if chunk % 4 == 3 else (0, 0)
        lost = [before, 0, 0, 0, 0, inside, 0, 0, 0, 0]
        true = at + period * np.cumsum(1.0 + np.array(lost))
        at = float(true[-1])
        made_up = at - PERIOD * np.arange(10)[::-1]
        for stamp, lacking, measured in zip(made_up.tolist(), lost, true.tolist(), strict=True):
            ends.look(stamp, lacking)
            if chunk > 5:
                assert ends.time == pytest.approx(measured, abs=0.01)
                earliest, latest = ends.bounds
                assert measured - 0.02 < earliest <= measured <= latest


def test_a_sample_of_a_chunk_that_was_lost_on_the_way_bends_nothing() -> None:
    stamps, true = chunked([10] * 30, period=0.113)
    ends = Ends(PERIOD)
    for k, (stamp, measured) in enumerate(zip(stamps, true, strict=True)):
        if k % 40 not in (33, 34):
            ends.look(stamp)
            assert k <= 60 or ends.time == pytest.approx(measured, abs=0.01)


def test_chunks_of_one_size_at_the_declared_rate_are_left_as_they_are() -> None:
    late = np.random.default_rng(1).uniform(0.0, 0.004, 40).tolist()
    ends = looked(chunked([10] * 40, period=PERIOD, late=late)[0])
    assert not ends.shows_chunks
    assert not believed(ends)
    assert ends.away_from(chunked([10] * 40, period=PERIOD)[1][-1]) < 0.02


@pytest.mark.parametrize("lost", [3, 40])
def test_between_the_end_before_and_the_end_to_come_nothing_can_be_known(lost: int) -> None:
    late = np.random.default_rng(1).uniform(0.0, 0.004, 20).tolist()
    stamps, true = chunked([10] * 20, period=PERIOD, late=late)
    ends = looked(stamps)
    end = true[-1]
    # Of the next chunk some samples are lost: before its first sample, or behind it.
    ends.look(end + PERIOD * (1 + lost) + 0.003)
    earliest, latest = ends.bounds
    assert earliest <= end + PERIOD
    assert latest >= end + PERIOD * (1 + lost)
    assert ends.away_from(end + PERIOD) >= lost * PERIOD
    for k in range(9):
        ends.look(end + PERIOD * (2 + lost + k) + 0.003)
    ends.look(end + PERIOD * (11 + lost) + 0.001)  # the next chunk: its end before is known again
    assert ends.away_from(end + PERIOD * (11 + lost)) < (0.03 if lost == 40 else 2.0 * lost * PERIOD)


def test_behind_a_pause_the_line_goes_on_through_the_first_end() -> None:
    late = [0.001] * 30
    stamps, true = chunked([10] * 30, period=0.113, late=late)
    shift = [0.0] * 200 + [30.0] * 100
    ends = Ends(PERIOD)
    for k, (stamp, at, by) in enumerate(zip(stamps, true, shift, strict=True)):
        ends.look(stamp + by)
        if k > 60:
            assert abs(ends.time - at - by) < 0.01
    assert ends.gaps == 1


@pytest.mark.parametrize(("period", "other"), [(0.113, 4), (0.087, 14)])
def test_until_the_first_end_behind_a_pause_its_chunk_is_taken_to_be_as_long_as_most(
    period: float, other: int
) -> None:
    sizes = [other, 10, other, 10, 10] * 5
    stamps, true = chunked(sizes, period=period)
    paused = sum(sizes[:18])
    ends = Ends(PERIOD)
    for k, (stamp, at) in enumerate(zip(stamps[: paused + 10], true, strict=False)):
        shift = 30.0 if k >= paused else 0.0
        ends.look(stamp + shift)
        assert k < 100 or ends.time == pytest.approx(at + shift, abs=0.01)


def test_a_first_chunk_behind_a_pause_that_is_shorter_than_most_bends_nothing() -> None:
    stamps, true = chunked([10] * 20 + [4] + [10] * 10, period=0.113)
    ends = Ends(PERIOD)
    for k, (stamp, at) in enumerate(zip(stamps, true, strict=True)):
        shift = 30.0 if k >= 200 else 0.0
        ends.look(stamp + shift)
        again = Ends(PERIOD)  # as after a restart of the program: its state is all it knows
        again.restore(json.loads(json.dumps(ends.state())))
        ends = again
        if k > 204:
            assert abs(ends.time - at - shift) < 0.01
            assert ends.period == pytest.approx(0.113, abs=1e-4)


def test_whole_periods_now_more_now_fewer_are_losses_and_the_same_again_and_again_a_rate() -> None:
    def ended(odd: list[float], sizes: tuple[int, ...] = (10,)) -> Ends:
        ends, at = Ends(PERIOD), 0.0
        for turn, missing in enumerate(odd):
            for _ in range(sizes[turn % len(sizes)]):
                ends.look(at)
                at += PERIOD
            at += missing * PERIOD + 1e-4
        ends.look(at)
        return ends

    assert ended([1, 0, 2, 1, 0, 3]).shows_losses
    assert ended([1, 1, 1]).shows_losses  # too few to say
    assert not ended([1, 1, 1, 1]).shows_losses
    assert not ended([1, 1, 1, 1, 1]).shows_losses
    assert not ended([1] * 8, (3, 20)).shows_losses  # though on no line
    assert not ended([1, 0.4, 2, 1, 0, 3]).shows_losses
    # More in long chunks, fewer in short ones: from four long ways on they lie on a line.
    assert ended([2, 1, 2, 1], (10, 20)).shows_losses
    assert not ended([2, 1, 2, 1, 2], (10, 20)).shows_losses


def test_a_clock_that_was_set_begins_with_its_first_stamp() -> None:
    ends = looked(chunked([10] * 10, period=0.113)[0])
    ends.step_back(-500.0)
    assert not ends.shows_chunks
    assert ends.look(-499.9) is Step.INSIDE


def test_the_clock_deduces_times_from_ends_and_stops_when_the_rate_is_true_after_all() -> None:
    stamps, true = chunked([10] * 12, period=0.113, late=[0.001] * 12)
    clock = Clock(1 / PERIOD)
    times, kept = clock.process(np.array(stamps))
    assert kept.all()
    assert np.abs(times - true)[60:].max() < 0.01
    assert clock.rate == pytest.approx(1 / 0.113, rel=1e-3)
    clock.process(np.array([stamps[-1] + PERIOD * k for k in range(1, 200)]))
    assert not clock.report.invented
    assert clock.rate == pytest.approx(1 / PERIOD, rel=1e-3)


@pytest.mark.parametrize("set_s", [-150.0, -3.0, 40.0])
def test_a_clock_that_was_set_inside_a_chunk_is_uncertain_by_as_much(set_s: float) -> None:
    """By the chunks so far the samples lie here, by their own stamps there: either may be right."""
    stamps, true = chunked([8] * 12, period=0.09)
    clock = Clock(1.0 / PERIOD)
    for first in range(0, len(stamps), 8):
        clock.process(np.array(stamps[first : first + 8]))
    assert clock.report.invented
    end = true[-1] + 5 * 0.09 + 3 * 0.09  # five were lost
    after = end + set_s - PERIOD * np.array([2.0, 1.0, 0.0])
    times, kept = clock.process(after)
    errors = np.abs(times - (end - 0.09 * np.array([2.0, 1.0, 0.0]))[kept])
    assert np.all(errors <= clock.uncertainties + PERIOD)
    assert np.all(clock.uncertainties >= 0.9 * abs(set_s) - 1.0)


@pytest.mark.parametrize(("true", "held"), [(0.11, 0.11), (0.13, 0.125), (0.07, 0.075)])
def test_a_rate_is_wrong_by_a_quarter_at_most(true: float, held: float) -> None:
    line = EndsLine(PERIOD)
    for k in range(6):
        line.add(10 * k, 10 * k * true, 10)
    assert line.period == pytest.approx(held)
    assert line.believed
    # Ways that all were longer than the line's may be shorter yet by what chunks are pushed late.
    assert line.shortest == pytest.approx(8.0 / 5 * 3e-3 + 10 * max(held - true, 0.0))
    again = EndsLine(PERIOD)
    again.restore(line.state())
    assert again.at(55.0) == line.at(55.0) == pytest.approx(25 * true + 30 * held)
    assert again.index_at(again.at(55.0)) == pytest.approx(55.0)
    assert (again.scatter, again.shortest, again.last) == (line.scatter, line.shortest, line.last)


@pytest.mark.parametrize("n", [2, 3, 9])
def test_the_ends_line_is_that_of_least_squares(n: int) -> None:
    rng = np.random.default_rng(n)
    at = np.cumsum(rng.integers(1, 20, n)).astype(float)
    stamps = 7.0 + 0.108 * at + rng.normal(0, 1e-3, n)
    line = EndsLine(PERIOD)
    for index, stamp in zip(at.tolist(), stamps.tolist(), strict=True):
        line.add(index, stamp, 10)
    slope, start = np.polyfit(at, stamps, 1)
    assert line.period == pytest.approx(slope)
    assert line.at(50.0) == pytest.approx(start + 50.0 * slope)


@pytest.mark.parametrize("size", [2, 3, 5])
def test_no_more_was_pushed_together_than_came_together(size: int) -> None:
    """Also where samples never come one by one: a reader takes several at a time, or a replay is fast."""
    ends = Ends(PERIOD)
    claims = []
    for k in range(12 * size):
        ends.came(PERIOD * (k - k % size))
        ends.look(PERIOD * k)
        claims.append(ends.away_from(0.0))
    assert claims[8 * size - 1] == pytest.approx(0.25 * 128 * PERIOD)
    assert claims[8 * size :] == pytest.approx([0.25 * size * PERIOD] * (4 * size))
    assert believed(ends) == (size <= 2)  # of pairs little can be made up


def test_what_waited_before_the_first_sample_was_read_counts_no_longer_than_eight_groups() -> None:
    ends = Ends(PERIOD)
    for k in range(60):
        ends.came(PERIOD * max(40, k - k % 2))  # so many at once, then by twos
        ends.look(PERIOD * k)
        if k in (56, 57):
            assert ends.away_from(0.0) == pytest.approx(0.25 * 42 * PERIOD)
    assert ends.away_from(0.0) == pytest.approx(0.25 * 2 * PERIOD)
