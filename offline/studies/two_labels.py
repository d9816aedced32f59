"""What the linear models of two labels have in common: a part that computes, and how it is asked."""

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from models.arrays import Floats
from models.parts import Part
from offline.studies.dual import Labels


class TwoLabels(ClassifierMixin, BaseEstimator):
    """A classifier whose scores are those of its only part.

    Attributes
    ----------
    parts_ : (Part,)
        What it computes with; its logits are of the first and the second label.
    classes_ : (2,) array
        Labels.
    """

    decision_is_log_odds: ClassVar[bool] = False
    """Which whoever puts several of two labels together needs to know."""

    parts_: tuple[Part]
    classes_: Labels

    def decision_function(self, X: Floats) -> Floats:
        """Scores of people, each judged alone.

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
        logits = self.parts_[0](self._table(X))
        return np.asarray(logits[:, 1] - logits[:, 0])

    def predict(self, X: Floats) -> Labels:
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

    def _second(self, y: Labels) -> npt.NDArray[np.bool_]:
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
