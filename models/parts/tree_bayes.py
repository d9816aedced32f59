"""Tree-augmented naive Bayes: columns in bins, each with the label and one other column as parents.

Friedman N, Geiger D, Goldszmidt M (1997). Bayesian network classifiers. Machine Learning 29:131-163.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.arrays import Floats


@dataclass(frozen=True, eq=False)
class TreeBayes:
    """Log of prior times probability of a row's bins, for each label.

    Parameters
    ----------
    edges : (n_columns, n_bins - 1) float64
        Between the bins of each column, ascending; a value on an edge is in the bin above.
    parent : (n_columns,) int64
        The column that each depends on beside the label; -1 for none.
    tables : (n_columns, n_labels, n_bins, n_bins) float64
        Log probability of a column's bin (last axis) given the label and the parent's bin; without a parent
        the same for all of the parent's bins.
    prior : (n_labels,) float64
        Log probability of each label.
    """

    edges: Floats
    parent: npt.NDArray[np.int64]
    tables: Floats
    prior: Floats

    def __call__(self, X: Floats) -> Floats:
        """(n, n_columns) float64 to logits (n, n_labels) float64."""
        bins = binned(X, self.edges)
        logits = np.tile(self.prior, (len(X), 1))
        for column, parent in enumerate(self.parent):
            above = bins[:, max(parent, 0)]
            logits += self.tables[column][:, above, bins[:, column]].T
        return logits


def binned(X: Floats, edges: Floats) -> npt.NDArray[np.int64]:
    """Bins of values.

    Parameters
    ----------
    X : (n, n_columns) float64
        Values.
    edges : (n_columns, n_bins - 1) float64
        Ascending.

    Returns
    -------
    (n, n_columns) int64
        From 0 to n_bins - 1.
    """
    return np.asarray((X[:, :, np.newaxis] >= edges).sum(axis=2), dtype=np.int64)
