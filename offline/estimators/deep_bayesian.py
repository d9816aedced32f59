"""The deep Bayesian network: a deep belief network a region, a Bayesian network over what they found."""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from models.networks.deep_belief import DeepBeliefNetwork
from offline.base.reproducible import reproducible
from offline.estimators.base import labelled
from offline.estimators.torch_base import NetworkClassifier, NetworkTable, computed, seed_of
from offline.estimators.torch_channels import channel_of
from offline.estimators.torch_contrastive import teach_stack
from offline.estimators.torch_fit import Rows, divided
from offline.estimators.tree_bayes import fit_tree_bayes


@dataclass(eq=False, repr=False)
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
    epochs, learning_rate, weight_decay, validation_fraction, random_state
        See `offline.estimators.torch_base.NetworkClassifier`.
    """

    QUICK: ClassVar[Mapping[str, Any]] = {"hidden": (30, 15, 3), "pretraining_epochs": 15, "epochs": 30}

    channels: int | Sequence[int] = 4
    _: KW_ONLY
    hidden: tuple[int, ...] = (50, 20, 3)
    supervised: bool = True
    n_bins: int = 3
    pretraining_epochs: int = 40
    epochs: int = 60
    learning_rate: float = 3e-3

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
                self._region(NetworkTable.of(table[:, own], index, n_labels, seed + k), learning)
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
        found = [computed(net.features, (X[:, own] - mean) / scale) for (net, mean, scale), own in regions]
        return np.concatenate(found, axis=1)

    def _region(self, table: NetworkTable, learning: Rows) -> tuple[DeepBeliefNetwork, Floats, Floats]:
        """One region's network, and how its columns were standardised."""
        network = self.network_of(table)
        if self.supervised:
            self.fine_tune(network, table.X[learning], table.y[learning], table.seed)
        return network.double(), table.mean, table.scale

    def network_of(self, table: NetworkTable) -> DeepBeliefNetwork:
        """Of one region."""
        network = DeepBeliefNetwork(*table.sizes, hidden=self.hidden)
        # The machines see no labels, so they may see everybody.
        network.begin_from(teach_stack(table.X, self.hidden, epochs=self.pretraining_epochs)[0])
        return network
