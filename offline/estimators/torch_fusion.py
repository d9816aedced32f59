"""Classifiers of channels, their votes fused by naive Bayes."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import clone
from sklearn.model_selection import StratifiedKFold

from models.arrays import Floats
from models.parts.fusion import MEMBERS, VoteFusion
from models.parts.packing import packed, run
from offline.estimators.base import Labels, labelled
from offline.estimators.torch_base import NetworkClassifier, NetworkError, seed_of
from offline.estimators.torch_channels import channel_of
from offline.estimators.torch_export import torch_parts
from offline.estimators.torch_mixture import MixtureOfExpertsClassifier


class NaiveBayesFusion(NetworkClassifier):
    """One classifier a channel; its vote counts as much as it was right on people it had not seen.

    Aghdam, Sharifi & Pedram 2019 (Journal of Digital Imaging 32:899-918), who fuse their
    networks so; the rule is that of Xu, Krzyzak & Suen 1992 (IEEE Transactions on Systems, Man and
    Cybernetics 22:418-435).

    Parameters
    ----------
    channels : int or sequence of int
        How many, of neighbouring columns, or the channel of each column.
    estimator : estimator or None
        What is fitted to each channel: one of the ``torch_`` classifiers, or `DeepBayesianClassifier`; None
        for a quick `MixtureOfExpertsClassifier`.
    n_folds : int
        Parts of the rows that are held out in turn to count right and wrong votes.
    smoothing : float
        Votes that each cell of that count is given beforehand.
    random_state : int, RandomState or None
        Draws everything; torch's and numpy's own generators are left as they were.
    """

    def __init__(
        self,
        channels: int | Sequence[int] = 3,
        *,
        estimator: Any = None,
        n_folds: int = 3,
        smoothing: float = 1.0,
        random_state: Any = None,
    ) -> None:
        self.channels = channels
        self.estimator = estimator
        self.n_folds = n_folds
        self.smoothing = smoothing
        self.random_state = random_state

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> Self:
        """Fit to a table (n, n_columns) float64 and its labels (n,) str or int."""
        table, index = labelled(self, X, y)
        channel = channel_of(self.channels, table.shape[1])
        n_labels, seed = len(self.classes_), seed_of(self.random_state)
        base = MixtureOfExpertsClassifier.quick() if self.estimator is None else self.estimator
        folds = self._folds(index, n_labels, seed)
        self.estimators_, counts = [], []
        for k in range(int(channel.max()) + 1):
            own = table[:, channel == k]
            counts.append(self._votes(base, own, index, folds, n_labels, seed + k))
            self.estimators_.append(_with_seed(base, seed + k).fit(own, index))
        chains = [torch_parts(one) for one in self.estimators_]
        strange = {type(part).__name__ for chain in chains for part in chain} - MEMBERS.keys()
        if strange:
            raise NetworkError(
                f"The estimator has parts {', '.join(sorted(strange))}; a fusion holds "
                f"{', '.join(sorted(MEMBERS))}."
            )
        confusion = np.stack(counts) + self.smoothing  # (n_members, n_labels, n_labels)
        self.confusion_ = confusion / confusion.sum(axis=2, keepdims=True)
        numbers, members = packed(chains)
        prior = np.full(n_labels, -np.log(n_labels))
        self.parts_ = (VoteFusion(numbers, members, channel, np.log(self.confusion_), prior),)
        return self

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

    def _votes(
        self, base: Any, own: Floats, y: Labels, folds: list[tuple[Any, Any]], n_labels: int, seed: int
    ) -> Floats:
        """How often a channel votes for each label (columns) where each is true (rows)."""
        counts = np.zeros((n_labels, n_labels))
        for train, held in folds:
            member = _with_seed(base, seed).fit(own[train], y[train])
            vote = run(torch_parts(member), own[held]).argmax(axis=1)
            np.add.at(counts, (y[held], vote), 1.0)
        return counts


def _with_seed(base: Any, seed: int) -> Any:
    return clone(base).set_params(random_state=seed)
