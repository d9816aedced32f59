"""A fitted estimator as layers: the arrays that a bundle holds and plain numpy computes with.

What is worth running live has such a form: linear models, networks over tables, the connectivity ensemble,
and the choice of columns in front of them.  Everything else predicts in studies only.
"""

from typing import Any

import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.feature_selection import SelectorMixin
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.pipeline import Pipeline
from sklearn.svm import LinearSVC
from sklearn.utils.validation import check_is_fitted

from models.errors import HemostreamError
from models.layers import Layer
from models.layers.columns import SelectColumns
from models.layers.linear import Linear, logits_of

LINEAR = (LinearDiscriminantAnalysis, LinearSVC, LogisticRegression, RidgeClassifier)
"""scikit-learn's linear classifiers, whose decision function is one of coefficients and intercepts."""


class NotExportable(HemostreamError):  # noqa: N818
    """A fitted estimator has no array form; the message says why."""


def layers_of(fitted: Any) -> tuple[Layer, ...]:
    """What a fitted estimator computes when it predicts.

    Parameters
    ----------
    fitted : estimator
        A classifier, a selector of columns, or a pipeline of them.

    Returns
    -------
    tuple of Layer
        A classifier's last one gives a logit for each of ``classes_``, in their order.  Of two labels, the
        second minus the first is the estimator's decision function.

    Raises
    ------
    NotExportable
        It has no array form.
    """
    check_is_fitted(fitted)
    if isinstance(fitted, Pipeline):
        steps = [step for _, step in fitted.steps if step not in (None, "passthrough")]
        return tuple(layer for step in steps for layer in layers_of(step))
    if (layers := getattr(fitted, "layers_", None)) is not None:
        return tuple(layers)
    if isinstance(fitted, SelectorMixin):
        return (SelectColumns(np.asarray(fitted.get_support(indices=True), dtype=np.int64)),)
    if isinstance(fitted, LINEAR):
        return (linear_of(fitted),)
    raise NotExportable(
        f"A fitted {type(fitted).__name__} is not exported; linear models, networks over tables, the "
        "connectivity ensemble and selectors of columns are. It predicts in studies only."
    )


def linear_of(fitted: Any) -> Linear:
    """The layer of one of scikit-learn's linear classifiers: it has coefficients and intercepts."""
    weights, bias = np.atleast_2d(fitted.coef_).T, np.atleast_1d(fitted.intercept_).astype(np.float64)
    bias = np.broadcast_to(bias, weights.shape[1:])  # one 0 for all where there is no intercept
    return Linear(logits_of(weights), logits_of(bias[np.newaxis])[0].copy())
