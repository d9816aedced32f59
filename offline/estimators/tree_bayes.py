"""Tree-augmented naive Bayes: which column depends on which, and how, learnt by counting.

Friedman N, Geiger D, Goldszmidt M (1997). Bayesian network classifiers. Machine Learning 29:131-163; the tree
after Chow C, Liu C (1968). IEEE Transactions on Information Theory 14:462-467.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree

from models.arrays import Floats
from offline.estimators.base import Labels, TableError

SMOOTHING = 5.0
"""Rows that every count is given beforehand, in proportions that no parent has a say in (the paper's)."""


@dataclass(frozen=True, eq=False)
class TreeBayes:
    """Log of prior times probability of a row's bins, for each label."""

    edges: Floats  # (n_columns, n_bins - 1), ascending: a value on an edge is in the bin above
    parent: npt.NDArray[np.int64]  # (n_columns,): what each depends on beside the label; -1 for none
    # Log probability of a column's bin (last axis) given the label and the parent's bin; without a parent the
    # same for all of the parent's bins.
    tables: Floats  # (n_columns, n_labels, n_bins, n_bins)
    prior: Floats  # (n_labels,): log probability of each label

    def __call__(self, X: Floats) -> Floats:
        """(n, n_columns) float64 to logits (n, n_labels) float64."""
        bins = binned(X, self.edges)
        logits = np.tile(self.prior, (len(X), 1))
        for column, parent in enumerate(self.parent):
            above = bins[:, max(parent, 0)]
            logits += self.tables[column][:, above, bins[:, column]].T
        return logits


def binned(X: Floats, edges: Floats) -> npt.NDArray[np.int64]:
    """Bins (n, n_columns) int64 of values (n, n_columns) float64; edges are (n_columns, n_bins - 1)."""
    return np.asarray((X[:, :, np.newaxis] >= edges).sum(axis=2), dtype=np.int64)


def fit_tree_bayes(
    X: Floats, y: Labels, n_labels: int, *, n_bins: int = 3, smoothing: float = SMOOTHING
) -> TreeBayes:
    """Bins, the tree of greatest dependence, and its tables; labels weigh the same.

    Of rows (n, n_columns) float64 and labels (n,) int64 from 0; a column's bins have about as many rows each.
    """
    if n_bins < 2 or smoothing <= 0:
        raise TableError(f"{n_bins} bins, smoothing {smoothing}; expected at least 2, and more than 0.")
    edges = edges_of(X, n_bins)
    bins = binned(X, edges)
    weight = len(y) / n_labels / np.bincount(y, minlength=n_labels)[y]
    ones = (bins[:, :, np.newaxis] == np.arange(n_bins)).astype(np.float64)  # (n, n_columns, n_bins)
    label = (y[:, np.newaxis] == np.arange(n_labels)) * weight[:, np.newaxis]  # (n, n_labels)
    # Weighted rows of each label with bin a of column i and bin b of column j.
    pairs = np.stack([np.einsum("nia,njb,n->iajb", ones, ones, own, optimize=True) for own in label.T])
    parent = tree_of(dependence(pairs))
    tables = np.empty((X.shape[1], n_labels, n_bins, n_bins))
    for column, above in enumerate(parent):
        alone = np.einsum("lbb->lb", pairs[:, column, :, column, :])  # (n_labels, n_bins)
        overall = alone.sum(axis=0) + 1.0
        start = smoothing * overall / overall.sum()
        own = (alone + start) / (alone + start).sum(axis=1, keepdims=True)
        if above < 0:
            tables[column] = np.log(own)[:, np.newaxis, :]
            continue
        counts = pairs[:, above, :, column, :] + smoothing * own[:, np.newaxis, :]  # (labels, above, own)
        tables[column] = np.log(counts / counts.sum(axis=2, keepdims=True))
    return TreeBayes(edges, parent, tables, np.full(n_labels, -np.log(n_labels)))


def edges_of(X: Floats, n_bins: int) -> Floats:
    """Edges between bins of about as many rows each, never on a value: its last digit must not decide.

    Of rows (n, n_columns) float64, (n_columns, n_bins - 1) float64: halfway between two neighbouring values;
    a little below them where they are the same.
    """
    ordered = np.sort(X, axis=0)
    above = np.clip(len(X) * np.arange(1, n_bins) // n_bins, 1, len(X) - 1)
    low, high = ordered[above - 1], ordered[above]  # (n_bins - 1, n_columns)
    least = 1e-9 * np.abs(X).max(axis=0)
    return np.asarray(np.where(high - low > 2 * least, 0.5 * (low + high), high - least).T)


def dependence(pairs: Floats) -> Floats:
    """Mutual information of two columns given the label, (n_columns, n_columns) float64, nats.

    ``pairs``, (n_labels, n_columns, n_bins, n_columns, n_bins) float64, are weighted rows of each label with
    a bin of one column and a bin of another.
    """
    total = pairs[:, 0, :, 0, :].sum()
    both = pairs / total
    alone = np.einsum("liaia->lia", both)  # (n_labels, n_columns, n_bins)
    label = alone[:, 0].sum(axis=1)[:, np.newaxis, np.newaxis, np.newaxis, np.newaxis]
    apart = alone[:, :, :, np.newaxis, np.newaxis] * alone[:, np.newaxis, np.newaxis]
    there = both > 0
    ratio = np.where(there, both * label / np.where(there, apart, 1.0), 1.0)
    return np.asarray((both * np.log(ratio)).sum(axis=(0, 2, 4)))


def tree_of(strength: Floats) -> npt.NDArray[np.int64]:
    """Parent of each column, (n_columns,) int64, in the spanning tree of greatest total strength.

    The first column is the root, and has -1; strengths (n_columns, n_columns) float64 are symmetric, not
    negative.
    """
    spanning = minimum_spanning_tree(-1.0 - strength)  # a weight of zero would be no edge
    _, parent = breadth_first_order(spanning, 0, directed=False)
    return np.where(parent < 0, -1, parent).astype(np.int64)
