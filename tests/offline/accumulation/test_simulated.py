"""Simulated trajectories follow the law that they were asked for."""

import numpy as np
import pytest

from models.errors import HemostreamError
from offline.accumulation import Law, simulate_trajectories

TRUTH = Law(centre=0.3, mu=0.5, between=0.5, within=0.8, tau=10.0)


def test_moments_are_those_of_the_law() -> None:
    people = simulate_trajectories(3000, TRUTH, seed=1, seconds=20.0)
    x = np.stack([t.log_odds for t in people])
    positive = np.array([t.positive for t in people])
    x -= np.where(positive, 0.8, -0.2)[:, np.newaxis]
    assert abs(x.mean()) < 0.05
    np.testing.assert_allclose(x.var(axis=0), 0.25 + 0.64, rtol=0.08)
    lagged = np.mean(x[:, 0] * x[:, 10])
    assert lagged == pytest.approx(0.25 + 0.64 * np.exp(-1), abs=0.06)


def test_chance_follows_from_the_seed() -> None:
    one, same, other = (simulate_trajectories(3, TRUTH, seed=s) for s in (1, 1, 2))
    for a, b in zip(one, same, strict=True):
        np.testing.assert_array_equal(a.log_odds, b.log_odds)
    assert not np.array_equal(one[0].log_odds, other[0].log_odds)


def test_recordings_may_differ_in_length_and_have_gaps() -> None:
    people = simulate_trajectories(50, TRUTH, seed=3, seconds=(50, 200), share_missing=0.3)
    assert len({t.times[-1] for t in people}) > 10
    assert any(np.diff(t.times).max() >= 20 for t in people)
    assert all(t.times[0] == 0.0 and t.times[-1] <= 200.0 for t in people)


def test_each_label_has_someone() -> None:
    for share in (0.0, 1.0):
        labels = {t.positive for t in simulate_trajectories(4, TRUTH, seed=4, share_positive=share)}
        assert labels == {True, False}


@pytest.mark.parametrize("wrong", [{"n_people": 1}, {"seconds": (9.0, 3.0)}, {"step": 0.0}])
def test_what_cannot_be_simulated_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(HemostreamError, match="expected two people"):
        simulate_trajectories(**({"n_people": 5, "law": TRUTH, "seed": 0} | wrong))  # type: ignore[arg-type]
