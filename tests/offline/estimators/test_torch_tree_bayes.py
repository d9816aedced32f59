"""The tree finds dependence that naive Bayes cannot use, and counts as it should."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import mutual_info_score, roc_auc_score

from offline.estimators.base import TableError
from offline.estimators.torch_channels import channel_of
from offline.estimators.tree_bayes import TreeBayes, binned, dependence, edges_of, fit_tree_bayes, tree_of


def agreeing(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Columns 1 and 3 agree for one label and disagree for the other; each alone says nothing."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    X = rng.normal(size=(n, 5))
    X[:, 3] = np.where(y == 1, 1, -1) * X[:, 1] + 0.5 * rng.normal(size=n)
    return X, y


def test_a_planted_dependence_is_found_and_used() -> None:
    X, y = agreeing(600, 0)
    tree = fit_tree_bayes(X, y, 2, n_bins=4)
    assert tree.parent[3] == 1 or tree.parent[1] == 3
    new, truth = agreeing(2000, 1)
    odds = np.diff(tree(new), axis=1)[:, 0]
    # The log odds of the truth: column 3 is Gaussian about plus or minus column 1.
    best = roc_auc_score(truth, new[:, 1] * new[:, 3])
    assert best > 0.9
    assert roc_auc_score(truth, odds) > best - 0.05
    alone = fit_tree_bayes(X[:, [0, 1, 2]], y, 2)
    assert roc_auc_score(truth, np.diff(alone(new[:, [0, 1, 2]]), axis=1)[:, 0]) < 0.57


@given(st.integers(0, 10_000), st.integers(2, 6))
@settings(max_examples=25, deadline=None)
def test_the_tree_is_the_strongest_of_all(seed: int, n: int) -> None:
    """Against Kruskal's way, which takes the strongest edge that closes no circle."""
    rng = np.random.default_rng(seed)
    strength = rng.random((n, n))
    strength = strength + strength.T
    parent = tree_of(strength)
    assert parent[0] == -1
    assert (parent[1:] >= 0).all()
    part = np.arange(n)
    total = 0.0
    for i, j in sorted(zip(*np.triu_indices(n, 1), strict=True), key=lambda ij: -strength[ij]):
        if part[i] != part[j]:
            total += strength[i, j]
            part[part == part[i]] = part[j]
    assert strength[np.arange(1, n), parent[1:]].sum() == pytest.approx(total)


def test_dependence_is_mutual_information_given_the_label() -> None:
    rng = np.random.default_rng(0)
    bins, y = rng.integers(0, 3, (500, 3)), rng.integers(0, 2, 500)
    bins[:, 2] = np.where(y == 1, bins[:, 0], bins[:, 2])
    ones = (bins[:, :, None] == np.arange(3)).astype(float)
    pairs = np.stack([np.einsum("nia,njb->iajb", ones[y == k], ones[y == k]) for k in (0, 1)])
    found = dependence(pairs)
    for i in range(3):
        for j in range(3):
            each = [(y == k).mean() * mutual_info_score(bins[y == k, i], bins[y == k, j]) for k in (0, 1)]
            assert found[i, j] == pytest.approx(sum(each), abs=1e-12)


def test_tables_are_probabilities_and_the_root_has_no_parent() -> None:
    X, y = agreeing(100, 2)
    tree = fit_tree_bayes(X, y, 2)
    np.testing.assert_allclose(np.exp(tree.tables).sum(axis=3), 1.0)
    np.testing.assert_allclose(tree.tables[0][:, :1], tree.tables[0][:, 1:2])
    np.testing.assert_allclose(np.exp(tree.prior), 0.5)


def test_bins_hold_about_as_many_rows_and_no_value_lies_on_an_edge() -> None:
    X = np.column_stack([np.arange(10.0), np.full(10, 0.3), np.repeat([0.0, 1.0], 5)])
    edges = edges_of(X, 2)
    assert edges[0].tolist() == [4.5]
    assert np.bincount(binned(X, edges)[:, 2]).tolist() == [5, 5]
    # The last digit of a value that everybody has decides nothing.
    nudged = X * (1.0 + 1e-15 * np.array([1.0, -1.0] * 5)[:, None])
    np.testing.assert_array_equal(binned(nudged, edges), binned(X, edges))
    with pytest.raises(TableError, match="1 bins"):
        fit_tree_bayes(X, np.arange(10) % 2, 2, n_bins=1)


def test_channels_are_neighbours_as_equal_as_can_be_or_what_is_said() -> None:
    assert channel_of(3, 7).tolist() == [0, 0, 0, 1, 1, 2, 2]
    assert channel_of(4, 2).tolist() == [0, 1]
    assert channel_of([1, 0, 1], 3).tolist() == [1, 0, 1]


def test_a_tree_multiplies_what_its_tables_say() -> None:
    """Two binary columns, the second's bin given by the first's for one label only."""
    tables = np.log(
        [[[[0.5, 0.5]] * 2, [[0.5, 0.5]] * 2], [[[0.5, 0.5], [0.5, 0.5]], [[0.9, 0.1], [0.1, 0.9]]]]
    )
    tree = TreeBayes(np.zeros((2, 1)), np.array([-1, 0]), tables, np.log([0.25, 0.75]))
    found = np.exp(tree(np.array([[1.0, 1.0], [1.0, -1.0]])))
    np.testing.assert_allclose(found, [[0.25 * 0.25, 0.75 * 0.45], [0.25 * 0.25, 0.75 * 0.05]])
