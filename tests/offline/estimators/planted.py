"""Tables with an effect that is known, and small settings under which each network learns in a moment."""

from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.metrics import roc_auc_score

from offline.estimators.deep_bayesian import DeepBayesianClassifier
from offline.estimators.torch_base import NetworkClassifier
from offline.estimators.torch_cnn import ConvolutionalClassifier
from offline.estimators.torch_deep_belief import DeepBeliefClassifier
from offline.estimators.torch_fusion import NaiveBayesFusion
from offline.estimators.torch_mixture import MixtureOfExpertsClassifier
from offline.estimators.torch_stacked_autoencoder import StackedAutoEncoderClassifier

CLASSIFIERS: dict[str, NetworkClassifier] = {
    "stacked_autoencoder": StackedAutoEncoderClassifier(
        (10, 6), pretraining_epochs=3, epochs=12, learning_rate=2e-2
    ),
    "deep_belief": DeepBeliefClassifier((20, 10), pretraining_epochs=3, epochs=25, learning_rate=3e-2),
    "image": ConvolutionalClassifier(filters=4, hidden=8, epochs=10, learning_rate=2e-2),
    "mixture": MixtureOfExpertsClassifier(2, hidden=4, epochs=10, learning_rate=2e-2),
    "deep_bayesian": DeepBayesianClassifier(
        2, hidden=(6, 3), pretraining_epochs=5, epochs=15, learning_rate=5e-2
    ),
    "fusion": NaiveBayesFusion(
        2,
        n_folds=2,
        estimator=MixtureOfExpertsClassifier(2, hidden=4, epochs=6, learning_rate=5e-2, dropout=0.0),
    ),
}


def planted(
    n: int, n_columns: int, effect: float, seed: int, *, n_with: int = 12
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A table, its labels, and the log odds that no one can better.

    ``n_with`` columns, spread evenly, differ by ``effect`` SD between the labels; all are independent.
    """
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n) % 2)
    X = rng.normal(size=(n, n_columns))
    where = np.arange(n_with) * n_columns // n_with
    X[:, where] += effect * (y[:, None] - 0.5)
    return X, y, effect * X[:, where].sum(axis=1)


def auc(model: Any, X: np.ndarray, y: np.ndarray) -> float:
    return float(roc_auc_score(y, model.decision_function(X)))


def leave_sites_out(
    model: Any, X: np.ndarray, y: np.ndarray, site: np.ndarray
) -> tuple[np.ndarray, dict[str, Any]]:
    """Scores of every person by a model fitted without their site, and the fitted models by site."""
    scores, fitted = np.empty(len(y)), {}
    for name in np.unique(site):
        out = site == name
        fitted[str(name)] = clone(model).fit(X[~out], y[~out], site=site[~out])
        scores[out] = fitted[str(name)].decision_function(X[out])
    return scores, fitted
