"""What the binary linear models have in common: a layer that computes, and how it predicts."""

from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from models.arrays import Floats
from models.layers import Layer
from offline.estimators.base import Flags, GivenLabels


class BinaryClassifier(ClassifierMixin, BaseEstimator):
    """A classifier whose scores are those of its only layer.

    Attributes
    ----------
    layers_ : (Layer,)
        What it computes with; its logits are of the first and the second label.
    classes_ : (2,) array
        Labels.
    """

    decision_is_log_odds: ClassVar[bool] = False
    """Which whoever puts several of two labels together needs to know."""

    layers_: tuple[Layer]
    classes_: GivenLabels

    def decision_function(self, X: Floats) -> Floats:
        """Scores of people, each predicted alone.

        Parameters
        ----------
        X : (n, n_columns) float64
            As fitted.

        Returns
        -------
        (n,) float64
            Above zero for the second label.
        """
        check_is_fitted(self)
        logits = self.layers_[0](self._table(X))
        return np.asarray(logits[:, 1] - logits[:, 0])

    def predict(self, X: Floats) -> GivenLabels:
        """Labels of people.

        Parameters
        ----------
        X : (n, n_columns) float64
            As fitted.

        Returns
        -------
        (n,) array
            Of the labels fitted.
        """
        second = self.decision_function(X) > 0
        return np.asarray(self.classes_[second.astype(int)])

    def _second(self, y: GivenLabels) -> Flags:
        """Note the two labels, and say who has the second: (n,) bool.

        Raises
        ------
        ValueError
            There are not two.
        """
        self.classes_, which = np.unique(y, return_inverse=True)
        if (n := len(self.classes_)) != 2:
            # The first sentence is what scikit-learn's contract looks for.
            raise ValueError(
                "Only binary classification is supported. "
                f"y has {n} class{'' if n == 1 else 'es'}; expected two labels."
            )
        return np.asarray(which == 1)

    def _table(self, X: Floats) -> Floats:
        return X

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags
