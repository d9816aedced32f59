"""Each learner by what its paper says of it: gradients, evidence, sparsity, rules it must learn."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime, check_grad
from sklearn.linear_model import BayesianRidge
from sklearn.model_selection import cross_val_score

from offline.estimators.bayesian_least_squares import fit_bayesian
from offline.estimators.cascade import FullyConnectedCascade, _Shape, forward
from offline.estimators.extreme_learning import ExtremeLearningMachine
from offline.estimators.learning_vector import LearningVectorQuantisation, _errors
from offline.estimators.relevance_vector import RelevanceVectorMachine, sparse_logistic
from offline.estimators.rotation_forest import RotationForest


def exclusive_or(seed: int, n: int = 200):
    """Two columns, neither of which says anything alone."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(-1.5, 1.5, (n, 2))
    return X, (X[:, 0] * X[:, 1] > 0).astype(int)


@pytest.mark.parametrize(
    "learner",
    [
        ExtremeLearningMachine(100, random_state=0),
        FullyConnectedCascade(3, random_state=0),
        LearningVectorQuantisation(4, random_state=0),
        RelevanceVectorMachine(gamma=1.0),
        RotationForest(random_state=0),
    ],
    ids=lambda one: type(one).__name__,
)
def test_it_learns_what_no_linear_model_can(learner) -> None:
    X, y = exclusive_or(0)
    new, truth = exclusive_or(1)
    assert (learner.fit(X, y).predict(new) == truth).mean() > 0.9


@pytest.mark.parametrize("n_out", [1, 3])
def test_a_cascade_s_derivatives_are_those_of_its_errors(n_out: int) -> None:
    rng = np.random.default_rng(0)
    shape = _Shape(3, 4, n_out)
    inputs, target = rng.normal(size=(5, 3)), rng.choice([-1.0, 1.0], (5, n_out))
    weights = rng.normal(size=shape.n_weights)
    numeric = approx_fprime(weights, lambda w: shape.residuals(w, inputs, target)[0], 1e-7)
    np.testing.assert_allclose(shape.residuals(weights, inputs, target)[1], numeric, atol=1e-5)


def test_every_neuron_sees_the_inputs_and_all_earlier_neurons_and_no_later_one() -> None:
    shape = _Shape(2, 3, 1)
    hidden, _ = shape.unpacked(np.ones(shape.n_weights))
    assert hidden.astype(int).tolist() == [[1, 1, 1, 0, 0, 0], [1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 0]]
    view = forward(np.array([[0.5, -1.0]]), hidden)
    first = np.tanh(0.5)
    assert view[0, 3:5] == pytest.approx([first, np.tanh(0.5 + first)])


def test_the_evidence_of_a_linear_model_is_found_as_others_find_it() -> None:
    """On a linear model Bayesian regularisation is MacKay's evidence for ridge regression."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(80, 12))
    t = X @ (rng.normal(size=12) * 0.3) + rng.normal(size=80)
    found = fit_bayesian(lambda w: (t - X @ w, -X), np.zeros(12) + 0.01, max_iter=500, tol=1e-12)
    theirs = BayesianRidge(
        fit_intercept=False, alpha_1=0, alpha_2=0, lambda_1=0, lambda_2=0, tol=1e-10, max_iter=5000
    ).fit(X, t)
    np.testing.assert_allclose(found.weights, theirs.coef_, atol=2e-3)
    size = np.linalg.eigvalsh(X.T @ X)
    expected = (theirs.alpha_ * size / (theirs.alpha_ * size + theirs.lambda_)).sum()
    assert found.effective == pytest.approx(expected, abs=0.05)


def test_noise_leaves_a_cascade_few_effective_weights() -> None:
    rng = np.random.default_rng(2)
    X, y = rng.normal(size=(200, 10)), np.arange(200) % 2
    noise = FullyConnectedCascade(random_state=0).fit(X, y)
    signal = FullyConnectedCascade(random_state=0).fit(X + 1.0 * y[:, None], y)
    assert noise.effective_weights_ < 0.4 * _Shape(10, 4, 1).n_weights
    assert np.abs(noise.decision_function(X)).mean() < np.abs(signal.decision_function(X)).mean()


def test_prototypes_move_down_the_gradient() -> None:
    rng = np.random.default_rng(3)
    X, y = rng.normal(size=(20, 3)), np.arange(20) % 2
    label_of = np.array([0, 0, 1, 1])
    start = rng.normal(size=12)
    wrong = check_grad(
        lambda w: _errors(w, X, y, label_of, 3.0)[0], lambda w: _errors(w, X, y, label_of, 3.0)[1], start
    )
    assert wrong < 1e-6


def test_few_people_are_relevant() -> None:
    """Tipping: far fewer vectors than a support vector machine keeps, at no loss."""
    rng = np.random.default_rng(4)
    y = np.arange(300) % 2
    X = rng.normal(size=(300, 2)) + 2.0 * y[:, None]
    fitted = RelevanceVectorMachine(gamma=0.5).fit(X, y)
    assert 1 <= len(fitted.relevance_) <= 15
    assert fitted.n_iter_ < fitted.max_iter
    assert cross_val_score(RelevanceVectorMachine(gamma=0.5), X, y, cv=3).mean() > 0.88


def test_the_relevance_of_noise_is_none() -> None:
    rng = np.random.default_rng(5)
    fitted = RelevanceVectorMachine().fit(rng.normal(size=(100, 5)), np.arange(100) % 2)
    assert np.abs(fitted.decision_function(rng.normal(size=(50, 5)))).mean() < 1.0


def test_nothing_left_out_would_raise_the_marginal_likelihood() -> None:
    """Where it stops, no basis function that is left out is worth adding, from the definitions alone."""
    rng = np.random.default_rng(6)
    basis = np.concatenate([np.ones((40, 1)), rng.normal(size=(40, 6))], axis=1)
    positive = basis[:, 1] - 0.5 * basis[:, 2] + rng.logistic(size=40) > 0
    weights, _ = sparse_logistic(basis, positive, 200, 1e-8)
    assert weights[1] > 0
    assert (weights == 0).any()
    kept = np.flatnonzero(weights)
    # At the mode the gradient of the likelihood is the prior's pull, which shrinks and never pushes.
    residual = positive - 1.0 / (1.0 + np.exp(-basis @ weights))
    pull = basis.T @ residual
    assert np.all(pull[kept] * weights[kept] >= -1e-6)
    curvature = (positive - residual) * (1 - (positive - residual))
    prior = np.zeros(len(kept)) + pull[kept] / weights[kept]
    hessian = (basis[:, kept] * curvature[:, None]).T @ basis[:, kept] + np.diag(prior)
    shared = basis.T @ (curvature[:, None] * basis[:, kept])
    S = curvature @ np.square(basis) - np.sum((shared @ np.linalg.inv(hessian)) * shared, axis=1)
    left = np.setdiff1d(np.arange(7), kept)
    assert np.all(np.square(pull[left]) <= S[left] + 1e-6)


def test_a_rotation_forest_loses_nothing_in_turning() -> None:
    """All axes are kept: the turned columns are the columns, seen from elsewhere."""
    rng = np.random.default_rng(7)
    X, y = rng.normal(size=(60, 7)), np.arange(60) % 2
    turn = RotationForest()._turn(X, y, np.random.RandomState(0))
    np.testing.assert_allclose(turn.T @ turn, np.eye(7), atol=1e-12)
    assert (np.count_nonzero(turn, axis=0) <= 3).all()
