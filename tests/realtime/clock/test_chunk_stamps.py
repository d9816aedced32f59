"""Made-up stamps: when they are believed, and between which bounds a sample lies while they are not."""

import numpy as np
import pytest

from realtime.clock import Clock
from realtime.clock.chunk_ends import EndsLine
from realtime.clock.chunk_stamps import Ends, Step

PERIOD = 0.1


def chunked(
    sizes: list[int], *, period: float, late: list[float] | None = None
) -> tuple[list[float], list[float]]:
    """Stamps made up one PERIOD apart before each chunk's end, and the true times."""
    stamps, true, at = [], [], 0.0
    for turn, size in enumerate(sizes):
        times = [at + period * (k + 1) for k in range(size)]
        end = times[-1] + (late[turn] if late else 0.0)
        stamps += [end - PERIOD * (size - 1 - k) for k in range(size)]
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
    ends.look(longest / rate)
    assert believed(ends)
    assert ends.away_from(0.0) == 0.0


def test_where_no_rate_is_declared_nothing_is_made_up() -> None:
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
        if 60 < k < 200 or k > 211:
            assert abs(ends.time - at - by) < 0.01
    assert ends.gaps == 1


def test_whole_periods_now_more_now_fewer_are_losses_and_the_same_again_and_again_a_rate() -> None:
    def ended(odd: list[int]) -> Ends:
        ends, at = Ends(PERIOD), 0.0
        for missing in odd:
            for _ in range(10):
                ends.look(at)
                at += PERIOD
            at += missing * PERIOD + 1e-4
        ends.look(at)
        return ends

    assert ended([1, 0, 2, 1, 0, 3]).shows_losses
    assert ended([1, 1, 1]).shows_losses  # too few to say
    assert not ended([1, 1, 1, 1, 1]).shows_losses


def test_a_clock_that_was_set_begins_with_its_first_stamp() -> None:
    ends = looked(chunked([10] * 10, period=0.113)[0])
    ends.set_back(-500.0)
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
def test_a_clock_that_was_set_inside_a_chunk_is_doubted_by_as_much(set_s: float) -> None:
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
    assert line.told
    again = EndsLine(PERIOD)
    again.restore(line.state())
    assert again.at(55.0) == line.at(55.0) == pytest.approx(25 * true + 30 * held)
    assert again.index_at(again.at(55.0)) == pytest.approx(55.0)
    assert (again.scatter, again.shortest, again.last) == (line.scatter, line.shortest, line.last)


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


def test_what_waited_before_the_first_sample_was_read_counts_no_longer_than_eight_groups() -> None:
    ends = Ends(PERIOD)
    for k in range(60):
        ends.came(PERIOD * max(40, k - k % 2))  # forty at once, then by twos
        ends.look(PERIOD * k)
    assert ends.away_from(0.0) == pytest.approx(0.25 * 2 * PERIOD)
