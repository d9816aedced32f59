"""Classifiers of two labels that read a table before they look at labels."""

from abc import abstractmethod
from typing import Any, ClassVar, Self

import numpy as np

from models.arrays import Floats
from models.layers import Layer, run
from offline.estimators.base import Flags, GivenLabels, ScoreClassifier
from offline.estimators.ridge import Groups


class BinaryClassifier(ScoreClassifier):
    """A classifier of two labels, fitted to people of several sites, that predicts by its layers.

    Attributes
    ----------
    layers_ : (Layer,)
        What it computes with, for export; its logits are of the first and the second label.
    classes_ : (2,) array
        Labels.
    """

    decision_is_log_odds: ClassVar[bool] = False
    """Whether the decision function is; whoever puts several of two labels together needs to know."""

    layers_: tuple[Layer]

    def fit(self, X: Floats, y: GivenLabels, *, site: Groups) -> Self:
        """Fit to a table (n, n_columns) float64, two labels (n,) and where each was recorded, (n,) str."""
        return self.fit_read(self.read(X, site=site), y)

    @abstractmethod
    def read(self, X: Floats, *, site: Groups) -> Any:
        """What a fit does without looking at labels: a table (n, n_columns) float64 and sites, (n,) str."""

    def fit_read(self, reading: Any, y: GivenLabels) -> Self:
        """`fit` to people who were read: it serves any labels, (n,) array, of the same people."""
        self._fit_second(reading, self._second(y))
        return self

    @abstractmethod
    def _fit_second(self, reading: Any, second: Flags) -> None:
        """Make the layers of what was read and who has the second label, (n,) bool."""

    def logits_of_rows(self, X: Floats) -> Floats:
        """Logits (n, 2) float64 of rows (n, n_columns) float64, each predicted alone."""
        return run(self.layers_, X)

    def _second(self, y: GivenLabels) -> Flags:
        """Set the two labels, and give who has the second: (n,) bool."""
        self.classes_, which = np.unique(y, return_inverse=True)
        if (n := len(self.classes_)) != 2:
            # The first sentence is what scikit-learn's contract looks for.
            raise ValueError(
                "Only binary classification is supported. "
                f"y has {n} class{'' if n == 1 else 'es'}; expected two labels."
            )
        return np.asarray(which == 1)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags
