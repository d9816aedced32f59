"""Ridge regression in the tangent space at the training people's mean: the kind of connectivity that is best
on average over many data sets (Dadi et al. 2019, NeuroImage 192:115-134)."""

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from models.parts.kinds_average import TANGENT, KindsAverage, seen_from
from offline.studies.headline.members import whitening_of
from offline.studies.ridge_connectivity import RidgeConnectivity

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[Any]


class TangentRidge(ClassifierMixin, BaseEstimator):
    """`RidgeConnectivity` of matrices as seen from their mean over the people of training.

    Attributes
    ----------
    parts_ : (KindsAverage,)
        What it computes with.
    """

    def fit(self, X: Floats, y: Labels, *, site: Labels) -> "TangentRidge":
        """Fit; the penalty is chosen on training sites that are left out.

        Parameters
        ----------
        X : (n, n_regions (n_regions + 1) / 2) float64
            Shrunk correlation matrices, upper triangles with the diagonal.
        y : (n,) array
            Two labels.
        site : (n,) str
            Where each was recorded.
        """
        whitening = whitening_of(X)
        rows = seen_from(whitening, X)
        # What a masked region would have stands at the mean: it then says nothing.
        there = np.isfinite(rows)
        mean = np.where(there, rows, 0.0).sum(axis=0) / np.maximum(there.sum(axis=0), 1)
        ridge = RidgeConnectivity().fit(np.where(there, rows, mean), y, site=site)
        self.classes_ = ridge.classes_
        self.penalty_ = ridge.penalty_
        members = ((TANGENT, False),)
        self.parts_ = (
            KindsAverage(
                whitening, ridge.mean_, ridge.scale_, ridge.coef_, (TANGENT,), members, 1.0, ridge.intercept_
            ),
        )
        return self

    def decision_function(self, X: Floats) -> Floats:
        """Scores of people.

        Parameters
        ----------
        X : (n, n_regions (n_regions + 1) / 2) float64
            As fitted.

        Returns
        -------
        (n,) float64
            Above zero for the second label.
        """
        check_is_fitted(self, "parts_")
        logits = self.parts_[0](X)
        return np.asarray(logits[:, 1] - logits[:, 0])

    def predict(self, X: Floats) -> Labels:
        """Labels of people.

        Parameters
        ----------
        X : (n, n_regions (n_regions + 1) / 2) float64
            As fitted.

        Returns
        -------
        (n,) array
            Of the labels fitted.
        """
        return np.asarray(self.classes_[(self.decision_function(X) > 0).astype(int)])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags
