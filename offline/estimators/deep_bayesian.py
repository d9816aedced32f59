"""The deep Bayesian network: a deep belief network a region, a Bayesian network over what they found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch

from models.arrays import Floats
from models.networks.deep_belief import DeepBeliefNetwork
from offline.base.reproducible import reproducible
from offline.estimators.base import Labels, labelled
from offline.estimators.torch_base import NetworkClassifier, network_table, seed_of
from offline.estimators.torch_channels import channel_of
from offline.estimators.torch_contrastive import teach_stack
from offline.estimators.torch_fit import divided, fine_tune
from offline.estimators.tree_bayes import fit_tree_bayes


class DeepBayesianClassifier(NetworkClassifier):
    """Topmost units of each region's deep belief network, in bins, in a tree-augmented naive Bayes.

    Hao, He & Yin 2015 (Discrimination of ADHD children based on deep Bayesian network, ICBISP), who have four
    regions.  Which Bayesian network they learn is not stated; here it is Friedman's tree.

    Parameters
    ----------
    channels : int or sequence of int
        Regions: how many, of neighbouring columns, or the region of each column.
    hidden : tuple of int
        Hidden units of each machine of a region, the lowest first; the last are its features.
    supervised : bool
        Whether each region's network is fitted to labels before its features are taken.  Then the Bayesian
        network counts rows of its own, half of all, where there are enough: on rows that the features
        were fitted to, they look better than they are.
    n_bins : int
        Of each feature.
    pretraining_epochs : int
        Passes over the rows a machine.
    epochs, learning_rate, weight_decay, validation_fraction
        See `offline.estimators.torch_base.Tuning`.
    random_state : int, RandomState or None
        Draws everything; torch's and numpy's own generators are left as they were.
    """

    QUICK: ClassVar[Mapping[str, Any]] = MappingProxyType(
        {"hidden": (30, 15, 3), "pretraining_epochs": 15, "epochs": 30}
    )

    def __init__(
        self,
        channels: int | Sequence[int] = 4,
        *,
        hidden: tuple[int, ...] = (50, 20, 3),
        supervised: bool = True,
        n_bins: int = 3,
        pretraining_epochs: int = 40,
        epochs: int = 60,
        learning_rate: float = 3e-3,
        weight_decay: float = 0.1,
        validation_fraction: float = 0.15,
        random_state: Any = None,
    ) -> None:
        self.channels = channels
        self.hidden = hidden
        self.supervised = supervised
        self.n_bins = n_bins
        self.pretraining_epochs = pretraining_epochs
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.validation_fraction = validation_fraction
        self.random_state = random_state

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> Self:
        """Fit to a table (n, n_columns) float64 and its labels (n,) str or int."""
        table, index = labelled(self, X, y)
        channel = channel_of(self.channels, table.shape[1])
        self.columns_ = [np.flatnonzero(channel == k) for k in range(int(channel.max()) + 1)]
        n_labels, seed = len(self.classes_), seed_of(self.random_state)
        learning, counting = np.arange(len(index)), np.arange(len(index))
        if self.supervised:
            half, other = divided(index, n_labels, 0.5, seed)
            learning, counting = (half, other) if len(other) else (learning, counting)
        with reproducible(seed, threads=1):
            self.regions_ = [
                self._region(table[:, own], index, learning, n_labels, seed + k)
                for k, own in enumerate(self.columns_)
            ]
        found = self._features(table[counting])
        self.tree_ = fit_tree_bayes(found, index[counting], n_labels, n_bins=self.n_bins)
        return self

    def logits_of_rows(self, X: Floats) -> Floats:
        """Logits (n, n_labels) float64 of rows (n, n_columns) float64."""
        return self.tree_(self._features(X))

    def _features(self, X: Floats) -> Floats:
        """Topmost units of all regions' networks, (n, n_units) float64."""
        regions = zip(self.regions_, self.columns_, strict=True)
        return np.concatenate([region(X[:, own]) for region, own in regions], axis=1)

    def _region(
        self, table: Floats, y: Labels, learning: npt.NDArray[np.intp], n_labels: int, seed: int
    ) -> "Region":
        """One region's network."""
        rows = network_table(table, y, n_labels, seed)
        network = DeepBeliefNetwork(rows.X.shape[1], n_labels, hidden=self.hidden)
        # The machines see no labels, so they may see everybody.
        network.begin_from(teach_stack(rows.X, self.hidden, epochs=self.pretraining_epochs)[0])
        if self.supervised:
            fine_tune(network, rows.X[learning], y[learning], self.tuning(), seed)
        return Region(network.double(), rows.mean, rows.scale)


@dataclass(frozen=True, eq=False)
class Region:
    """A region's fitted network, up to its topmost hidden units.

    Parameters
    ----------
    network : DeepBeliefNetwork
        In double precision.
    mean, scale : (n_columns,) float64
        Of the region's columns.
    """

    network: DeepBeliefNetwork
    mean: Floats
    scale: Floats

    def __call__(self, X: Floats) -> Floats:
        """(n, n_columns) float64 to (n, n_units) float64."""
        with torch.inference_mode():
            return np.asarray(self.network.features(torch.from_numpy((X - self.mean) / self.scale)).numpy())
