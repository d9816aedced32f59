"""Novelty: what lies within its training is not novel, what does is, and a card that lies is refused."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import BundleError
from models.novelty import MOST, Novelty, distances, window_features


def novelty(n_channels: int = 3, threshold: float = 2.0) -> Novelty:
    return Novelty(np.zeros((n_channels, 4)), np.ones((n_channels, 4)), threshold)


def test_features_are_what_they_are_called() -> None:
    time = np.linspace(-0.5, 0.5, 36)
    ramp = 3.0 + 2.0 * time
    level, slope, spread, roughness = window_features(ramp[None])[0]
    assert level == pytest.approx(3.0)
    assert slope == pytest.approx(2.0)
    assert spread == pytest.approx(np.log(ramp.std()), abs=1e-4)
    assert roughness == pytest.approx(np.log(2.0 / 35), abs=1e-4)
    windows = np.random.default_rng(0).normal(size=(5, 2, 14))
    alone = np.stack([window_features(window) for window in windows])
    np.testing.assert_allclose(window_features(windows), alone, rtol=1e-12)
    assert np.isfinite(window_features(np.ones((2, 1)))).all()


@given(seed=st.integers(0, 2**32), kept=st.sets(st.integers(0, 4), min_size=1))
def test_a_channel_that_is_left_out_says_nothing(seed: int, kept: set[int]) -> None:
    rng = np.random.default_rng(seed)
    window = rng.normal(size=(5, 21))
    used = np.isin(np.arange(5), list(kept))
    other = window.copy()
    other[~used] = 1e6
    of = novelty(5)
    assert of.score(window, used) == of.score(other, used)
    assert of.score(window, used) == pytest.approx(
        Novelty(of.location[used], of.scale[used], 2.0).score(window[used])
    )
    assert of.score(window, np.ones(5, dtype=bool)) == pytest.approx(of.score(window))


def test_no_channel_is_no_distance_and_one_mad_feature_does_not_decide() -> None:
    assert novelty().score(np.ones((3, 14)), np.zeros(3, dtype=bool)) == 0.0
    mad = distances(np.array([[1e30, 0, 0, 0], [0, 0, 0, 0]]), np.zeros((2, 4)), np.ones((2, 4)))
    assert float(mad) == pytest.approx(MOST / np.sqrt(8))


def test_a_score_above_one_is_beyond_the_threshold() -> None:
    window = np.random.default_rng(1).normal(size=(3, 14))
    reach = novelty().distance(window)
    for factor, beyond in ((1.01, False), (0.99, True)):
        assert (novelty(threshold=reach * factor).score(window) > 1.0) is beyond


def test_it_survives_a_card() -> None:
    rng = np.random.default_rng(2)
    made = Novelty(rng.normal(size=(3, 4)), rng.uniform(0.1, 1, (3, 4)), 1.7)
    read = Novelty.from_json(made.to_json())
    window = rng.normal(size=(3, 14)).astype(np.float32)
    assert read.score(window) == made.score(window)


@pytest.mark.parametrize(
    "changes",
    [
        {"threshold": 0.0},
        {"threshold": float("nan")},
        {"threshold": "much"},
        {"scale": [[1, 1, 1, 0]]},
        {"location": [[0, 0, 0, float("inf")]]},
        {"location": [[0, 0, 0]]},
        {"location": [[0, 0, 0, 0]] * 2},
        {"location": None},
        {"features": ["level"]},
        {"features": None},
    ],
)
def test_a_card_that_cannot_be_is_refused(changes: dict[str, Any]) -> None:
    whole = Novelty(np.zeros((1, 4)), np.ones((1, 4)), 1.0).to_json()
    Novelty.from_json(whole)
    with pytest.raises(BundleError, match="novelty"):
        Novelty.from_json({**whole, **changes})
    with pytest.raises(BundleError, match="novelty"):
        Novelty.from_json({})
