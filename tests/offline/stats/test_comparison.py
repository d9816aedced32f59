"""Two conditions on the same people: antisymmetric, nothing against itself, and sure of what is plain."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offline.base.predictions import Predictions
from offline.stats.paired_comparison import compared

LABELS = ("a", "b")


def said(people: int, strength: float, seed: int, *, by_person: bool) -> Predictions:
    """Ten windows a person; the log odds follow the label by so much."""
    rng = np.random.default_rng(seed)
    whose = np.repeat(np.arange(people), 10)
    y = (whose % 2 if by_person else np.tile(np.arange(10) % 2, people)).astype(np.int64)
    p = 1 / (1 + np.exp(-(strength * (2.0 * y - 1) + rng.normal(size=len(y)))))
    n = len(y)
    return Predictions(
        LABELS,
        fold=np.full(n, "f"),
        condition=np.full(n, "x"),
        sample=np.arange(n),
        person=np.array([f"p{i:02d}" for i in whose]),
        y=y,
        scores=np.stack([1 - p, p], axis=1),
        repeat=np.zeros(n, dtype=np.int64),
    )


@given(st.booleans(), st.integers(2, 30), st.integers(0, 1000), st.sampled_from(["auc", "balanced_accuracy"]))
@settings(deadline=None, max_examples=25)
def test_it_is_antisymmetric_and_nothing_against_itself(
    by_person: bool, n: int, seed: int, metric: str
) -> None:
    one, two = said(n, 0.5, seed, by_person=by_person), said(n, 0.2, seed + 1, by_person=by_person)
    there = compared(one, two, metric, by_person=by_person, seed=0)  # type: ignore[arg-type]
    back = compared(two, one, metric, by_person=by_person, seed=0)  # type: ignore[arg-type]
    same = compared(one, one, metric, by_person=by_person, seed=0)  # type: ignore[arg-type]
    for name in ("figure", "log_loss"):
        assert there[name]["difference"] == pytest.approx(-back[name]["difference"], abs=1e-12)
        assert same[name]["difference"] == 0.0
        assert (there[name]["interval"] is None) == (n < 10)
        if n >= 10:
            low, high = there[name]["interval"]
            assert low <= there[name]["difference"] <= high
            assert (low, high) == pytest.approx((-back[name]["interval"][1], -back[name]["interval"][0]))


@pytest.mark.parametrize("by_person", [True, False])
def test_what_is_plain_is_reported(by_person: bool) -> None:
    good, poor = said(40, 2.0, 0, by_person=by_person), said(40, 0.0, 1, by_person=by_person)
    found = compared(good, poor, "auc", by_person=by_person, seed=0)
    assert found["people"] == 40
    assert found["figure"]["interval"][0] > 0.2
    assert found["log_loss"]["interval"][1] < 0.0


def test_only_people_whom_both_predicted_are_compared() -> None:
    one, two = said(20, 1.0, 0, by_person=True), said(12, 1.0, 1, by_person=True)
    assert compared(one, two, "auc", by_person=True, seed=0)["people"] == 12
