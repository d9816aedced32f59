"""What all torch estimators promise: scikit-learn's checks, one result a seed, nothing left changed."""

import json
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.utils.estimator_checks import check_estimator

from models.layers import run
from models.layers.base import from_arrays, to_arrays
from offline.estimators import NotExportable, layers_of
from offline.estimators.base import TableError
from offline.estimators.deep_bayesian import DeepBayesianClassifier
from offline.estimators.torch_cnn import ConvolutionalClassifier
from offline.estimators.torch_deep_belief import DeepBeliefClassifier
from offline.estimators.torch_fusion import NaiveBayesFusion
from offline.estimators.torch_mixture import MixtureOfExpertsClassifier
from offline.estimators.torch_stacked_autoencoder import StackedAutoEncoderClassifier
from tests.offline.estimators.planted import CLASSIFIERS, planted


def fit(name: str, seed: int = 0) -> tuple[Any, np.ndarray]:
    X, y, _ = planted(90, 21, 1.0, 5)
    return clone(CLASSIFIERS[name]).set_params(random_state=seed).fit(X, y), X


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_passes_scikit_learns_checks(name: str) -> None:
    """All of them: there is no expected failure."""
    check_estimator(CLASSIFIERS[name], on_skip=None)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_one_seed_gives_one_result_whatever_was_drawn_before(name: str) -> None:
    def numbers(seed: int) -> np.ndarray:
        made, X = fit(name, seed)
        return np.asarray(made.logits(X))

    first = numbers(1)
    torch.manual_seed(99)
    np.random.default_rng(99)
    np.random.seed(99)
    np.testing.assert_array_equal(numbers(1), first)
    assert not np.array_equal(numbers(2), first)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_leaves_the_generators_and_the_threads_as_they_were(name: str) -> None:
    before = torch.get_rng_state(), np.random.get_state()[1].copy(), torch.get_num_threads()
    fit(name)
    assert torch.equal(torch.get_rng_state(), before[0])
    np.testing.assert_array_equal(np.random.get_state()[1], before[1])
    assert torch.get_num_threads() == before[2]
    assert not torch.are_deterministic_algorithms_enabled()


EXPORTED = {
    **{name: CLASSIFIERS[name] for name in ("stacked_autoencoder", "deep_belief")},
    **{
        arrangement: ConvolutionalClassifier(arrangement, filters=3, hidden=5, epochs=3)
        for arrangement in ("image", "matrix")
    },
}


@pytest.mark.parametrize("name", EXPORTED)
def test_exported_layers_predict_what_torch_predicts(name: str) -> None:
    """And come back the same from arrays and JSON."""
    X, y, _ = planted(90, 21, 1.0, 5)
    made = clone(EXPORTED[name]).set_params(random_state=0).fit(X, y)
    again = []
    for layer in layers_of(made):
        arrays, settings = to_arrays(layer)
        again.append(from_arrays(type(layer), arrays, json.loads(json.dumps(settings))))
    np.testing.assert_allclose(run(again, X), made.logits(X), atol=1e-12)


@pytest.mark.parametrize("name", ["mixture", "fusion", "deep_bayesian"])
def test_what_is_not_exported_is_refused(name: str) -> None:
    with pytest.raises(NotExportable, match="is not exported"):
        layers_of(fit(name)[0])


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_what_it_says_of_one_person_does_not_depend_on_the_others(name: str) -> None:
    made, X = fit(name)
    together = made.logits(X)
    alone = np.concatenate([made.logits(X[i : i + 1]) for i in range(20)])
    np.testing.assert_allclose(alone, together[:20], atol=1e-9)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (StackedAutoEncoderClassifier(corruption=1.0), "corruption is 1.0; expected a share"),
        (MixtureOfExpertsClassifier(epochs=0), "0 epochs, .* expected at least one epoch"),
        (DeepBeliefClassifier(validation_fraction=1.0), r"1\.0 of the rows held out"),
        (DeepBayesianClassifier(channels=[0, 2] * 4), r"channels are \[0, 2\]; expected 0, 1, 2"),
        (DeepBayesianClassifier(channels=[0, 1]), r"shape \(2,\) .*expected \(8,\)"),
        (DeepBayesianClassifier(2, hidden=(3,), pretraining_epochs=1, epochs=1, n_bins=1), "1 bins"),
        (NaiveBayesFusion(channels=0), "channels is 0; expected at least 1"),
        (NaiveBayesFusion(n_folds=1), "1 folds, .*expected at least 2"),
        (MixtureOfExpertsClassifier(learning_rate=1e30, epochs=3), "Lower the learning rate"),
    ],
)
def test_settings_that_cannot_be_are_refused(made: Any, said: str) -> None:
    X, y, _ = planted(40, 8, 1.0, 0)
    with pytest.raises(TableError, match=said):
        made.fit(X, y)


def test_ctrl_c_ends_a_fit_and_is_not_taken_for_early_stopping(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("torch.optim.AdamW.step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fit("mixture")
    X, y, _ = planted(40, 8, 1.0, 0)
    with pytest.raises(KeyboardInterrupt):  # in its last epoch too
        MixtureOfExpertsClassifier(2, epochs=1).fit(X, y)


def test_labels_weigh_the_same_however_rare() -> None:
    """Nine of ten rows have the first label, and nothing tells them apart: the odds are about even."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(300, 3)), (np.arange(300) % 10 == 0).astype(int)
    made = MixtureOfExpertsClassifier(2, hidden=2, epochs=30, weight_decay=1.0, random_state=0).fit(X, y)
    assert abs(made.predict_proba(X)[:, 1].mean() - 0.5) < 0.1
