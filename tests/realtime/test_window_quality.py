"""Which windows are usable: channels by the policy, the rest by the training, times by the clock."""

from typing import Any

import numpy as np
import pytest

from realtime.quality.policy import ChannelMeasurement, Policy, Reason, WindowMeasurement
from realtime.signal import Chunk
from realtime.window_quality import WindowQuality
from realtime.windows import Window
from tests.realtime.support import bold_spec

RATE, N = 10.0, 70
SPEC = bold_spec(10, rate=RATE)


class Score:
    """A novelty of this much, which remembers what it was asked."""

    def __init__(self, value: float) -> None:
        self.value = value
        self.asked: list[np.ndarray] = []

    def score(self, data: np.ndarray, good: np.ndarray, sides: None) -> float:
        self.asked.append(good)
        return self.value


def quality_of(policy: Policy, *, uncertainty: float = 0.0, novelty: Any = None) -> WindowQuality:
    """Seven seconds of noise have come."""
    quality = WindowQuality(SPEC, SPEC, length_s=7.0, policy=policy, novelty=novelty)
    data = np.random.default_rng(0).normal(size=(10, N))
    chunk = Chunk(SPEC, data, np.arange(N) / RATE, np.zeros((10, N), dtype=bool))
    quality.take(chunk, np.full(N, uncertainty))
    return quality


def window(*reasons: Reason, lost: tuple[int, ...] = (), empty: bool = False) -> Window:
    """Channels `lost` were measured for a tenth of the time."""
    coverage = np.ones(10)
    coverage[list(lost)] = 0.1
    return Window(
        sequence=4,
        count=1,
        start=0.0,
        end=7.0,
        data=None if empty else np.ones((10, N), dtype=np.float32),
        measurement=WindowMeasurement(float(coverage.mean()), float(coverage.min()), 0.0),
        reasons=reasons,
        channels=ChannelMeasurement.of_pipeline(coverage, np.zeros(10)),
    )


def test_a_good_window_is_usable_and_knows_what_was_measured() -> None:
    found = quality_of(Policy(), uncertainty=0.05).of(window(), RATE)
    assert found.usable
    assert found.rejected_channels == {}
    assert found.novelty is None
    assert found.time_uncertainty_s == 0.05
    assert found.quality == {"scalp_coupling": None, "peak_power": None, "moving": 0.0}
    assert found.channels is not None
    assert found.channels.flat_s.tolist() == [0.0] * 10


@pytest.mark.parametrize(("least", "usable"), [(0.71, False), (0.7, True), (0.5, True), (1.0, False)])
def test_bad_channels_are_zero_where_enough_are_good(least: float, usable: bool) -> None:
    """Seven of ten are a share of 0.7, whatever its rounding."""
    found = quality_of(Policy(min_channels=least)).of(window(lost=(0, 4, 9)), RATE)
    assert found.usable == usable
    assert found.reasons == (() if usable else (Reason.COVERAGE,))
    names = tuple(SPEC.names[i] for i in (0, 4, 9))
    assert found.rejected_channels == {Reason.COVERAGE: names}
    assert found.data is not None
    assert found.data[[0, 4, 9]].any() != usable
    assert found.data[1:4].all()


def test_a_window_without_data_is_never_usable() -> None:
    asks_nothing = Policy(min_coverage=0.0, max_gap_s=99.0)
    assert quality_of(asks_nothing).of(window(empty=True), RATE).reasons == (Reason.COVERAGE,)
    lost = quality_of(Policy(max_gap_s=99.0)).of(window(empty=True, lost=tuple(range(10))), RATE)
    assert lost.reasons == (Reason.COVERAGE,)
    assert lost.rejected_channels == {}


def test_reasons_of_before_come_alone() -> None:
    """While everything warms up nothing else is asked."""
    novelty = Score(9.0)
    quality = quality_of(Policy(), uncertainty=3.0, novelty=novelty)
    found = quality.of(window(Reason.WARMING_UP, lost=(1,)), RATE)
    assert found.reasons == (Reason.WARMING_UP,)
    assert (found.rejected_channels, found.novelty, novelty.asked) == ({}, None, [])
    assert found.time_uncertainty_s == 3.0


@pytest.mark.parametrize(
    ("rate", "uncertainty", "usable"),
    [(10.0, 0.15, True), (10.0, 0.151, False), (20.0, 0.1, True), (20.0, 0.101, False)],
)
def test_times_may_be_wrong_by_the_policys_periods_and_by_a_tenth_of_a_second(
    rate: float, uncertainty: float, usable: bool
) -> None:
    found = quality_of(Policy(max_time_uncertainty=1.5), uncertainty=uncertainty).of(window(), rate)
    assert found.reasons == (() if usable else (Reason.TIMING,))
    assert quality_of(Policy(max_time_uncertainty=None), uncertainty=99.0).of(window(), rate).usable


def test_times_are_one_reason_of_several() -> None:
    found = quality_of(Policy(), uncertainty=1.0, novelty=Score(2.0)).of(window(), RATE)
    assert found.reasons == (Reason.NOVELTY, Reason.TIMING)


@pytest.mark.parametrize(("score", "usable"), [(1.0, True), (1.00004, True), (1.0001, False)])
def test_what_is_unlike_the_training_is_not_usable(score: float, usable: bool) -> None:
    """To four digits, by the channels that are good."""
    novelty = Score(score)
    found = quality_of(Policy(min_channels=0.5, max_novelty=1.0), novelty=novelty).of(window(lost=(2,)), RATE)
    assert found.usable == usable
    assert found.reasons == (() if usable else (Reason.NOVELTY,))
    assert found.novelty == round(score, 4)
    assert [good.tolist() for good in novelty.asked] == [[i != 2 for i in range(10)]]
    assert found.rejected_channels == {Reason.COVERAGE: (SPEC.names[2],)}
    free = quality_of(Policy(max_novelty=None), novelty=Score(99.0)).of(window(), RATE)
    assert (free.usable, free.novelty) == (True, 99.0)


def test_a_window_inside_a_gap_has_only_the_uncertainty_of_its_times() -> None:
    lost = Window(2, 3, 0.0, 7.0, None, WindowMeasurement(0.0, 0.0, 7.0), (Reason.COVERAGE, Reason.GAP))
    found = quality_of(Policy(), uncertainty=0.02).of(lost, RATE)
    assert found.reasons == (Reason.COVERAGE, Reason.GAP)
    assert (found.time_uncertainty_s, found.quality, found.channels) == (0.02, {}, None)


def test_a_restart_forgets_the_samples() -> None:
    quality = quality_of(Policy(), uncertainty=0.5)
    quality.restart()
    assert quality.of(window(), RATE).time_uncertainty_s == 0.0
