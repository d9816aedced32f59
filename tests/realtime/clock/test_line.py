"""The line through stamps: what counts as a loss, a pause, a shift, and what is claimed of each."""

import math

import numpy as np
import pytest

from realtime.clock.line import Line

BEFORE = 60


def settled(period: float = 0.1, *, jitter: float = 0.0) -> Line:
    """A line that followed samples at this period (s), the last of them at 0."""
    rng = np.random.default_rng(1)
    line = Line(period)
    for stamp in (np.arange(-BEFORE + 1, 1) * period + rng.normal(0, jitter, BEFORE)).tolist():
        line.follow(stamp, line.time if stamp > -(BEFORE - 1) * period else -math.inf)
    return line


def step(line: Line, periods: float, lost: int | None = None) -> float | None:
    """The next stamp comes so many periods behind the line."""
    return line.follow(line.time + periods * line.period, line.time, lost)


@pytest.mark.parametrize(("off", "fresh"), [(2.4, False), (2.6, True), (-0.9, False)])
def test_a_counted_sample_is_followed_until_it_can_only_have_paused(off: float, fresh: bool) -> None:
    line = settled()
    step(line, 1.0 + off, lost=0)
    assert line.fresh == fresh


@pytest.mark.parametrize("lost", [1, 2, 7])
def test_counted_losses_are_no_residual_and_one_gap(lost: int) -> None:
    line = settled()
    assert step(line, 1.0 + lost, lost=lost) == pytest.approx((1 + lost) * 0.1, abs=1e-9)
    assert line.gaps == 1
    assert line.period == pytest.approx(0.1, abs=1e-9)
    assert line.uncertainty_s < 1e-9


@pytest.mark.parametrize(("off", "fresh"), [(2.9, False), (-2.9, False), (3.1, True), (-3.1, True)])
def test_where_stamps_jitter_the_grid_is_three_of_their_standard_deviations_wide(
    off: float, fresh: bool
) -> None:
    line = settled(jitter=0.003)
    step(line, 3.0 + off * line.spread / line.period)
    assert line.fresh == fresh


def test_a_sample_that_only_came_late_by_a_period_is_no_loss() -> None:
    line = settled(jitter=0.003)
    assert step(line, 2.0) == pytest.approx(0.2, abs=0.003)  # as if one were lost
    assert line.follow(0.198, line.time) == pytest.approx(0.2, abs=0.003)
    assert line.follow(0.3, line.time) == pytest.approx(0.3, abs=0.003)


@pytest.mark.parametrize(("lost", "gaps"), [(0.4, 0), (0.65, 1), (1.0, 1)])
def test_a_loss_that_hid_in_the_jitter_is_a_gap_once_the_mean_of_some_stamps_shows_it(
    lost: float, gaps: int
) -> None:
    line = settled(jitter=0.03)
    before, rng = line.gaps, np.random.default_rng(2)
    for k in range(1, 60):
        line.follow(0.1 * (k + lost) + rng.normal(0, 0.03), line.time)
    assert line.gaps == before + gaps
    assert line.time == pytest.approx(0.1 * (59 + lost), abs=0.03)


@pytest.mark.parametrize(("off", "fresh"), [(0.019, False), (0.021, True), (-0.019, False), (-0.021, True)])
def test_a_step_that_ends_on_the_grid_is_a_loss_and_one_next_to_it_a_shift(off: float, fresh: bool) -> None:
    line = settled()
    step(line, 3.0 + off)
    assert line.fresh == fresh
    assert line.gaps == 1
    step(line, 1.0)
    # A shift may come again, and is claimed for good; a loss is not.
    shift = abs(off) * 0.1 if fresh else 0.0
    assert line.uncertainty_s == pytest.approx(shift, abs=0.0021)


@pytest.mark.parametrize(
    ("period", "lacking", "pause"),
    [
        (0.1, 19, False), (0.1, 21, True),  # 2 s
        (0.01, 49, False), (0.01, 51, True),  # 50 periods
        (1.0, 4, False), (1.0, 6, True),  # 5 periods
    ],
)  # fmt: skip
def test_behind_a_pause_the_grid_is_learnt_anew(period: float, lacking: int, pause: bool) -> None:
    line = settled(period)
    step(line, 1.0 + lacking)
    assert line.fresh == pause
    assert line.gaps == 1
    assert line.uncertainty_s >= (lacking * period if pause else 0.0) - 1e-9
    step(line, 1.0)
    assert line.uncertainty_s < 1e-9  # the next one confirms it


@pytest.mark.parametrize("jitter", [1e-3, 5e-3, 1e-2])
def test_phase_and_period_are_those_of_least_squares(jitter: float) -> None:
    errors, slopes, ideal = [], [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        stamps = np.arange(80) * 0.1 + rng.normal(0, jitter, 80)
        line = Line(0.1)
        for stamp in stamps.tolist():
            line.follow(stamp, line.time if stamp > stamps[0] else -math.inf)
        errors.append(line.time - 7.9)
        slopes.append(line.period - 0.1)
        ideal.append(np.polyfit(np.arange(80), stamps, 1)[0] - 0.1)
    # Of 80 samples least squares know the last one to 2 / sqrt(80) of the jitter.
    assert np.std(errors) < 1.5 * jitter * 2.0 / math.sqrt(80)
    assert np.std(slopes) < 2.0 * np.std(ideal)


@pytest.mark.parametrize("by", [0.3, 0.6, -0.4])
def test_one_wrong_stamp_moves_no_line(by: float) -> None:
    line = settled()
    step(line, 1.0 + by)
    wrong = line.time
    assert line.uncertainty_s >= abs(by) * 0.1 - 1e-9
    assert line.follow(0.2, wrong) == pytest.approx(0.2, abs=1e-9)
    assert line.follow(0.3, line.time) == pytest.approx(0.3, abs=1e-9)


@pytest.mark.parametrize(("by", "kept"), [(3.9, True), (4.1, False)])
def test_one_wrong_stamp_may_be_four_periods_ahead(by: float, kept: bool) -> None:
    """Then the next one lies three periods behind what was given."""
    line = settled()
    step(line, 1.0 + by)
    assert (line.follow(0.2, line.time) is not None) == kept


def test_a_line_that_another_sample_followed_is_not_gone_back_from() -> None:
    line = settled()
    step(line, 1.3)
    step(line, 1.0)
    assert line.follow(0.2, line.time) is None


def test_a_line_that_begins_anew_keeps_what_was_before() -> None:
    line = settled()
    step(line, 301.0)
    assert line.uncertainty_s >= 30.0 - 1e-9
    line.start_at(-500.0)
    assert line.uncertainty_s < 1e-9
    gaps = line.gaps
    assert line.follow(0.2, -500.0) == 0.2  # though the line before came by here
    assert line.gaps == gaps + 1


def test_before_anything_is_known_a_period_or_more_is_claimed() -> None:
    slow, fast = Line(0.5), Line(0.01)
    assert (slow.uncertainty_s, fast.uncertainty_s) == (0.5, 0.05)
    assert (slow.rate, slow.jitter_s, slow.gaps) == (0.0, 0.0, 0)
    for stamp in (0.0, 0.5, 1.0):
        slow.follow(stamp, stamp - 0.5)
        assert slow.rate == (2.0 if stamp else 0.0)
        assert slow.uncertainty_s == 0.5
    slow.follow(1.5, 1.0)
    assert slow.uncertainty_s == 0.0
    assert slow.rate == 2.0


@pytest.mark.parametrize(
    ("periods", "claim"), [(1.0, 0.0), (3.0, 0.0), (3.015, 0.0015), (2.5, 0.15), (1.3, 0.03), (0.01, 0.099)]
)
def test_a_long_step_of_the_start_is_a_loss_on_the_grid_or_claimed_wholly(
    periods: float, claim: float
) -> None:
    line = Line(0.1)
    for k in range(6):
        line.follow(0.1 * k, 0.1 * (k - 1))
    step(line, periods)
    assert line.uncertainty_s == pytest.approx(claim, abs=1e-6)
    assert line.gaps == (periods > 1.5)


@pytest.mark.parametrize(("behind", "kept"), [(2.5, True), (3.5, False)])
def test_the_first_samples_may_fall_back_by_three_periods(behind: float, kept: bool) -> None:
    line = Line(0.1)
    for k in range(6):
        line.follow(0.1 * k, 0.1 * (k - 1))
    assert (line.follow(0.5 - 0.1 * behind, 0.5) is not None) == kept


def test_without_a_period_nothing_falls_back() -> None:
    line = Line(0.0)
    line.follow(1.0, -math.inf)
    assert line.follow(0.99, 1.0) is None
    assert line.follow(1.0, 1.0) is None
    assert line.follow(1.1, 1.0) == 1.1
    assert line.rate == pytest.approx(10.0)  # two samples make a rate


@pytest.mark.parametrize(("given", "kept"), [(0.40, True), (0.46, False)])
def test_a_stamp_that_starts_anew_may_lie_three_periods_behind_what_was_given(
    given: float, kept: bool
) -> None:
    assert (settled().follow(0.14, given) is not None) == kept


def test_counted_losses_of_the_start_are_claimed_to_be_known() -> None:
    line = Line(0.1)
    for k in (0, 1, 2, 3, 4, 7):
        line.follow(0.1 * k, 0.1 * k - 0.1, 2 if k == 7 else 0)
    assert line.uncertainty_s == pytest.approx(0.0, abs=1e-9)
    assert line.gaps == 1


@pytest.mark.parametrize("again", [0, 1])
def test_of_a_start_of_which_half_are_gaps_the_step_is_the_period(again: int) -> None:
    line = Line(0.0)
    for stamp in [0.0, 0.1, 0.3, 0.4, 0.6] + [0.6] * again + [0.7, 0.9, 1.0, 1.2, 1.3]:
        line.follow(stamp, line.time if stamp else -math.inf)
    assert line.period == pytest.approx(0.1)


@pytest.mark.parametrize(("short", "reported"), [(0.06, True), (0.04, False)])
def test_a_gap_of_the_start_is_distinguished_from_jitter_where_no_step_is_shorter_than_half_a_period(
    short: float, reported: bool
) -> None:
    steps = [0.1, 0.1, short, 0.2 - short, 0.1, 0.3, 0.1, 0.1, 0.1]
    line = Line(0.1)
    for stamp in [0.0, *np.cumsum(steps).tolist()]:
        line.follow(stamp, line.time if stamp else -math.inf)
    assert line.period == pytest.approx(0.1 if reported else 1.1 / 9)


def test_a_start_that_only_falls_back_keeps_the_declared_period() -> None:
    line = Line(0.1)
    for k in range(12):
        line.follow(-0.001 * k, 0.0 if k else -math.inf)
    assert line.period == pytest.approx(0.1)


def test_once_the_start_is_over_the_period_of_the_line_is_the_reference() -> None:
    line = settled(jitter=0.01)
    assert line.reference == line.period


def test_a_sample_behind_what_was_given_is_left_out() -> None:
    line = settled()
    assert line.follow(-0.2, 0.0) is None
    assert line.follow(0.0, 0.0) is None
    assert line.time == pytest.approx(0.0, abs=1e-9)
    assert step(line, 1.0) == pytest.approx(0.1, abs=1e-9)


def test_the_last_stamp_again_is_distinguished_from_a_sample() -> None:
    line = settled()
    assert line.repeats(0.0)
    assert line.repeats(0.009)
    assert not line.repeats(0.011)
    assert not settled(jitter=0.01).repeats(0.0)
    line = settled(jitter=0.006)
    assert 0.05 < line.spread / line.period < 0.075
    step(line, 1.0)
    assert not line.repeats(0.1)
    assert not Line(0.1).repeats(0.0)
