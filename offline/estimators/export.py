"""A fitted estimator as parts: the arrays that a bundle holds and plain numpy computes with."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.special import logit
from sklearn.base import is_classifier
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    GradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.feature_selection import SelectorMixin
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.validation import check_is_fitted

from models.errors import HemostreamError
from models.parts import Part
from models.parts.columns import SelectColumns, Standardise
from models.parts.gaussian import GaussianBayes
from models.parts.kernel import KernelMachine, Pairwise
from models.parts.layers import Layer, Linear, logits_of
from models.parts.prototypes import Neighbours
from offline.estimators.tree_tables import leaf_shares, tree_table

Parts = tuple[Part, ...]


class NotExportable(HemostreamError):  # noqa: N818
    """A fitted estimator has no array form here; the message says why."""


def parts_of(fitted: Any) -> Parts:
    """What a fitted estimator computes when it predicts.

    Parameters
    ----------
    fitted : estimator
        A classifier, a transformer, or a pipeline of them.

    Returns
    -------
    tuple of Part
        A classifier's last one gives a logit for each of ``classes_``, in their order.  Of two labels, the
        second minus the first is the estimator's decision function, or the log odds of its
        probabilities; of votes (forests, neighbours) half a vote is added to each label first.

    Raises
    ------
    NotExportable
        There is none; the message says why.
    """
    check_is_fitted(fitted)
    if isinstance(fitted, Pipeline):
        steps = [step for _, step in fitted.steps if step not in (None, "passthrough")]
        return tuple(part for step in steps for part in parts_of(step))
    if (parts := getattr(fitted, "parts_", None)) is not None:  # what answers through parts says so itself
        return tuple(parts)
    if isinstance(fitted, SelectorMixin):
        return (SelectColumns(np.asarray(fitted.get_support(indices=True), dtype=np.int64)),)
    for kind, convert in _FORMS.items():
        if type(fitted) is kind:
            return convert(fitted)
    what = "classifier" if is_classifier(fitted) else "step"
    known = ", ".join(sorted(kind.__name__ for kind in _FORMS))
    raise NotExportable(
        f"The {what} {type(fitted).__name__} has no array form; there is one for: {known}, "
        "every column selector, and the classifiers of this package."
    )


def _scaler(fitted: StandardScaler) -> Parts:
    n = fitted.n_features_in_
    mean = fitted.mean_ if fitted.with_mean else np.zeros(n)
    return (Standardise(np.asarray(mean), np.asarray(fitted.scale_ if fitted.with_std else np.ones(n))),)


def _components(fitted: PCA) -> Parts:
    turn = fitted.components_.T
    if fitted.whiten:
        turn = turn / np.sqrt(fitted.explained_variance_)
    return (Linear(turn, -fitted.mean_ @ turn),)


def _linear(fitted: Any) -> Parts:
    """Models that have coefficients and intercepts."""
    weights, bias = np.atleast_2d(fitted.coef_).T, np.atleast_1d(fitted.intercept_).astype(np.float64)
    bias = np.broadcast_to(bias, weights.shape[1:])  # one 0 for all where there is no intercept
    return (Linear(logits_of(weights), logits_of(bias[np.newaxis])[0].copy()),)


def _support_vectors(fitted: SVC) -> Parts:
    if fitted.kernel != "rbf":
        raise NotExportable(
            f"A support vector machine with kernel {fitted.kernel!r} has no array form here; expected 'rbf'."
        )
    vectors, gamma = np.asarray(fitted.support_vectors_), float(fitted._gamma)
    n_labels = len(fitted.classes_)
    if n_labels == 2:
        weights = logits_of(fitted.dual_coef_.T)
        return (KernelMachine(vectors, weights, logits_of(fitted.intercept_[np.newaxis])[0], gamma),)
    if fitted.decision_function_shape != "ovr" or fitted.break_ties:
        raise NotExportable(
            f"A support vector machine of {n_labels} labels has decision_function_shape="
            f"{fitted.decision_function_shape!r}, break_ties={fitted.break_ties}; expected 'ovr' and False."
        )
    # libsvm keeps, for each vector, its weight against every other label.
    ends = np.cumsum(fitted.n_support_)
    own = [slice(end - n, end) for end, n in zip(ends, fitted.n_support_, strict=True)]
    pairs = list(zip(*np.triu_indices(n_labels, 1), strict=True))
    weights = np.zeros((len(vectors), len(pairs)))
    for p, (i, j) in enumerate(pairs):
        weights[own[i], p] = fitted.dual_coef_[j - 1, own[i]]
        weights[own[j], p] = fitted.dual_coef_[i, own[j]]
    return (KernelMachine(vectors, weights, np.asarray(fitted.intercept_), gamma), Pairwise(n_labels))


def _naive_bayes(fitted: GaussianNB) -> Parts:
    constant = np.log(fitted.class_prior_) - 0.5 * np.log(2.0 * np.pi * fitted.var_).sum(axis=1)
    return (GaussianBayes(fitted.theta_, 1.0 / np.sqrt(fitted.var_), constant),)


def _quadratic(fitted: QuadraticDiscriminantAnalysis) -> Parts:
    widths = {len(scaling) for scaling in fitted.scalings_}
    if len(widths) > 1:
        raise NotExportable(
            f"The labels' covariances have {sorted(widths)} axes; expected as many for each. "
            "Use solver='eigen'."
        )
    whitening = np.stack(
        [turn / np.sqrt(size) for turn, size in zip(fitted.rotations_, fitted.scalings_, strict=True)]
    )
    constant = np.log(fitted.priors_) - 0.5 * np.array([np.log(size).sum() for size in fitted.scalings_])
    return (GaussianBayes(np.asarray(fitted.means_), whitening, constant),)


def _neighbours(fitted: KNeighborsClassifier) -> Parts:
    if fitted.weights != "uniform" or fitted.effective_metric_ != "euclidean":
        raise NotExportable(
            f"Neighbours with weights {fitted.weights!r}, metric {fitted.effective_metric_!r} have no array "
            "form here; expected 'uniform' and 'euclidean'."
        )
    vectors, label = np.asarray(fitted._fit_X, dtype=np.float64), np.asarray(fitted._y, dtype=np.int64)
    return (Neighbours(vectors, label, int(fitted.n_neighbors), len(fitted.classes_)),)


def _perceptron(fitted: MLPClassifier) -> Parts:
    if fitted.activation not in ("relu", "tanh", "logistic"):
        raise NotExportable(
            f"A perceptron with activation {fitted.activation!r} has no array form here; "
            "expected relu, tanh or logistic."
        )
    *hidden, last = zip(fitted.coefs_, fitted.intercepts_, strict=True)
    layers: list[Part] = [Layer(weights, bias, fitted.activation) for weights, bias in hidden]
    return (*layers, Linear(logits_of(last[0]), logits_of(last[1][np.newaxis])[0]))


def _forest(fitted: RandomForestClassifier) -> Parts:
    return _mean_of(
        [tree.tree_ for tree in fitted.estimators_], [leaf_shares(tree.tree_) for tree in fitted.estimators_]
    )


def _tree(fitted: DecisionTreeClassifier) -> Parts:
    return _mean_of([fitted.tree_], [leaf_shares(fitted.tree_)])


def _bagged(fitted: BaggingClassifier) -> Parts:
    shares = []
    for tree in fitted.estimators_:
        if type(tree) is not DecisionTreeClassifier:
            raise NotExportable(f"Bagging of {type(tree).__name__} has no array form here; expected trees.")
        # A bootstrap may have missed a label.
        share = np.zeros((tree.tree_.node_count, len(fitted.classes_)))
        share[:, tree.classes_.astype(np.intp)] = leaf_shares(tree.tree_)
        shares.append(share)
    return _mean_of([tree.tree_ for tree in fitted.estimators_], shares, fitted.estimators_features_)


def _mean_of(trees: Sequence[Any], shares: Sequence[Any], columns: Sequence[Any] | None = None) -> Parts:
    n = len(trees)
    return (tree_table(trees, [share / n for share in shares], columns=columns, least=0.5 / n),)


def _boosted_stumps(fitted: AdaBoostClassifier) -> Parts:
    n_labels = len(fitted.classes_)
    values = []
    for tree, weight in zip(fitted.estimators_, fitted.estimator_weights_, strict=False):
        if type(tree) is not DecisionTreeClassifier:
            raise NotExportable(f"Boosting of {type(tree).__name__} has no array form here; expected trees.")
        said = tree.classes_[leaf_shares(tree.tree_).argmax(axis=1)]
        vote = np.where(said[:, np.newaxis] == fitted.classes_, 1.0, -1.0 / (n_labels - 1))
        values.append(vote * weight / fitted.estimator_weights_.sum())
    # Of two labels scikit-learn adds both votes; so does the second minus the first.
    return (tree_table([tree.tree_ for tree in fitted.estimators_], values),)


def _boosted_trees(fitted: GradientBoostingClassifier) -> Parts:
    if fitted.init is not None and fitted.init != "zero":
        raise NotExportable(
            "Boosted trees that start from another estimator have no array form here; expected init=None."
        )
    if fitted.loss != "log_loss":
        raise NotExportable(
            f"Boosted trees with the loss {fitted.loss!r} have no array form here; expected 'log_loss'."
        )
    n_scores = fitted.estimators_.shape[1]
    trees, values = [], []
    for stage in fitted.estimators_:
        for k, tree in enumerate(stage):
            score = np.zeros((tree.tree_.node_count, n_scores))
            score[:, k] = fitted.learning_rate * tree.tree_.value[:, 0, 0]
            trees.append(tree.tree_)
            values.append(logits_of(score))
    start = np.zeros(n_scores)
    if fitted.init is None:
        prior = fitted.init_.class_prior_
        start = logit(prior[1:]) if n_scores == 1 else np.log(prior) - np.log(prior).mean()
    return (tree_table(trees, values, start=logits_of(start[np.newaxis])[0]),)


_FORMS: dict[type, Callable[[Any], Parts]] = {
    AdaBoostClassifier: _boosted_stumps,
    BaggingClassifier: _bagged,
    DecisionTreeClassifier: _tree,
    GaussianNB: _naive_bayes,
    GradientBoostingClassifier: _boosted_trees,
    KNeighborsClassifier: _neighbours,
    LinearDiscriminantAnalysis: _linear,
    LinearSVC: _linear,
    LogisticRegression: _linear,
    MLPClassifier: _perceptron,
    PCA: _components,
    QuadraticDiscriminantAnalysis: _quadratic,
    RandomForestClassifier: _forest,
    RidgeClassifier: _linear,
    SVC: _support_vectors,
    StandardScaler: _scaler,
}
