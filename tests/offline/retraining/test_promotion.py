"""The rule of promotion and the ledger of looks: nothing worse is promoted, nothing looked at is "
"forgotten."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import HemostreamError
from offline.retraining.looks import MOST, count_look, ledger_of
from offline.retraining.promotion import FEWEST, decide

LOSSES = st.lists(st.floats(0.05, 2.0), min_size=FEWEST, max_size=40).map(np.array)


@given(LOSSES, st.floats(0.001, 1.0))
def test_the_same_again_is_as_good(loss: np.ndarray, margin: float) -> None:
    verdict = decide(loss, loss, {}, margin)
    assert verdict.promoted
    assert verdict.difference == verdict.bound == 0.0


@given(LOSSES, st.floats(0.001, 1.0), st.floats(0.0, 0.5))
def test_what_is_worse_by_the_margin_or_more_is_never_promoted(
    loss: np.ndarray, margin: float, more: float
) -> None:
    verdict = decide(loss, loss + margin + more + 1e-9, {}, margin)
    assert not verdict.promoted
    assert "not shown to be as good" in verdict.why


@given(LOSSES, st.floats(0.01, 0.5), st.integers(0, 2**31))
def test_the_bound_lies_under_the_mean_and_a_fall_of_a_group_stops_it(
    loss: np.ndarray, margin: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    new = loss - rng.uniform(0.0, 0.04, len(loss))
    group = np.zeros(len(loss), dtype=bool)
    group[:2] = True
    verdict = decide(loss, new, {"site a": group, "site b": ~group}, margin)
    assert verdict.promoted
    assert verdict.bound <= verdict.difference
    better = new.copy()
    better[2:] -= 5 * margin * len(loss)  # everybody else gains far more than the two lose
    better[:2] = loss[:2] + 1.01 * margin + 1e-9
    fallen = decide(loss, better, {"site a": group, "site b": ~group}, margin)
    assert not fallen.promoted
    if fallen.bound > -margin:
        assert "site a" in fallen.why


@given(st.integers(0, FEWEST - 1))
def test_too_few_people_promote_nothing(n: int) -> None:
    verdict = decide(np.ones(n), np.zeros(n), {}, 0.5)
    assert not verdict.promoted
    assert "too few" in verdict.why
    json.dumps(verdict.to_json(), allow_nan=False)


def test_noise_alone_is_promoted_as_often_as_the_rule_allows() -> None:
    """A candidate that is really worse by the margin comes through in 5 of 100 cohorts, about."""
    rng = np.random.default_rng(0)
    n, margin = 25, 0.02
    through = []
    for _ in range(2000):
        new = 0.6 + margin + rng.normal(0, 0.1, n)
        through.append(decide(np.full(n, 0.6), new, {}, margin).promoted)
    assert np.mean(through) == pytest.approx(0.05, abs=0.02)


def test_every_look_is_counted_and_the_sixth_refused(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    for i in range(MOST):
        assert count_look(bundle, "set", 0) == i + 1
        assert len(json.loads(ledger_of(bundle).read_text())["set"]) == i + 1
    with pytest.raises(HemostreamError, match=r"looked at 5 times; expected at most 5"):
        count_look(bundle, "set", 0)
    assert count_look(bundle, "other people", 0) == 1
    assert ledger_of(bundle).parent == tmp_path
    assert not list(tmp_path.glob("*.part"))


def test_looks_that_only_the_card_tells_of_count_too(tmp_path: Path) -> None:
    assert count_look(tmp_path / "b", "set", 3) == 4
    assert len(json.loads(ledger_of(tmp_path / "b").read_text())["set"]) == 4
    with pytest.raises(HemostreamError, match="looked at 5 times"):
        count_look(tmp_path / "c", "set", 5)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"set": 3}'])
def test_a_ledger_that_is_damaged_lets_no_one_look(tmp_path: Path, text: str) -> None:
    ledger_of(tmp_path / "b").write_text(text)
    with pytest.raises(HemostreamError, match="ledger of looks"):
        count_look(tmp_path / "b", "set", 0)


def test_partners_count_as_one() -> None:
    """Ten people in five pairs are five; and pairs who say the same are no surer than one of each."""
    pairs = np.repeat([f"u{i}" for i in range(FEWEST)], 2)
    few = decide(np.ones(FEWEST), np.zeros(FEWEST), {}, 0.5, unit=pairs[:FEWEST])
    assert not few.promoted
    assert "10 locked people in 5 units measured together are too few" in few.why
    old = np.random.default_rng(0).uniform(0.3, 0.9, FEWEST)
    alone = decide(old, np.full(FEWEST, 0.6), {})
    twice = decide(np.repeat(old, 2), np.full(2 * FEWEST, 0.6), {}, unit=pairs)
    assert np.isclose(twice.bound, alone.bound)
    assert decide(np.repeat(old, 2), np.full(2 * FEWEST, 0.6), {}).bound > alone.bound
