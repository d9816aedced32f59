"""What every classifier of tables must do: scikit-learn's checks, and learning without inventing."""

from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.metrics import balanced_accuracy_score
from sklearn.utils.estimator_checks import check_estimator

from offline.estimators import MEMBERS, ClusterElimination, Consensus, RecursiveElimination
from offline.estimators.consensus_members import linear_svm
from offline.estimators.row_space import InRowSpace
from offline.estimators.torch_stacked_autoencoder import StackedAutoEncoderClassifier

CHEAP: dict[str, dict[str, Any]] = {
    "bagged-trees": {"n_estimators": 10},
    "boosted-stumps": {"n_estimators": 10},
    "boosted-trees": {"n_estimators": 20, "max_features": None, "subsample": 1.0, "learning_rate": 0.2},
    "random-forest": {"n_estimators": 10},
    "rotation-forest": {"n_trees": 5},
    "extreme-learning-machine": {"n_neurons": 50},
    "fully-connected-cascade": {"n_neurons": 2, "max_iter": 30},
}
"""The same estimator in less time."""

ESTIMATORS = (*MEMBERS, "consensus")
FEW = [(name, MEMBERS[name]()) for name in ("naive-bayes", "linear-discriminant", "logistic-regression")]


def cheap(name: str) -> Any:
    """One of the registry; the consensus with three members, for all are tested one by one."""
    if name == "consensus":
        return Consensus(FEW, n_features=20)
    return MEMBERS[name]().set_params(**{f"estimator__{k}": v for k, v in CHEAP.get(name, {}).items()})


def people(seed: int, *, n: int = 120, n_columns: int = 20, effect: float = 1.2, n_labels: int = 2):
    """Noise, with an effect in four columns."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % n_labels
    X = rng.normal(size=(n, n_columns))
    X[:, :4] += effect * (y[:, None] == np.arange(4) % n_labels)
    return X, y


@pytest.mark.parametrize("name", ESTIMATORS)
def test_it_passes_scikit_learn_s_checks(name: str) -> None:
    estimator = cheap(name)
    found = check_estimator(estimator, on_skip=None, on_fail=None)  # none is expected to fail
    failed = {one["check_name"]: repr(one["exception"]) for one in found if one["status"] == "failed"}
    assert not failed
    assert sum(one["status"] == "passed" for one in found) > 40


def test_a_linear_model_in_the_people_s_coordinates_is_the_same_model() -> None:
    found = check_estimator(InRowSpace(linear_svm()), on_skip=None, on_fail=None)
    assert not {one["check_name"]: repr(one["exception"]) for one in found if one["status"] == "failed"}
    X, y = people(3, n=60, n_columns=200, effect=0.7)
    plain, turned = linear_svm().fit(X, y), InRowSpace(linear_svm()).fit(X, y)
    new, _ = people(4, n=40, n_columns=200)
    expected = plain.decision_function(new)
    # As near as the solver goes; a wide table is where it matters.
    assert turned.decision_function(new) == pytest.approx(expected, abs=0.01 * float(np.std(expected)))
    assert turned.estimator_.n_features_in_ <= 60
    with pytest.raises(TypeError, match="no linear classifier"):
        InRowSpace(StackedAutoEncoderClassifier.quick(epochs=1)).fit(X, y)


@pytest.mark.parametrize("selector", [RecursiveElimination(2), ClusterElimination(2, random_state=0)])
def test_selectors_pass_scikit_learn_s_checks(selector: Any) -> None:
    found = check_estimator(selector, on_skip=None, on_fail=None)
    assert not {one["check_name"]: repr(one["exception"]) for one in found if one["status"] == "failed"}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_it_finds_a_planted_effect_and_nothing_in_noise(name: str) -> None:
    """The best rule there is, on these columns, is right in about 88 of 100."""
    right = {}
    for effect in (1.2, 0.0):
        X, y = people(1, effect=effect)
        predicted, truth = people(2, n=600, effect=effect)
        fitted = cheap(name).fit(X, y)
        right[effect] = balanced_accuracy_score(truth, fitted.predict(predicted))
    assert right[1.2] > 0.75
    assert abs(right[0.0] - 0.5) < 0.1


@pytest.mark.parametrize("name", ESTIMATORS)
def test_three_labels_by_name(name: str) -> None:
    X, y = people(3, n=150, n_labels=3, effect=2.5)
    names = np.array(["ADHD-C", "ADHD-I", "TD"])
    fitted = cheap(name).fit(X, names[y])
    assert fitted.classes_.tolist() == names.tolist()
    predicted, truth = people(4, n=300, n_labels=3, effect=2.5)
    assert (fitted.predict(predicted) == names[truth]).mean() > 0.65


@pytest.mark.parametrize("name", ESTIMATORS)
def test_it_is_the_same_twice(name: str) -> None:
    X, y = people(5)
    first = cheap(name).fit(X, y)
    np.testing.assert_array_equal(clone(first).fit(X, y).decision_function(X), first.decision_function(X))


@pytest.mark.parametrize("name", ESTIMATORS)
def test_other_units_say_the_same(name: str) -> None:
    """Powers of two, so that not even the last digit of a tree's threshold moves."""
    X, y = people(6)
    unit = 2.0 ** np.random.default_rng(0).integers(-20, 20, X.shape[1])
    plain, scaled = cheap(name).fit(X, y), cheap(name).fit(X * unit, y)
    np.testing.assert_allclose(
        scaled.decision_function(X * unit), plain.decision_function(X), rtol=1e-3, atol=1e-3
    )


@pytest.mark.parametrize("name", ["linear-discriminant", "relevance-vector-machine", "naive-bayes"])
def test_the_order_of_people_says_nothing(name: str) -> None:
    X, y = people(7)
    order = np.random.default_rng(0).permutation(len(y))
    moved, plain = cheap(name).fit(X[order], y[order]), cheap(name).fit(X, y)
    np.testing.assert_allclose(moved.decision_function(X), plain.decision_function(X), atol=1e-6)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_column_that_never_changes_harms_nothing(name: str) -> None:
    X, y = people(8)
    X[:, 5] = 7.0
    fitted = cheap(name).fit(X, y)
    assert np.isfinite(fitted.decision_function(X)).all()
    predicted, truth = people(9, n=400)
    predicted[:, 5] = 7.0
    assert balanced_accuracy_score(truth, fitted.predict(predicted)) > 0.75
