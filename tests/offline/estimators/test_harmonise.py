"""ComBat: the reference implementation's output, and what it says where that one breaks."""

import contextlib
import io

import numpy as np
import pandas as pd
import pytest
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from neuroCombat import neuroCombat
from sklearn.linear_model import RidgeClassifier
from sklearn.pipeline import make_pipeline

from offline.estimators.combat import FEWEST, ComBat, HarmoniseError


def scans(seed: int, counts: tuple[int, ...] = (30, 25, 22), n_features: int = 40):
    """Features with a site's shift and stretch, and an effect of age."""
    rng = np.random.default_rng(seed)
    site = np.repeat([f"s{k}" for k in range(len(counts))], counts)
    number = np.repeat(np.arange(len(counts)), counts)
    age = rng.integers(6, 40, len(site)).astype(float)
    sex = rng.integers(0, 2, len(site)).astype(float)
    shift = rng.normal(0.3, 0.5, (len(counts), n_features))
    stretch = rng.gamma(20, 0.05, (len(counts), n_features))
    X = rng.normal(size=(len(site), n_features)) * stretch[number] + shift[number]
    X += 0.03 * age[:, None] * rng.normal(size=n_features)
    return X * rng.uniform(0.1, 5, n_features) + 10, site, np.stack([age, sex], axis=1)


def theirs(X, site, covariates=None, **settings):
    table = pd.DataFrame({"site": site})
    if covariates is not None:
        table["age"], table["sex"] = covariates.T
        settings |= {"continuous_cols": ["age"], "categorical_cols": ["sex"]}
    with contextlib.redirect_stdout(io.StringIO()):
        return neuroCombat(X.T.copy(), table, "site", **settings)["data"].T


@given(st.integers(0, 10_000), st.booleans(), st.booleans())
@settings(max_examples=10, deadline=None)
def test_it_equals_the_reference_implementation(seed: int, with_covariates: bool, shrink: bool) -> None:
    X, site, covariates = scans(seed)
    known = covariates if with_covariates else None
    ours = ComBat(shrink=shrink).fit_transform(X, site=site, covariates=known)
    np.testing.assert_allclose(ours, theirs(X, site, known, eb=shrink), rtol=0, atol=1e-8)


def test_sites_are_alike_afterwards_and_age_still_shows() -> None:
    X, site, covariates = scans(1, (200, 200))
    out = ComBat().fit_transform(X, site=site, covariates=covariates)
    apart = [np.abs(x[site == "s0"].mean(0) - x[site == "s1"].mean(0)) / x.std(0) for x in (X, out)]
    assert apart[1].mean() < 0.25 * apart[0].mean()
    # What an age does to a feature, sites held apart, is kept.
    design = np.column_stack([site == "s0", site == "s1", covariates]).astype(float)
    before, after = (np.linalg.lstsq(design, x, rcond=None)[0][2] for x in (X, out))
    assert np.corrcoef(before, after)[0, 1] > 0.99


def test_other_units_and_another_order_say_the_same() -> None:
    X, site, covariates = scans(2)
    plain = ComBat().fit_transform(X, site=site, covariates=covariates)
    order = np.random.default_rng(0).permutation(len(X))
    moved = ComBat().fit_transform(X[order], site=site[order], covariates=covariates[order])
    np.testing.assert_allclose(moved, plain[order], atol=1e-8)
    scaled = ComBat().fit_transform(1e-6 * X - 3e-6, site=site, covariates=covariates)
    np.testing.assert_allclose(scaled, 1e-6 * plain - 3e-6, rtol=1e-6)


def test_labels_change_nothing() -> None:
    X, site, _ = scans(3)
    y = np.random.default_rng(0).integers(0, 2, len(X))
    np.testing.assert_array_equal(
        ComBat().fit(X, y, site=site).transform(X, site=site), ComBat().fit_transform(X, site=site)
    )


def test_constant_features_stay_and_do_not_disturb_the_others() -> None:
    X, site, _ = scans(4)
    wide = np.concatenate([np.full((len(X), 1), 3.0), X, np.zeros((len(X), 1))], axis=1)
    out = ComBat().fit_transform(wide, site=site)
    np.testing.assert_allclose(out[:, [0, -1]], wide[:, [0, -1]])
    np.testing.assert_allclose(out[:, 1:-1], ComBat().fit_transform(X, site=site), atol=1e-9)


def test_a_site_of_one_person_is_named_and_left_as_it_is() -> None:
    X, site, _ = scans(5, (30, 25, 1))
    combat = ComBat("refuse").fit(X, site=site)
    assert combat.uncorrected_ == ("s2",)
    out = combat.transform(X, site=site)
    np.testing.assert_allclose(out[-1], X[-1])
    np.testing.assert_allclose(out[:-1], ComBat().fit_transform(X[:-1], site=site[:-1]))
    with pytest.raises(HarmoniseError, match="None of the 56 sites has two people"):
        ComBat().fit(X, site=[f"s{i}" for i in range(56)])


def test_one_site_alone_has_nothing_to_be_compared_with() -> None:
    X, _, _ = scans(6)
    np.testing.assert_allclose(ComBat().fit_transform(X, site=["a"] * len(X)), X)


def test_one_feature_alone_has_nothing_to_borrow_from() -> None:
    X, site, _ = scans(6)
    out = ComBat().fit_transform(X[:, :1], site=site)
    np.testing.assert_allclose(out, ComBat(shrink=False).fit_transform(X[:, :1], site=site))


def test_an_unseen_site_is_left_refused_or_estimated() -> None:
    X, site, covariates = scans(7, (60, 60, 60))
    seen, new = site != "s2", site == "s2"
    given_ = {"site": site[new], "covariates": covariates[new]}

    def fitted(unseen: str) -> ComBat:
        return ComBat(unseen).fit(X[seen], site=site[seen], covariates=covariates[seen])

    np.testing.assert_allclose(fitted("pooled").transform(X[new], **given_), X[new])
    with pytest.raises(HarmoniseError, match=r"'s2' was not fitted; expected one of: s0, s1"):
        fitted("refuse").transform(X[new], **given_)
    out = fitted("estimate").transform(X[new], **given_)
    corrected = fitted("estimate").transform(X[seen], site=site[seen], covariates=covariates[seen])
    spread = corrected.std(axis=0)
    before = np.abs(X[new].mean(axis=0) - corrected.mean(axis=0)) / spread
    after = np.abs(out.mean(axis=0) - corrected.mean(axis=0)) / spread
    assert after.mean() < 0.4 * before.mean()
    few = np.flatnonzero(new)[: FEWEST - 1]
    with pytest.raises(HarmoniseError, match=r"19 people of it were given; expected at least 20"):
        fitted("estimate").transform(X[few], site=site[few], covariates=covariates[few])


def test_what_cannot_be_is_said() -> None:
    X, site, covariates = scans(8)
    with pytest.raises(HarmoniseError, match=r"Did you mean 'pooled'"):
        ComBat("poled").fit(X, site=site)
    with pytest.raises(HarmoniseError, match=r"site has shape \(3,\); expected \(77,\)"):
        ComBat().fit(X, site=site[:3])
    confounded = (site == "s0").astype(float)[:, None]
    with pytest.raises(HarmoniseError, match="constant within every site"):
        ComBat().fit(X, site=site, covariates=confounded)
    covariates[4, 0] = np.nan
    with pytest.raises(HarmoniseError, match="row 4"):
        ComBat().fit(X, site=site, covariates=covariates)
    fitted = ComBat().fit(X, site=site)
    with pytest.raises(HarmoniseError, match="2 covariates; expected 0"):
        fitted.transform(X, site=site, covariates=np.zeros((77, 2)))


def test_sites_reach_it_inside_a_pipeline() -> None:
    """Fitted in the fold: the site travels beside X through scikit-learn's own routing."""
    X, site, _ = scans(9)
    y = np.random.default_rng(0).integers(0, 2, len(X))
    with sklearn.config_context(enable_metadata_routing=True):
        combat = ComBat().set_fit_request(site=True).set_transform_request(site=True)
        pipe = make_pipeline(combat, RidgeClassifier()).fit(X, y, site=site)
        got = pipe.decision_function(X, site=site)
    plain = RidgeClassifier().fit(ComBat().fit_transform(X, site=site), y)
    np.testing.assert_allclose(got, plain.decision_function(ComBat().fit_transform(X, site=site)))
