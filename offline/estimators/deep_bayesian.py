"""The deep Bayesian network: a deep belief network a region, a Bayesian network over what they found."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from models.networks.deep_belief import DeepBeliefNetwork
from models.parts.network import TableNetwork, side_by_side
from offline.base.reproducible import reproducible
from offline.estimators.base import Labels, labelled
from offline.estimators.torch_base import NetworkClassifier, seed_of, singles, standard_of
from offline.estimators.torch_channels import channel_of
from offline.estimators.torch_contrastive import teach_stack
from offline.estimators.torch_export import dense_part
from offline.estimators.torch_fit import Tuning, divided, fine_tune
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
        See `offline.estimators.torch_fit.Tuning`.
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
        columns = [np.flatnonzero(channel == k) for k in range(int(channel.max()) + 1)]
        n_labels, seed = len(self.classes_), seed_of(self.random_state)
        learning, counting = np.arange(len(index)), np.arange(len(index))
        if self.supervised:
            half, other = divided(index, n_labels, 0.5, seed)
            learning, counting = (half, other) if len(other) else (learning, counting)
        with reproducible(seed, threads=1):
            networks = [
                self._features(table[:, own], index, learning, n_labels, seed + k)
                for k, own in enumerate(columns)
            ]
        features = side_by_side(networks, columns, table.shape[1])
        tree = fit_tree_bayes(features(table[counting]), index[counting], n_labels, n_bins=self.n_bins)
        self.parts_ = (features, tree)
        return self

    def _features(
        self, table: Floats, y: Labels, learning: npt.NDArray[np.intp], n_labels: int, seed: int
    ) -> TableNetwork:
        """One region's network, without its last layer."""
        standard = standard_of(table)
        rows = singles(table, standard)
        network = DeepBeliefNetwork(rows.shape[1], n_labels, hidden=self.hidden)
        # The machines see no labels, so they may see everybody.
        network.begin_from(teach_stack(rows, self.hidden, epochs=self.pretraining_epochs)[0])
        if self.supervised:
            tuning = Tuning(
                epochs=self.epochs,
                learning_rate=self.learning_rate,
                weight_decay=self.weight_decay,
                validation_fraction=self.validation_fraction,
            )
            fine_tune(network, rows[learning], y[learning], n_labels, tuning, seed)
        return dense_part([*network.layers], ("logistic",) * len(self.hidden), standard)
