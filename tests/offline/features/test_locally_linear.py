"""Locally linear embedding is scikit-learn's, also for few people."""

import numpy as np
from sklearn.manifold import LocallyLinearEmbedding
from sklearn.utils.estimator_checks import check_estimator

from offline.features import LocallyLinear


def test_few_rows_are_embedded_in_as_many_dimensions_as_they_have() -> None:
    rows = np.random.default_rng(0).normal(size=(19, 40))
    few = LocallyLinear(n_components=20, n_neighbors=30).fit(rows)
    assert few.transform(rows).shape == (19, 18)
    assert LocallyLinear(n_components=5, n_neighbors=30).fit(rows).transform(rows).shape == (19, 5)


def test_locally_linear_is_scikit_learns() -> None:
    rng = np.random.default_rng(7)
    X, new = rng.normal(size=(60, 5)), rng.normal(size=(10, 5))
    ours = LocallyLinear(n_neighbors=8).fit(X)
    theirs = LocallyLinearEmbedding(n_neighbors=8, n_components=2, eigen_solver="dense").fit(X)
    np.testing.assert_allclose(ours.transform(new), theirs.transform(new), atol=1e-9)


def test_locally_linear_unrolls_a_roll() -> None:
    """People on a curved sheet: who was not there when it was made is placed by where on it they are."""
    rng = np.random.default_rng(8)
    turn = rng.uniform(1.5 * np.pi, 3.5 * np.pi, 900)
    X = np.stack([turn * np.cos(turn), 5 * rng.uniform(size=900), turn * np.sin(turn)], axis=1)
    places = LocallyLinear(n_components=1, n_neighbors=12).fit(X[:800]).transform(X[800:])[:, 0]
    order = np.argsort(np.argsort(places))
    assert abs(np.corrcoef(order, np.argsort(np.argsort(turn[800:])))[0, 1]) > 0.97


def test_locally_linear_passes_scikit_learns_checks() -> None:
    check_estimator(LocallyLinear(), on_skip=None)
