"""The eighteen classifiers of the review's consensus, each by a name and with its settings.

Settings are for a few hundred people and a few hundred columns.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import numpy.typing as npt
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    GradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

from models.arrays import Floats
from offline.estimators.base import LogitClassifier, TableError, labelled
from offline.estimators.cascade import FullyConnectedCascade
from offline.estimators.extreme_learning import ExtremeLearningMachine
from offline.estimators.learning_vector import LearningVectorQuantisation
from offline.estimators.relevance_vector import RelevanceVectorMachine
from offline.estimators.rotation_forest import RotationForest
from offline.estimators.standardised import Standardised, predicted_logits


@dataclass(eq=False, repr=False)
class NearestNeighbours(LogitClassifier):
    """scikit-learn's vote among neighbours, also where fewer people are fitted than are to vote.

    That happens to a small site.  Cover & Hart 1967 (IEEE Transactions on Information Theory 13:21-27).

    Parameters
    ----------
    n_neighbours : int
        Who vote; all where there are fewer.
    """

    n_neighbours: int = 15

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> Self:
        """Fit to a table (n, n_columns) float64 of standardised columns and its labels (n,) str or int."""
        if self.n_neighbours < 1:
            raise TableError(f"n_neighbours is {self.n_neighbours}; expected 1 or more.")
        table, index = labelled(self, X, y)
        self.neighbours_ = KNeighborsClassifier(min(self.n_neighbours, len(table))).fit(table, index)
        return self

    def logits_of_rows(self, X: Floats) -> Floats:
        """Logits (n, n_labels) float64 of rows (n, n_columns) float64."""
        return predicted_logits(self.neighbours_, X)


def linear_svm() -> LinearSVC:
    """The widest linear margin (Cortes & Vapnik 1995, Machine Learning 20:273-297)."""
    return LinearSVC(C=1e-3, class_weight="balanced", max_iter=10_000, random_state=0)


BARE: dict[str, Callable[[], Any]] = {
    # Trees on bootstraps of the people (Breiman 1996, Machine Learning 24:123-140).
    "bagged-trees": lambda: BaggingClassifier(
        DecisionTreeClassifier(max_features=0.2, min_samples_leaf=2), n_estimators=50, random_state=0
    ),
    # Trees of one question, added up (Freund & Schapire 1997, J. Computer System Sciences 55:119-139).
    "boosted-stumps": lambda: AdaBoostClassifier(
        DecisionTreeClassifier(max_depth=1), n_estimators=50, random_state=0
    ),
    # Shallow trees down the gradient (Friedman 2002, Comp. Statistics & Data Analysis 38:367-378).
    "boosted-trees": partial(
        GradientBoostingClassifier,
        max_depth=3,
        max_features="sqrt",
        subsample=0.7,
        learning_rate=0.05,
        n_estimators=150,
        random_state=0,
    ),
    "extreme-learning-machine": partial(ExtremeLearningMachine, random_state=0),
    "fully-connected-cascade": partial(FullyConnectedCascade, random_state=0),
    "k-nearest-neighbours": NearestNeighbours,
    # Fisher's, its covariance shrunk (Ledoit & Wolf 2004, J. Multivariate Analysis 88:365-411).
    "linear-discriminant": partial(LinearDiscriminantAnalysis, solver="lsqr", shrinkage="auto"),
    "learning-vector-quantisation": partial(LearningVectorQuantisation, random_state=0),
    "linear-svm": linear_svm,
    "multilayer-perceptron": partial(
        MLPClassifier, (20,), alpha=10.0, solver="lbfgs", max_iter=1000, random_state=0
    ),
    "naive-bayes": GaussianNB,
    # A covariance of its own for every label, each drawn towards a sphere.
    "quadratic-discriminant": partial(QuadraticDiscriminantAnalysis, solver="eigen", shrinkage="auto"),
    "rbf-svm": partial(SVC, C=1.0, gamma="scale", class_weight="balanced"),
    "logistic-regression": partial(LogisticRegression, C=1e-2, class_weight="balanced", max_iter=2000),
    "relevance-vector-machine": RelevanceVectorMachine,
    # Trees that see a few columns at each question (Breiman 2001, Machine Learning 45:5-32).
    "random-forest": partial(
        RandomForestClassifier, 200, min_samples_leaf=2, class_weight="balanced", random_state=0
    ),
    "rotation-forest": partial(RotationForest, min_samples_leaf=2, random_state=0),
    # Few columns (Tibshirani 1996, J. Royal Statistical Society B 58:267).
    "sparse-logistic-regression": partial(
        LogisticRegression,
        C=0.1,
        l1_ratio=1.0,
        solver="saga",
        class_weight="balanced",
        tol=1e-3,
        max_iter=5000,
        random_state=0,
    ),
}
"""Name to a new, unfitted one, for standardised columns."""


def member(name: str) -> Standardised:
    """A new, unfitted one by its name in `BARE`, standardising its columns itself."""
    return Standardised(BARE[name]())


MEMBERS: dict[str, Callable[[], Standardised]] = {name: partial(member, name) for name in BARE}
"""Name to a new, unfitted one, for any columns."""
