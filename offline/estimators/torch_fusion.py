"""Classifiers of channels, their votes fused by naive Bayes."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import clone
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from models.arrays import Floats
from offline.estimators.base import Labels, LogitClassifier, labelled
from offline.estimators.torch_base import seed_of
from offline.estimators.torch_channels import channel_of
from offline.estimators.torch_fit import NetworkError
from offline.estimators.torch_mixture import MixtureOfExpertsClassifier


@dataclass(eq=False, repr=False)
class NaiveBayesFusion(LogitClassifier):
    """One classifier a channel; its vote counts as much as it was right on people it had not seen.

    Aghdam, Sharifi & Pedram 2019 (Journal of Digital Imaging 32:899-918), who fuse their
    networks so; the rule is that of Xu, Krzyzak & Suen 1992 (IEEE Transactions on Systems, Man and
    Cybernetics 22:418-435).

    Parameters
    ----------
    channels : int or sequence of int
        How many, of neighbouring columns, or the channel of each column.
    estimator : estimator or None
        What is fitted to each channel, a classifier with a ``random_state``; None
        for a quick `MixtureOfExpertsClassifier`.
    n_folds : int
        Parts of the rows that are held out in turn to count right and wrong votes.
    smoothing : float
        Votes that each cell of that count is given beforehand.
    random_state : int, RandomState or None
        Draws everything; torch's and numpy's own generators are left as they were.
    """

    channels: int | Sequence[int] = 3
    _: KW_ONLY
    estimator: Any = None
    n_folds: int = 3
    smoothing: float = 1.0
    random_state: Any = None

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> Self:
        """Fit to a table (n, n_columns) float64 and its labels (n,) str or int."""
        table, index = labelled(self, X, y)
        self.channel_ = channel_of(self.channels, table.shape[1])
        n_labels, seed = len(self.classes_), seed_of(self.random_state)
        base = MixtureOfExpertsClassifier.quick() if self.estimator is None else self.estimator
        folds = self._folds(index, n_labels, seed)
        self.estimators_, counts = [], []
        for k in range(int(self.channel_.max()) + 1):
            own = table[:, self.channel_ == k]
            member = clone(base).set_params(random_state=seed + k)
            # How often it votes for each label (columns) where each is true (rows).
            votes = cross_val_predict(member, own, index, cv=folds)
            counts.append(confusion_matrix(index, votes, labels=range(n_labels)))
            self.estimators_.append(member.fit(own, index))
        confusion = np.stack(counts) + self.smoothing  # (n_members, n_labels, n_labels)
        self.confusion_ = confusion / confusion.sum(axis=2, keepdims=True)
        return self

    def logits_of_rows(self, X: Floats) -> Floats:
        """Logits (n, n_labels) float64: naive Bayes over the labels for which the members vote."""
        logits = np.full((len(X), len(self.classes_)), -np.log(len(self.classes_)))
        for k, member in enumerate(self.estimators_):
            logits += np.log(self.confusion_[k])[:, member.predict(X[:, self.channel_ == k])].T
        return logits

    def _folds(self, y: Labels, n_labels: int, seed: int) -> list[tuple[Any, Any]]:
        """Who votes unseen; everybody on what was seen where a label is too rare to be held out."""
        if self.n_folds < 2 or self.smoothing <= 0:
            raise NetworkError(
                f"{self.n_folds} folds, smoothing {self.smoothing}; expected at least 2, and more than 0."
            )
        n_folds = min(self.n_folds, int(np.bincount(y, minlength=n_labels).min()))
        if n_folds < 2:
            return [(np.arange(len(y)), np.arange(len(y)))]
        split = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
        return list(split.split(np.zeros((len(y), 1)), y))
