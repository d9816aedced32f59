"""Memory is the exponent that was put in; mirrored channels are found; age and sex can be predicted from."""

import json
from pathlib import Path

import numpy as np
import pytest

from offline.evaluation.evaluate import evaluate
from offline.samples.memory_features import memory_features
from offline.stats.traits import trait_features, traits_vary
from tests.offline.support import group_recipe, write_table


def test_memory_is_that_of_a_random_walk_and_of_noise() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(200, 1, 70))
    walk = np.cumsum(noise, axis=2)
    line = np.tile(np.linspace(0, 1, 70), (200, 1, 1))
    found = memory_features(np.concatenate([noise, walk, line], axis=1).astype(np.float32), ()).mean(axis=0)
    np.testing.assert_allclose(found, [0.0, 0.5, 1.0], atol=0.03)


def test_neither_size_nor_level_nor_a_still_channel_counts() -> None:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(5, 3, 56)).cumsum(axis=2)
    X[:, 2] = 4.0
    found = memory_features(X.astype(np.float32), [(0, 1)])
    np.testing.assert_allclose(memory_features((X * 7 + 3).astype(np.float32), [(0, 1)]), found, atol=2e-4)
    np.testing.assert_array_equal(found[:, 2], 0.0)


def test_likeness_is_the_correlation_within_the_window() -> None:
    X = np.random.default_rng(2).normal(size=(700, 4, 50)).astype(np.float32)
    found = memory_features(X, [(0, 3)])[:, -1]
    wanted = [np.arctanh(np.corrcoef(x[0], x[3])[0, 1]) for x in X.astype(float)]
    np.testing.assert_allclose(found, wanted, atol=1e-9)


def test_unknown_ages_are_not_filled_from_others() -> None:
    traits = {"a": (9.0, "F"), "b": (None, "M"), "c": (12.0, "")}
    found = trait_features(traits, np.array(["a", "b", "c", "a"]))
    np.testing.assert_array_equal(
        found, [[9, 81, 0, 1, 0], [0, 0, 1, 0, 1], [12, 144, 0, 0, 0], [9, 81, 0, 1, 0]]
    )
    assert traits_vary(traits)
    assert not traits_vary({"a": (9.0, "F"), "b": (9.0, "F")})
    assert not traits_vary({"a": (None, ""), "b": (None, "")})


@pytest.mark.parametrize("aged", [True, False])
def test_age_stands_beside_the_network_where_it_is_known(tmp_path: Path, aged: bool) -> None:
    rng = np.random.default_rng(3)
    rows = []
    for p in range(12):
        np.savetxt(tmp_path / f"p{p}.1D", rng.normal(size=(80, 3)))
        group = "ab"[p % 2]
        rows.append((f"p{p}.1D", f"person-{p}", group, str(8 + p + (20 if group == "b" else 0))))
    table = write_table(tmp_path, rows, "group", "age" if aged else "other")
    recipe = group_recipe(training={"epochs": 1}, evaluation={"permutations": 0})
    evaluate(table, recipe, tmp_path / "out", show=False)
    conditions = json.loads((tmp_path / "out/results.json").read_text())["conditions"]
    assert ("age and sex" in conditions) == aged
    assert "memory and symmetry" in conditions
    if aged:
        assert conditions["age and sex"]["by_person"]["auc"]["value"] == 1.0
