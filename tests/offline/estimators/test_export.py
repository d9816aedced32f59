"""What is exported gives what scikit-learn gives: arrays through a file's form and back."""

import json
from typing import Any

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.ensemble import BaggingClassifier, HistGradientBoostingClassifier
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from models.parts import Part, from_arrays, to_arrays
from models.parts.packing import run
from models.probabilities import probabilities
from offline.estimators import ESTIMATORS, NotExportable, parts_of, standard
from offline.estimators.consensus import Consensus
from offline.estimators.members import MEMBERS


def people(n_labels: int, seed: int = 0):
    rng = np.random.default_rng(seed)
    y = np.arange(90) % n_labels
    X = rng.normal(size=(90, 8)) * rng.uniform(0.5, 3, 8) + rng.normal(size=8)
    X[:, :3] += 1.5 * np.eye(3)[y]
    return X, y


def again(parts: tuple[Part, ...]) -> list[Part]:
    """As a bundle would read them: settings through JSON, arrays as they are."""
    out: list[Part] = []
    for part in parts:
        arrays, settings = to_arrays(part)
        out.append(from_arrays(type(part), arrays, json.loads(json.dumps(settings))))
    return out


STANDARD: dict[str, Any] = {
    "boosted-stumps": standard.boosted_stumps(),
    "boosted-trees": standard.boosted_trees(),
    "boosted-trees-from-zero": standard.boosted_trees().set_params(init="zero", n_estimators=5),
    "linear-discriminant": standard.linear_discriminant(),
    "quadratic-discriminant": standard.quadratic_discriminant(),
    "quadratic-svd": QuadraticDiscriminantAnalysis(reg_param=0.1),
    "linear-svm": standard.linear_svm(),
    "rbf-svm": standard.rbf_svm(),
    "logistic-regression": standard.logistic_regression(),
    "no-intercept": LogisticRegression(fit_intercept=False),
    "sparse-logistic-regression": standard.sparse_logistic_regression(),
    "ridge-classifier": RidgeClassifier(),
    "pipeline": make_pipeline(
        StandardScaler(), SelectKBest(k=5), PCA(3, whiten=True), "passthrough", RidgeClassifier()
    ),
}
"""Those whose decision function is the log odds, or is used as if it were."""


@pytest.mark.parametrize("n_labels", [2, 3])
@pytest.mark.parametrize("name", STANDARD)
def test_scores_are_the_decision_function(name: str, n_labels: int) -> None:
    X, y = people(n_labels)
    fitted = STANDARD[name].fit(X, y)
    new, _ = people(n_labels, seed=1)
    logits = run(again(parts_of(fitted)), new)
    expected = fitted.decision_function(new)
    if n_labels == 2:
        np.testing.assert_allclose(logits[:, 1] - logits[:, 0], expected, rtol=1e-6, atol=1e-6)
    else:
        shift = (logits - expected).mean(axis=1, keepdims=True)  # a softmax does not see it
        np.testing.assert_allclose(logits - shift, expected, rtol=1e-6, atol=1e-6)
        if "svm" in name:
            np.testing.assert_allclose(logits, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("n_labels", [2, 3])
@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic"])
def test_perceptrons_and_naive_bayes_give_scikit_learn_s_probabilities(
    n_labels: int, activation: str
) -> None:
    X, y = people(n_labels)
    new, _ = people(n_labels, seed=1)
    network = MLPClassifier(
        (6, 4), activation=activation, alpha=3.0, solver="lbfgs", max_iter=2000, random_state=0
    )
    for fitted in (network.fit(X, y), standard.naive_bayes().fit(X, y)):
        got = probabilities(run(again(parts_of(fitted)), new))
        np.testing.assert_allclose(got, fitted.predict_proba(new), atol=1e-6)


@pytest.mark.parametrize("n_labels", [2, 3])
@pytest.mark.parametrize(
    "votes",
    [
        standard.bagged_trees(),
        BaggingClassifier(DecisionTreeClassifier(), n_estimators=7, max_features=0.5, random_state=0),
        standard.random_forest(),
        DecisionTreeClassifier(max_depth=3, random_state=0),
    ],
)
def test_of_trees_half_a_vote_is_added(votes: Any, n_labels: int) -> None:
    X, y = people(n_labels)
    fitted = votes.fit(X, y)
    new, _ = people(n_labels, seed=1)
    half = 0.5 / len(getattr(fitted, "estimators_", [fitted]))
    expected = np.log(fitted.predict_proba(new) + half)
    np.testing.assert_allclose(run(again(parts_of(fitted)), new), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("n_labels", [2, 3])
def test_of_neighbours_too(n_labels: int) -> None:
    X, y = people(n_labels)
    fitted = KNeighborsClassifier(7).fit(X, y)
    new, _ = people(n_labels, seed=1)
    expected = np.log((7 * fitted.predict_proba(new) + 0.5) / (7 + 0.5 * n_labels))
    np.testing.assert_allclose(run(again(parts_of(fitted)), new), expected, atol=1e-6)


@pytest.mark.parametrize("n_labels", [2, 3])
@pytest.mark.parametrize("name", ESTIMATORS)
def test_every_one_of_the_registry_comes_back_from_arrays(name: str, n_labels: int) -> None:
    X, y = people(n_labels)
    new, _ = people(n_labels, seed=1)
    few = [(member, MEMBERS[member]()) for member in ("rbf-svm", "random-forest", "rotation-forest")]
    fitted = (Consensus(few) if name == "consensus" else ESTIMATORS[name]()).fit(X, y)
    parts = again(parts_of(fitted))
    np.testing.assert_allclose(probabilities(run(parts, new)), fitted.predict_proba(new), atol=1e-6)
    one_by_one = np.concatenate([run(parts, new[i : i + 1]) for i in range(len(new))])
    np.testing.assert_allclose(one_by_one, run(parts, new), atol=1e-9)  # nobody depends on the others


@pytest.mark.parametrize(
    ("estimator", "why"),
    [
        (HistGradientBoostingClassifier(max_iter=2), "HistGradientBoostingClassifier has no array form"),
        (SVC(kernel="poly"), "kernel 'poly'"),
        (KNeighborsClassifier(weights="distance"), "weights 'distance'"),
        (MLPClassifier(activation="identity", solver="lbfgs"), "activation 'identity'"),
        (BaggingClassifier(RidgeClassifier(), n_estimators=2), "Bagging of RidgeClassifier"),
    ],
)
def test_what_has_no_array_form_says_why(estimator: Any, why: str) -> None:
    with pytest.raises(NotExportable, match=why):
        parts_of(estimator.fit(*people(2)))
