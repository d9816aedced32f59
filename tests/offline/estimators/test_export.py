"""What is exported gives what the estimator gives: arrays through a file's form and back."""

import json
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from models.layers import Layer, run
from models.layers.base import from_arrays, to_arrays
from offline.estimators import MEMBERS, NotExportable, layers_of
from offline.estimators.consensus_members import BARE
from offline.estimators.standardised import predicted_logits


def people(n_labels: int, seed: int = 0):
    rng = np.random.default_rng(seed)
    y = np.arange(90) % n_labels
    X = rng.normal(size=(90, 8)) * rng.uniform(0.5, 3, 8) + rng.normal(size=8)
    X[:, :3] += 1.5 * np.eye(3)[y]
    return X, y


def again(layers: tuple[Layer, ...]) -> list[Layer]:
    """As a bundle would read them: settings through JSON, arrays as they are."""
    out: list[Layer] = []
    for layer in layers:
        arrays, settings = to_arrays(layer)
        out.append(from_arrays(type(layer), arrays, json.loads(json.dumps(settings))))
    return out


LINEAR: dict[str, Any] = {
    **{
        name: BARE[name]
        for name in ("linear-discriminant", "linear-svm", "logistic-regression", "sparse-logistic-regression")
    },
    "no-intercept": lambda: LogisticRegression(fit_intercept=False),
    "ridge-classifier": RidgeClassifier,
    "standardised": MEMBERS["linear-svm"],
    "pipeline": lambda: make_pipeline(SelectKBest(k=5), "passthrough", RidgeClassifier()),
}


@pytest.mark.parametrize("n_labels", [2, 3])
@pytest.mark.parametrize("name", LINEAR)
def test_exported_layers_give_the_decision_function(name: str, n_labels: int) -> None:
    X, y = people(n_labels)
    fitted = LINEAR[name]().fit(X, y)
    new, _ = people(n_labels, seed=1)
    logits = run(again(layers_of(fitted)), new)
    expected = fitted.decision_function(new)
    found = logits[:, 1] - logits[:, 0] if n_labels == 2 else logits
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("n_labels", [2, 3])
@pytest.mark.parametrize("name", MEMBERS)
def test_logits_are_those_of_scikit_learn(name: str, n_labels: int) -> None:
    """The decision function where there is one; of probabilities their logarithm, half a vote added."""
    X, y = people(n_labels)
    new, _ = people(n_labels, seed=1)
    fitted = BARE[name]().fit(X, y)
    logits = predicted_logits(fitted, new)
    if hasattr(fitted, "decision_function"):
        odds = logits[:, 1] - logits[:, 0] if n_labels == 2 else logits
        np.testing.assert_allclose(odds, fitted.decision_function(new), rtol=1e-9, atol=1e-9)
    else:
        found = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        np.testing.assert_allclose(found, fitted.predict_proba(new), atol=0.02)
        assert np.isfinite(logits).all()


def test_a_label_without_a_vote_has_half_of_one() -> None:
    X, y = people(2)
    fitted = KNeighborsClassifier(7).fit(X, y)
    assert (fitted.predict_proba(X) == 0).any()
    odds = np.exp(predicted_logits(fitted, X))
    np.testing.assert_allclose(odds, fitted.predict_proba(X) + 0.5 / 7)
    forest = RandomForestClassifier(5, random_state=0).fit(X, y)
    np.testing.assert_allclose(np.exp(predicted_logits(forest, X)), forest.predict_proba(X) + 0.1)


@pytest.mark.parametrize("estimator", [SVC(), SVC(kernel="linear"), MEMBERS["random-forest"]()])
def test_what_is_not_exported_says_what_is(estimator: Any) -> None:
    with pytest.raises(NotExportable, match="is not exported; linear models, networks over tables"):
        layers_of(estimator.fit(*people(2)))
