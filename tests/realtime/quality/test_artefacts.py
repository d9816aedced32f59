"""What a window's raw samples show: flat-lined, saturated, stepping; by hand, and by laws of scale."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.quality import artefacts

RATE = 10.0


def column(*values: float) -> np.ndarray:
    return np.array(values, dtype=float)[:, np.newaxis]


def flat_s(*values: float, rate: float = RATE) -> float:
    data = column(*values)
    return float(artefacts.longest_repetition(np.arange(len(data)) / rate, artefacts.repeats(data))[0])


def test_missing_samples_repeat_nothing() -> None:
    assert artefacts.repeats(column(1, 1, np.nan, np.nan, 2, 2))[:, 0].tolist() == [1, 0, 0, 0, 1]


def test_a_repetition_counts_from_five_equal_samples_on() -> None:
    """Of rounded values a few are alike by chance."""
    assert flat_s(0, 1, 1, 1, 1, 2) == 0.0
    assert flat_s(0, 1, 1, 1, 1, 1, 2) == pytest.approx(0.4)
    assert flat_s(1, 1, 1, 1, 1) == pytest.approx(0.4)


def test_the_longest_repetition_counts_by_time() -> None:
    values = [*[1] * 6, 2, *[3] * 9, 4, *[5] * 7]
    assert flat_s(*values) == pytest.approx(0.8)
    assert flat_s(*values, rate=20.0) == pytest.approx(0.4)
    assert flat_s(*[1] * 4, *[2] * 4) == 0.0  # two short ones are no long one
    # Half of it is lost: the time goes on.
    data = column(*[1] * 6)
    assert artefacts.longest_repetition(
        np.array([0.0, 0.1, 0.2, 0.8, 0.9, 1.0]), artefacts.repeats(data)
    ) == [1.0]


def test_each_channel_has_its_own_repetition() -> None:
    data = np.stack([np.arange(8.0), np.full(8, 3.0), [0, 0, 0, 0, 0, 1, 2, 3]], axis=1)
    times = np.arange(8) / RATE
    assert artefacts.longest_repetition(times, artefacts.repeats(data)) == pytest.approx([0.0, 0.7, 0.4])


def saturated(values: np.ndarray) -> float:
    data = values[:, np.newaxis]
    return float(artefacts.share_saturated(data, artefacts.repeats(data))[0])


def ramp(n: int = 200) -> np.ndarray:
    """A range of many converter steps, no value twice, its ends once each."""
    return np.random.default_rng(0).permutation(np.arange(1.0, n + 1.0))


def test_samples_at_either_end_of_the_range_are_saturated() -> None:
    for end in (400.0, -400.0):
        values = np.concatenate([ramp(190), np.full(10, end)])
        assert saturated(values) == pytest.approx(10 / 200)
    both = np.concatenate([np.full(5, -400.0), ramp(185), np.full(10, 400.0)])
    assert saturated(both) == pytest.approx(10 / 200)  # the worse of both ends


def test_two_samples_at_the_end_are_a_turning_point() -> None:
    assert saturated(np.concatenate([ramp(), [400.0, 400.0]])) == 0.0
    assert saturated(np.concatenate([ramp(), [400.0, 400.0, 400.0]])) == pytest.approx(3 / 203)
    # Not in a row: each is a turning point of its own.
    values = np.concatenate([[400.0, 400.0], ramp(), [400.0, 400.0]])
    assert saturated(values) == 0.0


def test_missing_samples_are_in_no_share() -> None:
    values = np.concatenate([ramp(90), np.full(10, 400.0), np.full(100, np.nan)])
    assert saturated(values) == pytest.approx(10 / 100)


def test_fewer_samples_lie_beyond_the_end_than_at_it() -> None:
    """A resampled clipped signal rings beyond the end of its range; a plateau in the middle is none."""
    ringing = np.concatenate([ramp(180), np.full(10, 400.0), 400.0 + np.arange(1.0, 10.0)])
    assert saturated(ringing) == pytest.approx(10 / 199)
    assert saturated(np.concatenate([ringing, [420.0]])) == 0.0
    assert saturated(np.concatenate([ramp(180), np.full(10, 90.5)])) == 0.0


def test_a_range_of_few_converter_steps_shows_nothing() -> None:
    def clipped(steps: int) -> np.ndarray:
        return np.concatenate([np.arange(float(steps + 1)), np.full(5, float(steps))])

    assert saturated(clipped(99)) == 0.0
    assert saturated(clipped(100)) == pytest.approx(6 / 106)


def test_a_change_is_over_a_quarter_of_a_second() -> None:
    times = np.arange(12) / RATE
    data = np.stack([np.arange(12.0), -3.0 * np.arange(12)])
    moved, lag = artefacts.changes(times, data, RATE)
    assert lag == 2  # 0.25 s at 10 Hz, rounded to even
    assert moved.shape == (2, 10)
    np.testing.assert_array_equal(moved, np.repeat([[2.0], [6.0]], 10, axis=1))
    assert artefacts.changes(times, data, 50.0)[1] == 12
    assert artefacts.changes(times, data, 1.0)[1] == 1  # never less than one sample


def test_a_window_shorter_than_the_lag_has_no_change() -> None:
    for n, expected in ((2, 0), (3, 1)):
        moved, lag = artefacts.changes(np.arange(n) / RATE, np.zeros((1, n)), RATE)
        assert (moved.shape, lag) == ((1, expected), 2)


def test_a_change_across_lost_samples_is_none() -> None:
    """The lag and half a period more may lie between them."""
    data = np.arange(6.0)[np.newaxis]
    for gap, expected in ((0.14, [2, 2, 2, 2]), (0.16, [2, 0, 0, 2])):
        times = np.array([0.0, 0.1, 0.2, 0.2 + gap, 0.3 + gap, 0.4 + gap])
        assert artefacts.changes(times, data, RATE)[0][0].tolist() == expected


def test_the_usual_change_of_noise_is_its_sd() -> None:
    noise = np.abs(np.random.default_rng(1).normal(scale=2.0, size=(3, 20_000)))
    np.testing.assert_allclose(artefacts.usual_change(noise), 2.0, rtol=0.03)


def test_a_tenth_of_large_changes_does_not_spoil_the_scale() -> None:
    moved = np.ones((1, 100))
    moved[0, :9] = 1e6
    assert artefacts.usual_change(moved)[0] == pytest.approx(1 / 1.6449)


def test_a_coarse_converter_has_the_scale_of_its_mean_change() -> None:
    moved = np.zeros((2, 100))
    moved[0, :9] = 5.0
    assert artefacts.usual_change(moved) == pytest.approx([0.45 / 0.7979, 0.0])
    assert artefacts.usual_change(np.zeros((2, 0))).tolist() == [0.0, 0.0]


def test_samples_within_half_a_second_of_a_step_move() -> None:
    """A step of 0.25 s at 5.0 s: from 4.5 s to 5.7 s, both ends included, at 10 Hz."""
    n, lag = 100, 2
    times = np.arange(n) / RATE
    moved = np.zeros((2, n - lag))
    moved[0, 50] = 6.1
    moved[1, 50] = 6.0  # six of its own scales are not beyond six
    share = artefacts.share_moving(times, moved, lag, np.ones(2))
    assert share.tolist() == [13 / 100, 0.0]


def test_two_steps_that_are_near_move_what_lies_between_once() -> None:
    n, lag = 100, 2
    times = np.arange(n) / RATE
    moved = np.zeros((1, n - lag))
    moved[0, [0, 50, 53]] = 100.0
    # 0 to 0.7 s, and 4.5 to 6.0 s
    assert artefacts.share_moving(times, moved, lag, np.ones(1))[0] == pytest.approx((8 + 16) / 100)


@given(st.floats(1e-6, 1e6), st.integers(0, 99))
def test_scale_and_unit_of_a_channel_do_not_matter(factor: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    data = rng.normal(size=(1, 70)).cumsum(axis=1)
    data[0, 40:] += 30.0
    times = np.arange(70) / RATE

    def share(signal: np.ndarray) -> float:
        moved, lag = artefacts.changes(times, signal, RATE)
        return float(artefacts.share_moving(times, moved, lag, artefacts.usual_change(moved))[0])

    assert share(factor * data) == share(data)
