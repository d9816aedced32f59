"""A map over channels finds the one that was planted, and in noise something in one map of twenty."""

import numpy as np
import numpy.typing as npt
import pytest

from offline.base.sample_table import SampleTable
from offline.evaluation.channel_map import channel_map
from offline.training.feature_table import FeatureTable

NAMES = tuple(f"c{i}" for i in range(8))


def people(n: int, windows: int, rng: np.random.Generator) -> tuple[npt.NDArray[np.float64], SampleTable]:
    whose = np.repeat(np.arange(n), windows)
    features = rng.normal(size=(n, 24))[whose] + 0.3 * rng.normal(size=(len(whose), 24))
    person = np.array([f"p{i:02d}" for i in whose])
    start = np.tile(np.arange(windows, dtype=float), n)
    none = np.full(len(whose), "")
    return features, SampleTable(person, person, person, none, start, start + 7, (whose % 2).astype(np.int64))


def test_the_planted_channel_comes_first_and_is_reported_by_its_feature() -> None:
    features, table = people(30, 5, np.random.default_rng(0))
    features[:, 8 + 3] -= 3.0 * (table.target == 1)  # slope of channel 3
    found = channel_map(FeatureTable(features, table, True), NAMES, permutations=199)
    assert found is not None
    first = found["channels"][0]
    assert (first["channel"], first["feature"], first["p"]) == ("c3", "slope", 1 / 200)
    assert first["statistic"] < -found["threshold"]
    assert min(row["p"] for row in found["channels"][1:]) > 0.05


def test_labels_within_people_are_compared_within_people() -> None:
    rng = np.random.default_rng(1)
    features, table = people(6, 60, rng)
    target = np.tile(np.repeat([0, 1], 5), 36).astype(np.int64)
    table = SampleTable(
        table.recording, table.person, table.session, table.site, table.start, table.stop, target
    )
    features[:, 5] += 0.4 * target
    found = channel_map(FeatureTable(features, table, False), NAMES, permutations=99)
    assert found is not None
    assert (found["channels"][0]["channel"], found["channels"][0]["p"]) == ("c5", 0.01)
    shifted = features + 100.0 * np.unique(table.person, return_inverse=True)[1][:, np.newaxis]
    again = channel_map(FeatureTable(shifted, table, False), NAMES, permutations=99)
    assert again is not None
    assert again["channels"][0]["statistic"] == pytest.approx(found["channels"][0]["statistic"], rel=1e-6)


def test_noise_anywhere_is_found_in_about_one_map_of_twenty() -> None:
    hits = 0
    for seed in range(100):
        features, table = people(16, 2, np.random.default_rng([7, seed]))
        found = channel_map(FeatureTable(features, table, True), NAMES, permutations=99, seed=seed)
        assert found is not None
        hits += min(row["p"] for row in found["channels"]) <= 0.05
    assert 1 <= hits <= 11  # 5 expected; beyond these in under 2 of 100 runs


def test_too_few_labellings_and_labels_that_cannot_change_places_give_no_map() -> None:
    features, table = people(8, 3, np.random.default_rng(2))
    assert channel_map(FeatureTable(features, table, True), NAMES, permutations=18) is None
    assert channel_map(FeatureTable(features, table, False), NAMES, permutations=50) is None
