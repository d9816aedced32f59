"""What is there is learnt, near to what the best predictor could; where nothing is, nothing is found."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_validate

from offline.estimators.base import LogitClassifier
from offline.estimators.deep_bayesian import DeepBayesianClassifier
from offline.estimators.torch_cnn import ConvolutionalClassifier
from offline.estimators.torch_deep_belief import DeepBeliefClassifier
from offline.estimators.torch_fit import NetworkError
from offline.estimators.torch_fusion import NaiveBayesFusion
from offline.estimators.torch_mixture import MixtureOfExpertsClassifier
from offline.estimators.torch_stacked_autoencoder import StackedAutoEncoderClassifier
from tests.offline.estimators.planted import CLASSIFIERS, auc, planted

DISTANCES: dict[str, tuple[LogitClassifier, float]] = {
    "stacked_autoencoder": (StackedAutoEncoderClassifier.quick(), 0.06),
    "deep_belief": (DeepBeliefClassifier.quick(), 0.07),
    "mixture": (MixtureOfExpertsClassifier.quick(), 0.07),
    "matrix": (ConvolutionalClassifier.quick(arrangement="matrix"), 0.14),
    "fusion": (NaiveBayesFusion(n_folds=2, estimator=MixtureOfExpertsClassifier.quick(epochs=15)), 0.15),
    "deep_bayesian": (DeepBayesianClassifier.quick(), 0.19),
}
"""Quick settings, and how far their AUC may be from the oracle's, which is 0.96: 400 people, 105 columns.

Votes and bins throw away what the others keep, and half of the people learn where features are in bins.
"""


@pytest.mark.parametrize("name", DISTANCES)
def test_a_planted_effect_is_learnt(name: str) -> None:
    model, distance = DISTANCES[name]
    X, y, _ = planted(400, 105, 0.7, 0)
    new, truth, odds = planted(1500, 105, 0.7, 1)
    best = roc_auc_score(truth, odds)
    assert best == pytest.approx(0.96, abs=0.01)
    assert auc(clone(model).set_params(random_state=0).fit(X, y), new, truth) > best - distance


def image(n: int, seed: int, effect: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """An image of 10 x 10 in which a square of 3 x 3 is brighter for one label; oracle AUC 0.983 at 1."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n) % 2)
    X = rng.normal(size=(n, 10, 10))
    X[:, 2:5, 4:7] += effect * (y[:, None, None] - 0.5)
    return X.reshape(n, -1), y, X[:, 2:5, 4:7].sum(axis=(1, 2))


def test_an_image_is_learnt() -> None:
    X, y, _ = image(400, 0)
    new, truth, odds = image(1500, 1)
    made = ConvolutionalClassifier.quick(random_state=0).fit(X, y)
    assert auc(made, new, truth) > roc_auc_score(truth, odds) - 0.09


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_noise_stays_at_chance(name: str) -> None:
    """Mean AUC of four fits, each on people and predicted by others; its SD is about 0.02."""
    found = []
    for seed in range(4):
        X, y, _ = planted(120, 20, 0.0, 100 + seed)
        new, truth, _ = planted(400, 20, 0.0, 200 + seed)
        found.append(auc(clone(CLASSIFIERS[name]).set_params(random_state=seed).fit(X, y), new, truth))
    assert np.mean(found) == pytest.approx(0.5, abs=0.08)


def test_more_than_two_labels_are_distinguished() -> None:
    rng = np.random.default_rng(0)
    y = np.array(["a", "b", "c"])[np.arange(150) % 3]
    X = rng.normal(size=(150, 9))
    X[np.arange(150), np.arange(150) % 3] += 4.0
    for name in ("stacked_autoencoder", "mixture", "fusion", "deep_bayesian"):
        made = clone(CLASSIFIERS[name]).set_params(random_state=0).fit(X, y)
        assert (made.predict(X) == y).mean() > 0.6, name  # a third by chance
        np.testing.assert_allclose(made.predict_proba(X).sum(axis=1), 1.0)


def test_experts_divide_what_one_line_cannot() -> None:
    """The effect turns round with the sign of a column: no linear model sees it."""
    rng = np.random.default_rng(0)
    y = np.arange(800) % 2
    X = rng.normal(size=(800, 6))
    X[:, 0] = 2 * np.sign(X[:, 0])
    X[:, 1] += 1.5 * np.sign(X[:, 0]) * (y - 0.5)
    made = MixtureOfExpertsClassifier(2, hidden=2, epochs=60, learning_rate=1e-2, random_state=0)
    made.fit(X[:400], y[:400])
    best = roc_auc_score(y[400:], np.sign(X[400:, 0]) * X[400:, 1])  # 0.86
    assert auc(made, X[400:], y[400:]) > best - 0.05
    line = X[:400].T @ (y[:400] - 0.5)
    assert roc_auc_score(y[400:], X[400:] @ line) < 0.62


def test_a_source_that_is_built_alike_helps_and_one_that_is_not_does_not() -> None:
    """Thirty people of the target and 400 others, with the effect in the same place or turned round."""
    gain = {"alike": [], "turned": []}
    for seed in range(2):
        X, y, _ = image(30, 10 + seed, 0.8)
        others, theirs, _ = image(400, 20 + seed, 0.8)
        new, truth, _ = image(1000, 30 + seed, 0.8)
        alone = auc(ConvolutionalClassifier.quick(random_state=seed).fit(X, y), new, truth)
        both = np.concatenate([X, others])
        source = np.arange(len(both)) >= len(X)
        for name, labels in (("alike", theirs), ("turned", 1 - theirs)):
            model = ConvolutionalClassifier.quick(random_state=seed)
            model.fit(both, np.concatenate([y, labels]), source=source)
            assert model.source_history_
            gain[name].append(auc(model, new, truth) - alone)
    assert np.mean(gain["alike"]) > 0.1
    assert np.mean(gain["turned"]) < 0.0


def test_frozen_filters_stay_as_the_source_taught_them() -> None:
    X, y, _ = image(120, 0)

    def filters(**settings: object) -> torch.Tensor:
        model = ConvolutionalClassifier.quick(epochs=3, random_state=0, **settings)
        model.fit(X, y, source=np.arange(120) < 80)
        return model.network_.convolutions[0].weight.detach()

    taught = filters(slower=0.0)  # at a rate of 0 the target changes nothing
    assert torch.equal(filters(freeze=True), taught)
    assert not torch.equal(filters(), taught)


def test_a_source_goes_through_a_cross_validation() -> None:
    """Flags are divided as rows are: each fold learns from its own part of the source first."""
    X, y, _ = image(90, 0)
    model = ConvolutionalClassifier.quick(epochs=2, random_state=0)
    source = np.arange(90) < 45
    found = cross_validate(
        model, X, y, cv=3, params={"source": source}, error_score="raise", return_estimator=True
    )
    assert all(one.source_history_ for one in found["estimator"])


def test_a_source_without_a_label_is_refused() -> None:
    X, y, _ = image(40, 0)
    with pytest.raises(NetworkError, match=r"No row of the source has label 1; expected every label"):
        ConvolutionalClassifier.quick().fit(X, y, source=y == 0)
    with pytest.raises(NetworkError, match=r"source has shape \(3,\) .*expected \(40,\) bool"):
        ConvolutionalClassifier.quick().fit(X, y, source=[True, False, True])
