"""The eighteen classifiers of the review's consensus, each by a name and with its settings."""

from collections.abc import Callable
from functools import partial
from typing import Any

from offline.estimators import standard
from offline.estimators.cascade import FullyConnectedCascade
from offline.estimators.extreme_learning import ExtremeLearningMachine
from offline.estimators.learning_vector import LearningVectorQuantisation
from offline.estimators.neighbours import NearestNeighbours
from offline.estimators.relevance_vector import RelevanceVectorMachine
from offline.estimators.rotation_forest import RotationForest
from offline.estimators.standardised import Standardised

BARE: dict[str, Callable[[], Any]] = {
    "bagged-trees": standard.bagged_trees,
    "boosted-stumps": standard.boosted_stumps,
    "boosted-trees": standard.boosted_trees,
    "extreme-learning-machine": partial(ExtremeLearningMachine, random_state=0),
    "fully-connected-cascade": partial(FullyConnectedCascade, random_state=0),
    "k-nearest-neighbours": NearestNeighbours,
    "linear-discriminant": standard.linear_discriminant,
    "learning-vector-quantisation": partial(LearningVectorQuantisation, random_state=0),
    "linear-svm": standard.linear_svm,
    "multilayer-perceptron": standard.multilayer_perceptron,
    "naive-bayes": standard.naive_bayes,
    "quadratic-discriminant": standard.quadratic_discriminant,
    "rbf-svm": standard.rbf_svm,
    "logistic-regression": standard.logistic_regression,
    "relevance-vector-machine": RelevanceVectorMachine,
    "random-forest": standard.random_forest,
    "rotation-forest": partial(RotationForest, min_samples_leaf=2, random_state=0),
    "sparse-logistic-regression": standard.sparse_logistic_regression,
}
"""Name to a new, unfitted one, for standardised columns."""


def member(name: str) -> Standardised:
    """A new, unfitted one by its name in `BARE`, standardising its columns itself."""
    return Standardised(BARE[name]())


MEMBERS: dict[str, Callable[[], Standardised]] = {name: partial(member, name) for name in BARE}
"""Name to a new, unfitted one, for any columns."""
