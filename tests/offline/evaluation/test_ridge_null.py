"""Labels permuted as they would be, the null as the procedure, intervals as wide as they must be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from offline.base.predictions import Predictions
from offline.base.sample_table import SampleTable
from offline.evaluation.ridge_null import ridge_null, ridge_rounds
from offline.stats.intervals import around, bootstrap_sd, clopper_pearson, null_sd, within_person
from offline.stats.permutation import p_value, permuted_blocks, permuted_people
from offline.stats.primary import Pairs, person_scores
from offline.stats.primary_figure import primary
from offline.training.feature_table import FeatureTable


def people_table(y: np.ndarray, site: np.ndarray | None = None, per_person: int = 3) -> SampleTable:
    person = np.repeat([f"p{i:03d}" for i in range(len(y))], per_person)
    start = np.tile(np.arange(per_person, dtype=float), len(y))
    places = np.full(len(y), "") if site is None else site
    return SampleTable(
        person, person, person, np.repeat(places, per_person), start, start + 7.0, np.repeat(y, per_person)
    )


def block_table(lengths: list[int], recordings: int = 2) -> SampleTable:
    """Blocks of these lengths by turns of label 0 and 1, in each recording."""
    y = np.repeat(np.arange(len(lengths)) % 2, lengths)
    n = len(y)
    name = np.repeat([f"r{i}" for i in range(recordings)], n)
    start = np.tile(np.arange(n, dtype=float), recordings)
    return SampleTable(
        name, name, name, np.full(len(name), ""), start, start + 7, np.tile(y, recordings).astype(np.int64)
    )


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_people_keep_one_label_and_sites_their_counts(seed: int) -> None:
    rng = np.random.default_rng(seed)
    site = rng.choice(["s1", "s2"], 20)
    y = rng.integers(0, 2, 20)
    table = people_table(y, site)
    drawn = permuted_people(table, rng)
    for person in table.people:
        assert len(set(drawn[table.person == person])) == 1
    for name in np.unique(site):
        here = table.site == name
        assert (
            np.bincount(drawn[here], minlength=2).tolist()
            == np.bincount(table.target[here], minlength=2).tolist()
        )


@given(st.integers(0, 10_000), st.lists(st.integers(1, 6), min_size=2, max_size=9))
@settings(max_examples=30, deadline=None)
def test_blocks_move_as_a_whole_and_stay_in_their_recording(seed: int, lengths: list[int]) -> None:
    table = block_table(lengths)
    drawn = permuted_blocks(table, np.random.default_rng(seed))
    ends = np.cumsum(lengths)
    for name in ("r0", "r1"):
        own = drawn[table.recording == name]
        blocks = np.split(own, ends[:-1])
        assert all(len(set(block)) == 1 for block in blocks)
        assert sorted(int(block[0]) for block in blocks) == sorted(i % 2 for i in range(len(lengths)))


def test_a_p_value_is_never_zero_and_few_permutations_say_nothing() -> None:
    assert p_value(0.9, np.full(99, 0.5)) == 0.01
    assert p_value(0.4, np.full(99, 0.5)) == 1.0
    assert p_value(0.9, np.full(18, 0.5)) is None


def test_pure_noise_is_at_chance_and_the_null_knows_how_far_it_strays() -> None:
    """Leave one person out would give far less than one half here; the bootstrap alone is too narrow."""
    rng = np.random.default_rng(0)
    found, n = [], 12
    y = np.arange(n) % 2
    table = people_table(y, per_person=1)
    for seed in range(60):
        rounds = ridge_rounds(FeatureTable(rng.normal(size=(n, 6)), table, True), repeats=2, seed=seed)
        found.append(primary(Predictions.concatenate(rounds), "auc", by_person=True))
    assert np.mean(found) == pytest.approx(0.5, abs=0.1)  # its SD is 0.03
    null = ridge_null(FeatureTable(rng.normal(size=(n, 6)), table, True), permutations=60, repeats=2)
    assert np.mean(null.figures["auc"]) == pytest.approx(0.5, abs=0.12)
    assert np.std(null.figures["auc"]) == pytest.approx(np.std(found), rel=0.5)


def test_the_null_of_blocks_is_at_chance_and_an_effect_stands_out() -> None:
    table = block_table([10, 8, 12, 9, 11, 10], recordings=4)
    rng = np.random.default_rng(1)
    X = rng.normal(size=(len(table), 3)) + 2.0 * table.target[:, None]
    data = FeatureTable(X, table, False)
    null = ridge_null(data, permutations=150)
    assert np.mean(null.figures["auc"]) == pytest.approx(0.5, abs=0.06)
    assert p_value(0.99, null.figures["auc"]) is not None
    assert np.quantile(null.figures["auc"], 0.99) < 0.99
    again = ridge_null(data, permutations=150)
    assert np.array_equal(again.figures["auc"], null.figures["auc"])
    fewer = ridge_null(data, permutations=20)  # a labelling follows from its number
    assert fewer.figures["auc"] == pytest.approx(null.figures["auc"][:20], abs=1e-9)


def test_an_interval_is_kept_within_what_can_be() -> None:
    wide = around(0.95, 0.2)
    assert wide[1] == 1.0
    assert wide[0] == pytest.approx(0.95 - 1.96 * 0.2, abs=1e-3)
    assert null_sd(np.full(18, 0.5)) is None
    table = people_table(np.array([0, 1]))
    scores = Predictions(
        ("a", "b"), table.person, np.full(6, "m"), np.arange(6), table.person, table.target,
        np.full((6, 2), 0.5), np.zeros(6, dtype=np.int64),
    )  # fmt: skip
    own = person_scores(scores)
    assert bootstrap_sd(Pairs.of(own), own.positive, "auc", seed=0) is None


def test_an_interval_within_a_person_draws_blocks() -> None:
    table = block_table([6] * 12, recordings=1)
    rng = np.random.default_rng(2)
    p = np.clip(0.5 + 0.2 * (table.target - 0.5) + 0.1 * rng.normal(size=len(table)), 0.01, 0.99)
    n = len(table)
    predictions = Predictions(
        ("a", "b"), table.person, np.full(n, "m"), np.arange(n), table.person, table.target,
        np.stack([1 - p, p], axis=1), np.zeros(n, dtype=np.int64),
    )  # fmt: skip
    found = within_person(predictions, "auc", seed=0, draws=200)["r0"]
    assert found[0] < found[1] <= 1.0
    few = predictions.rows(np.arange(n) < 12)  # one block of each label
    assert within_person(few, "auc", seed=0, draws=10) == {}


@pytest.mark.parametrize(("n", "share"), [(10, 0.5), (30, 0.9), (200, 0.03)])
def test_clopper_pearson_covers_what_it_claims(n: int, share: float) -> None:
    covered = 0.0
    for right in range(n + 1):
        interval = clopper_pearson(right, n)
        assert interval is not None
        covered += binom.pmf(right, n, share) * (interval[0] <= share <= interval[1])
    assert covered >= 0.95
    assert clopper_pearson(0, 0) is None
