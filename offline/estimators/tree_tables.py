"""scikit-learn's fitted trees as one table of nodes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from models.parts.trees import Trees


def tree_table(
    trees: Sequence[Any],
    values: Sequence[Floats],
    *,
    columns: Sequence[npt.NDArray[np.integer[Any]]] | None = None,
    start: Floats | None = None,
    least: float = 0.0,
) -> Trees:
    """One part of many trees.

    Parameters
    ----------
    trees : sequence of sklearn.tree._tree.Tree
        Fitted ones.
    values : sequence of (n_nodes, n_labels) float64
        What each tree's nodes add.
    columns : sequence of (n_columns_of_tree,) int64, or None
        Which columns of the table a tree's own stand for; None: it saw them all.
    start : (n_labels,) float64 or None
        What all rows begin with; None is 0.
    least : float
        As `models.parts.trees.Trees` has it.
    """
    roots = np.cumsum([0] + [tree.node_count for tree in trees[:-1]])
    column, left, right = [], [], []
    for k, (tree, root) in enumerate(zip(trees, roots, strict=True)):
        inner = tree.children_left >= 0
        named = (
            np.where(inner, tree.feature, 0)
            if columns is None
            else columns[k][np.where(inner, tree.feature, 0)]
        )
        column.append(np.where(inner, named, -1))
        left.append(np.where(inner, tree.children_left + root, -1))
        right.append(np.where(inner, tree.children_right + root, -1))
    value = np.concatenate(values)
    return Trees(
        roots.astype(np.int64),
        np.concatenate(column).astype(np.int64),
        np.concatenate([tree.threshold for tree in trees]).astype(np.float64),
        np.concatenate(left).astype(np.int64),
        np.concatenate(right).astype(np.int64),
        value,
        np.zeros(value.shape[1]) if start is None else start,
        least,
    )


def leaf_shares(tree: Any) -> Floats:
    """Of a classification tree, each label's share in every node.

    Parameters
    ----------
    tree : sklearn.tree._tree.Tree
        Fitted.

    Returns
    -------
    (n_nodes, n_labels) float64
        Rows add up to 1.
    """
    counts = tree.value[:, 0, :]
    return np.asarray(counts / counts.sum(axis=1, keepdims=True))
