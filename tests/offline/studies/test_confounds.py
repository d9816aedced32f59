"""What is taken out in the fold is gone, what the brain adds stays; who is predicted is not fitted to."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import HemostreamError
from offline.base.sample_table import SampleTable
from offline.base.splits import Fold
from offline.estimators.combat import FEWEST, ComBat
from offline.estimators.corrected import Harmonised, TraitScale, WithoutTraits, separable
from offline.estimators.ridge_connectivity import RidgeConnectivity
from offline.report.study import TENFOLD, TRANSDUCTIVE, UNSEEN_SITE
from offline.scans.simulated import simulate_series
from offline.stats.metrics import auc
from offline.studies import STUDIES
from offline.studies.base import UnlabelledUse
from offline.studies.fitting import ScanProcedure
from offline.studies.planning import planned
from offline.studies.profile import QUICK
from offline.studies.run import transductive_words as words
from offline.studies.systems.baselines import combat, residual
from offline.studies.tables import AGE, FEMALE, LOG_MOTION, N_TRAITS, TABLES, table_of
from tests.offline.studies.fits import fitted, task_of

N_FEATURES = 60


def traits_of(rng: np.random.Generator, n: int) -> np.ndarray:
    age = rng.uniform(6.0, 40.0, n)
    return np.column_stack([age, age**2, rng.integers(0, 2, n), rng.normal(np.log(0.1), 0.5, n)])


def confounded(seed: int, n: int = 400, brain: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels that follow age, sex and motion; features that follow these, and perhaps the label itself."""
    rng = np.random.default_rng(seed)
    traits = traits_of(rng, n)
    z = (traits - traits.mean(axis=0)) / traits.std(axis=0)
    y = (z @ [0.0, 1.0, 1.0, 1.0] + rng.normal(size=n) > 0).astype(int)
    X = z @ rng.normal(size=(N_TRAITS, N_FEATURES)) + rng.normal(size=(n, N_FEATURES))
    X[:, : N_FEATURES // 5] += brain * y[:, np.newaxis]
    return np.column_stack([X, traits]), y, np.array([f"site {k % 4}" for k in range(n)])


def score(model, X: np.ndarray, y: np.ndarray, site: np.ndarray) -> float:
    half = len(X) // 2
    found = auc(
        y[half:] == 1,
        model.fit(X[:half], y[:half], site=site[:half]).decision_function(X[half:]),
        site[half:],
    )
    assert found is not None
    return found


def test_planted_confounds_leave_nothing_and_a_planted_effect_of_the_brain_stays() -> None:
    before, nothing, brain = [], [], []
    for seed in range(12):
        X, y, site = confounded(seed)
        before.append(score(RidgeConnectivity(), X[:, :N_FEATURES], y, site))
        nothing.append(score(residual(random_state=0), X, y, site))
        brain.append(score(residual(random_state=0), *confounded(seed, brain=1.0)))
    assert np.mean(before) > 0.85
    assert np.mean(nothing) == pytest.approx(0.5, abs=0.04)  # 12 halves of 200 people: SD 0.012
    assert np.mean(brain) > 0.7  # the label's share of the traits went with them


@given(st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_what_is_left_in_training_is_uncorrelated_with_every_known_trait(seed: int) -> None:
    X, y, site = confounded(seed, n=80)
    left = WithoutTraits(RidgeConnectivity([1.0]), N_TRAITS).fit(X, y, site=site).corrected(X)
    traits = X[:, N_FEATURES:]
    standard = (traits - traits.mean(axis=0)) / traits.std(axis=0)
    assert np.abs(standard.T @ left).max() < 1e-6


@given(st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_what_only_traits_make_is_taken_out_of_whoever_is_predicted(seed: int) -> None:
    rng = np.random.default_rng(seed)
    traits = traits_of(rng, 90)
    X = np.column_stack([7.0 + traits @ rng.normal(size=(N_TRAITS, 5)), traits])
    y, site = np.arange(60) % 2, np.full(60, "a")
    model = WithoutTraits(RidgeConnectivity([1.0]), N_TRAITS).fit(X[:60], y, site=site)
    assert np.abs(model.corrected(X[60:])).max() < 1e-6 * np.abs(X[:, :5]).max()


def test_unknown_traits_stand_at_the_mean_of_training_and_no_one_knows_is_no_error() -> None:
    X, y, site = confounded(0, n=100)
    model = residual(random_state=0).fit(X, y, site=site)
    unknown, mean = X[:1].copy(), X[:1].copy()
    unknown[:, N_FEATURES:] = np.nan
    mean[:, N_FEATURES:] = X[:, N_FEATURES:].mean(axis=0)
    assert model.decision_function(unknown) == pytest.approx(model.decision_function(mean))
    X[:, N_FEATURES + LOG_MOTION] = np.nan
    X[:, N_FEATURES + FEMALE] = 1.0
    model = residual(random_state=0).fit(X, y, site=site)
    other = X[:1].copy()
    other[:, N_FEATURES + LOG_MOTION :] = 3.0  # nothing is known of what it does
    assert model.decision_function(other) == pytest.approx(model.decision_function(X[:1]))
    assert np.isfinite(model.decision_function(X)).all()
    assert TraitScale.of(X[:, N_FEATURES:]).scale[LOG_MOTION] == 1.0
    assert (model.predict(X) == model.classes_[(model.decision_function(X) > 0) * 1]).all()
    with pytest.raises(HemostreamError, match="features and 4 traits"):
        model.corrected(X[:, :4])


def sites(seed: int, n: int = 160, n_sites: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    number = np.arange(n) % n_sites
    X = rng.normal(size=(n, N_FEATURES)) * rng.uniform(0.5, 2.0, (n_sites, 1))[number]
    X += rng.normal(size=(n_sites, N_FEATURES))[number]
    return np.column_stack([X, traits_of(rng, n)]), rng.integers(0, 2, n), np.array([f"s{k}" for k in number])


def test_combat_is_that_of_the_training_people_and_each_site_is_predicted_by_its_own() -> None:
    X, y, site = sites(0)
    model = combat(random_state=0).fit(X[:120], y[:120], site=site[:120])
    z = TraitScale.of(X[:120, N_FEATURES:])
    kept = [AGE, FEMALE]
    expected = ComBat().fit(
        X[:120, :N_FEATURES], site=site[:120], covariates=z(X[:120, N_FEATURES:])[:, kept]
    )
    rows = expected.transform(
        X[120:, :N_FEATURES], site=site[120:], covariates=z(X[120:, N_FEATURES:])[:, kept]
    )
    np.testing.assert_allclose(model.corrected(X[120:], site=site[120:]), rows)
    np.testing.assert_array_equal(model.corrected(X[120:]), X[120:, :N_FEATURES])


def of_sites(y: np.ndarray, site: np.ndarray) -> SampleTable:
    n = len(y)
    names = np.array([f"p{i:03d}" for i in range(n)])
    return SampleTable(names, names, np.full(n, ""), site, np.zeros(n), np.ones(n), y.astype(np.int64))


def test_no_predicted_person_reaches_another_of_another_site() -> None:
    """In ten folds; and where a site is unseen, in the condition that may not look at the others of it."""
    X, y, site = sites(1)
    table, rows = of_sites(y, site), np.arange(160)
    other = X.copy()
    changed = (rows >= 120) & (site == "s1")
    other[changed] = other[changed] * 3.0 + 5.0
    for name in ("ridge-combat", "ridge-residual"):
        task = task_of(TENFOLD, Fold((), rows[:120], rows[120:], "fold 1 of 0"))
        one, two = (fitted(STUDIES[name], each, table, task).scores for each in (X, other))
        same = site[120:] != "s1"
        np.testing.assert_allclose(one[same], two[same], rtol=1e-9)
        assert not np.isclose(one[~same], two[~same]).any()
        flipped = replace(table, target=np.where(rows >= 120, 1 - table.target, table.target))
        np.testing.assert_array_equal(fitted(STUDIES[name], X, flipped, task).scores, one)
        unseen = np.flatnonzero(site == "s2")
        for condition, reported in ((UNSEEN_SITE, False), (TRANSDUCTIVE, True)):
            task = task_of(condition, Fold((), rows[site != "s2"], unseen, "site s2"), centred=reported)
            moved = X.copy()
            moved[unseen[1:]] += 5.0
            one, two = (fitted(STUDIES[name], each, table, task).scores[0] for each in (X, moved))
            assert np.isclose(one, two, rtol=1e-9) == (not reported)


def test_an_unseen_site_is_pooled_or_estimated_from_its_people_and_too_few_are_pooled() -> None:
    X, y, site = sites(2, n=200)
    seen, unseen = site != "s3", np.flatnonzero(site == "s3")
    pooled, estimated = (
        combat(random_state=0, estimate=e).fit(X[seen], y[seen], site=site[seen]) for e in (0, 1)
    )
    many, few = unseen[:FEWEST], unseen[: FEWEST - 1]
    np.testing.assert_allclose(pooled.corrected(X[many], site=site[many]), X[many, :N_FEATURES])
    np.testing.assert_array_equal(estimated.corrected(X[few], site=site[few]), X[few, :N_FEATURES])
    found = estimated.corrected(X[many], site=site[many])
    middle = X[seen, :N_FEATURES].mean(axis=0)
    # Its people come to lie where those of the other sites do.
    assert (
        np.abs(found.mean(axis=0) - middle).mean()
        < 0.5 * np.abs(X[many, :N_FEATURES].mean(axis=0) - middle).mean()
    )
    # A small site is pooled beside people of a site that was fitted, too.
    together = np.concatenate([few, np.flatnonzero(site == "s0")[:3]])
    beside = estimated.corrected(X[together], site=site[together])
    np.testing.assert_array_equal(beside[: len(few)], X[few, :N_FEATURES])
    assert not np.isclose(beside[len(few) :], X[together[len(few) :], :N_FEATURES]).all()


def test_the_labels_of_training_do_not_reach_the_harmonisation() -> None:
    X, y, site = sites(3)
    one, two = (
        combat(random_state=0).fit(X, labels, site=site).corrected(X, site=site) for labels in (y, 1 - y)
    )
    np.testing.assert_array_equal(one, two)


def test_a_covariate_that_sites_tell_already_is_left_out() -> None:
    X, y, site = sites(4)
    number = np.unique(site, return_inverse=True)[1]
    traits = np.column_stack([X[:, N_FEATURES], number, 2.0 * X[:, N_FEATURES] + number, np.arange(160.0)])
    scaled = TraitScale.of(traits)(traits)
    assert separable(scaled, site, (0, 1, 2, 3)) == (0, 3)
    table = np.column_stack([X[:, :N_FEATURES], traits])
    model = Harmonised(RidgeConnectivity([1.0]), 4, kept=(1, 0)).fit(table, y, site=site)
    assert model.kept_ == (0,)
    assert set(model.predict(table, site=site)) <= {0, 1}


def test_the_site_is_taken_out_and_a_planted_effect_of_the_brain_stays() -> None:
    """Labels that lean to sites are known by the site; the ten folds know every site."""
    without, with_brain = [], []
    for seed in range(6):
        X, y, site = sites(seed, n=400)
        y = (np.random.default_rng(seed).random(400) < np.array([0.2, 0.4, 0.6, 0.8])[np.arange(400) % 4]) * 1
        brain = X.copy()
        brain[:, :12] += 0.8 * y[:, np.newaxis]
        for table, areas in ((X, without), (brain, with_brain)):
            model = Harmonised(RidgeConnectivity(), N_TRAITS).fit(table[:200], y[:200], site=site[:200])
            areas.append(
                auc(y[200:] == 1, model.decision_function(table[200:], site=site[200:]), np.full(200, ""))
            )
    assert np.mean(without) < 0.56
    assert np.mean(with_brain) > 0.75


def test_their_table_holds_connectivity_and_traits_unknown_ones_too(tmp_path) -> None:
    scans = simulate_series(40, n_regions=6, n_times=60).scans
    age, motion, sex = scans.age.copy(), scans.motion.copy(), scans.sex.copy()
    age[3], motion[4], sex[5] = np.nan, np.nan, ""
    scans = replace(scans, age=age, motion=motion, sex=sex)
    found = np.load(table_of("correlation and traits", scans, tmp_path))
    assert found[:, :-N_TRAITS] == pytest.approx(TABLES["correlation"](scans).astype(np.float32))
    assert np.argwhere(np.isnan(found)).tolist() == [[3, 15], [3, 16], [4, 18], [5, 17]]
    assert found[0, 15:] == pytest.approx(
        [age[0], age[0] ** 2, float(sex[0] == "F"), np.log(motion[0])], rel=1e-5
    )


def test_a_study_says_how_it_uses_unlabelled_people_and_others_are_as_they_were(tmp_path) -> None:
    table = simulate_series(60, n_regions=4, n_times=20, n_sites=4).scans.table  # 15 people a site
    assert words(STUDIES["ridge"], table) == ""
    assert "without labels" in words(STUDIES["ridge-combat"], table)
    assert "under 20 people are predicted there as in the first condition: S1, S2" in words(
        STUDIES["ridge-combat"], table
    )
    task = planned(STUDIES["ridge-combat"], table, QUICK)[0]
    keys = {
        str(ScanProcedure(replace(STUDIES["ridge-combat"], unlabelled=each), tmp_path, table).key(task))
        for each in (None, *(UnlabelledUse({"estimate": value}, "", 0) for value in (True, False)))
    }
    assert len(keys) == 3
