"""More than two labels: how a system fits them, and what it predicts of each.

A system that knows several labels is fitted to them as it is; one of two labels is fitted to each label
against the rest.  What is predicted of a person is a log probability of each label; decision functions stand
for these up to a constant, so the label with the greatest is the one that is predicted.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import logit, logsumexp
from sklearn.metrics import roc_auc_score
from sklearn.utils import get_tags

from models.arrays import Floats
from models.errors import RecipeError
from offline.scans import Scans

FEWEST = 5
"""People of each of several labels: each is on both sides of every division, and of those within training."""


class OneAgainstRest:
    """A classifier of two labels for each of several, on the same people.

    Least squares on minus and plus one give a label of a share p of the people the scores of a linear
    discriminant, times 2 p (1 - p), about 2 p - 1; both are taken out again, or else the commonest label
    would be predicted of everybody.  Of log odds those of the share are taken out.  So labels weigh the same,
    however many people have them.

    Parameters
    ----------
    make : callable
        Gives an unfitted classifier of two labels; its decision function is that of least squares, or it
        has ``decision_is_log_odds``.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make

    def fit(self, X: Floats, y: npt.NDArray[Any], **more: Any) -> "OneAgainstRest":
        """Fit each to (n, n_features) float64, labels (n,) and what else its classifier is fitted with."""
        self.classes_, n = np.unique(y, return_counts=True)
        self.share_ = n / len(y)
        against = [np.asarray(y == label, dtype=np.int64) for label in self.classes_]
        self.each_ = [self.make().fit(X, own, **more) for own in against]
        return self

    def decision_function(self, X: Floats) -> Floats:
        """Scores of each label against the rest, (n, n_labels) float64 in the order of ``classes_``."""
        scores = np.stack([np.asarray(each.decision_function(X)) for each in self.each_], axis=1)
        p = self.share_
        if getattr(self.each_[0], "decision_is_log_odds", False):
            return np.asarray(scores - logit(p))
        return np.asarray((scores - (2.0 * p - 1.0)) / (2.0 * p * (1.0 - p)))


def refuse_few(scans: Scans) -> None:
    """Refuse three labels or more where one has too few people to be learnt and predicted.

    Raises
    ------
    RecipeError
        With the number of each.
    """
    n = np.bincount(scans.y, minlength=len(scans.labels))
    if len(scans.labels) > 2 and n.min() < FEWEST:
        found = ", ".join(f"{count} {label}" for label, count in zip(scans.labels, n.tolist(), strict=True))
        raise RecipeError(f"There are {found}; expected {FEWEST} people or more of each of several labels.")


def for_labels(make: Callable[[], Any], n_labels: int) -> Any:
    """An unfitted classifier: the system's own where it knows so many labels, else one for each."""
    own = make()
    return own if n_labels == 2 or get_tags(own).classifier_tags.multi_class else OneAgainstRest(make)


def area(y: npt.NDArray[np.int64], scores: Floats) -> float:
    """AUC of two labels, or the mean over several of each against the rest.

    Parameters
    ----------
    y : (n,) int64
        Labels.
    scores : (n,) float64, or (n, n_labels) float64
        Log odds of the second of two, or log probabilities of all.
    """
    if scores.ndim == 1:
        return float(roc_auc_score(y, scores))
    rest = [logsumexp(np.delete(scores, label, axis=1), axis=1) for label in range(scores.shape[1])]
    areas = [roc_auc_score(y == label, own - rest[label]) for label, own in enumerate(scores.T)]
    return float(np.mean(areas))
