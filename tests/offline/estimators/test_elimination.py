"""Which columns are kept, that the fold alone decides, and what the consensus says of its members."""

import warnings

import numpy as np
import pytest
from sklearn.feature_selection import RFE, f_classif
from sklearn.model_selection import cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from offline.estimators import MEMBERS, ClusterElimination, Consensus, RecursiveElimination
from offline.estimators.base import TableError
from offline.estimators.consensus import MemberWarning
from offline.estimators.elimination import f_values
from offline.estimators.scaling import standardise


def planted(seed: int, n: int = 100, n_columns: int = 400, effect: float = 1.0, together: float = 0.0):
    """Twenty columns that carry an effect; they may go together."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    X = rng.normal(size=(n, n_columns))
    X[:, :20] += together * rng.normal(size=(n, 1)) + effect * y[:, None]
    return X, y


SELECTORS = [RecursiveElimination(20), ClusterElimination(20, random_state=0)]
names = pytest.mark.parametrize("selector", SELECTORS, ids=lambda one: type(one).__name__)


@names
def test_it_keeps_the_columns_that_tell_labels_apart(selector) -> None:
    X, y = planted(0)
    kept = selector.fit(X, y).get_support(indices=True)
    assert len(kept) == 20
    assert (kept < 20).sum() >= 12  # of 400 columns; by chance it would be 1
    np.testing.assert_array_equal(selector.transform(X), X[:, kept])


def test_clusters_keep_what_goes_together_where_a_machine_keeps_one_of_each() -> None:
    """A linear machine divides a weight among copies and drops them; clusters stand or fall as a whole."""
    X, y = planted(0, together=1.0)
    found = [(one.fit(X, y).get_support(indices=True) < 20).sum() for one in SELECTORS]
    assert found[1] >= 14
    assert found[0] < found[1]


@names
def test_other_units_choose_the_same(selector) -> None:
    X, y = planted(1)
    unit = 2.0 ** np.random.default_rng(0).integers(-15, 15, X.shape[1])
    first = selector.fit(X, y).support_.copy()
    np.testing.assert_array_equal(selector.fit(X * unit, y).support_, first)


@names
def test_inside_the_fold_noise_stays_noise(selector) -> None:
    """The same choice made before the folds invents an effect on these permuted labels."""
    rng = np.random.default_rng(2)
    X, y = rng.normal(size=(100, 1500)), rng.permutation(np.arange(100) % 2)
    inside = cross_val_score(make_pipeline(selector, GaussianNB()), X, y, cv=5).mean()
    outside = cross_val_score(GaussianNB(), selector.fit_transform(X, y), y, cv=5).mean()
    assert inside < 0.65
    assert outside > inside + 0.2


@names
def test_more_than_there_are_keeps_all_and_constants_go_first(selector) -> None:
    X, y = planted(3, n_columns=15)
    assert selector.fit(X, y).support_.all()
    X, y = planted(3, n_columns=22)
    X[:, [3, 7]] = 5.0
    assert np.flatnonzero(~selector.fit(X, y).support_).tolist() == [3, 7]
    with pytest.raises(TableError, match="n_features_to_keep is 0"):
        type(selector)(0).fit(X, y)


def test_one_halving_is_scikit_learn_s() -> None:
    X, y = planted(4, n_columns=64)
    Z = standardise(X)(X)
    # The same machine: a kernel divided by the mean squared norm is a penalty divided by it.
    C = 1.0 / np.square(Z).sum(axis=1).mean()
    theirs = RFE(SVC(C=C, kernel="linear", class_weight="balanced"), n_features_to_select=32, step=32)
    np.testing.assert_array_equal(RecursiveElimination(32).fit(X, y).support_, theirs.fit(Z, y).support_)


def test_f_is_f() -> None:
    X, y = planted(5)
    np.testing.assert_allclose(f_values(X, y), f_classif(X, y)[0], rtol=1e-8)
    assert f_values(np.full((10, 1), 3.0), np.arange(10) % 2).tolist() == [0.0]
    # The mean of some equal numbers is rounded: the rest of them is no variance.
    constants = np.tile(np.random.default_rng(0).normal(size=300), (101, 1))
    assert not f_values(constants, np.arange(101) % 2).any()


def test_a_member_that_fails_is_named_and_the_others_vote() -> None:
    X, y = planted(6)
    members = [
        ("naive-bayes", MEMBERS["naive-bayes"]()),
        ("no-neighbours", KNeighborsClassifier(n_neighbors=0)),
        ("too-many", make_pipeline(StandardScaler(), SVC(C=-1.0))),
        ("linear-svm", MEMBERS["linear-svm"]()),
    ]
    with pytest.warns(MemberWarning) as heard:
        fitted = Consensus(members, n_features=30).fit(X, y)
    assert fitted.voting_ == ["naive-bayes", "linear-svm"]
    assert sorted(fitted.failed_) == ["no-neighbours", "too-many"]
    assert "n_neighbors" in fitted.failed_["no-neighbours"]
    assert {str(one.message).split()[0] for one in heard} == {"no-neighbours", "too-many"}
    with pytest.raises(TableError, match=r"None of 1 members could be fitted \(no-neighbours: "):
        Consensus(members[1:2], n_features=30).fit(X, y)


@pytest.mark.parametrize("vote", ["majority", "mean"])
def test_the_vote_is_the_members_vote(vote: str) -> None:
    X, y = planted(7, effect=0.4)
    new, _ = planted(8, effect=0.4)
    members = [
        (name, MEMBERS[name]()) for name in ("naive-bayes", "linear-discriminant", "logistic-regression")
    ]
    fitted = Consensus(members, n_features=30, vote=vote).fit(X, y)
    alone = [member.fit(X[:, fitted.columns_], y) for _, member in members]
    each = np.mean([one.predict_proba(new[:, fitted.columns_]) for one in alone], axis=0)
    if vote == "majority":
        votes = np.sum([one.predict(new[:, fitted.columns_])[:, None] == [0, 1] for one in alone], axis=0)
        np.testing.assert_array_equal(fitted.predict(new), votes.argmax(axis=1))
        each = (votes + each) / 4
    np.testing.assert_allclose(fitted.predict_proba(new), each, atol=1e-9)


def test_all_eighteen_vote_on_at_most_so_many_columns() -> None:
    X, y = planted(9, n_columns=300)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted = Consensus(n_filter=150, n_features=40).fit(X, y)
    assert len(fitted.voting_) == 18
    assert not fitted.failed_
    assert len(fitted.columns_) == 40
    new, truth = planted(10, n_columns=300)
    assert (fitted.predict(new) == truth).mean() > 0.75
    with pytest.raises(TableError, match="Did you mean 'majority'"):
        Consensus(vote="majorty").fit(X, y)
