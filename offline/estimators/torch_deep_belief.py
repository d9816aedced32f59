"""The deep belief network as a scikit-learn classifier."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Self

import numpy.typing as npt

from models.layers import Layer
from models.networks.deep_belief import DeepBeliefNetwork
from offline.base.reproducible import reproducible
from offline.estimators.torch_base import NetworkClassifier
from offline.estimators.torch_contrastive import teach_stack
from offline.estimators.torch_fit import fine_tune
from offline.estimators.torch_layers import dense_layer


class DeepBeliefClassifier(NetworkClassifier):
    """Restricted Boltzmann machines on top of each other, then all layers fitted to labels.

    Aghdam, Sharifi & Pedram 2018 (Journal of Digital Imaging 31:895-903), depth 3.

    Parameters
    ----------
    hidden : tuple of int
        Hidden units of each machine, the lowest first.
    pretraining_epochs : int
        Passes over the rows a machine; 0 for none.
    dropout : float
        In front of the last layer while labels are learnt.
    epochs, learning_rate, weight_decay, validation_fraction
        See `offline.estimators.torch_base.Tuning`.
    random_state : int, RandomState or None
        Draws everything; torch's and numpy's own generators are left as they were.
    """

    QUICK: ClassVar[Mapping[str, Any]] = MappingProxyType(
        {"hidden": (60, 30, 15), "pretraining_epochs": 15, "epochs": 40}
    )

    def __init__(
        self,
        hidden: tuple[int, ...] = (100, 50, 25),
        *,
        pretraining_epochs: int = 40,
        dropout: float = 0.2,
        epochs: int = 100,
        learning_rate: float = 3e-3,
        weight_decay: float = 0.1,
        validation_fraction: float = 0.15,
        random_state: Any = None,
    ) -> None:
        self.hidden = hidden
        self.pretraining_epochs = pretraining_epochs
        self.dropout = dropout
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.validation_fraction = validation_fraction
        self.random_state = random_state

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> Self:
        """Fit to a table (n, n_columns) float64 and its labels (n,) str or int."""
        table = self.begin(X, y)
        with reproducible(table.seed, threads=1):
            network = DeepBeliefNetwork(*table.sizes, hidden=self.hidden, dropout=self.dropout)
            self.pretraining_errors_: list[list[float]] = []
            if self.pretraining_epochs:
                machines, self.pretraining_errors_ = teach_stack(
                    table.X, self.hidden, epochs=self.pretraining_epochs
                )
                network.begin_from(machines)
            self.history_ = fine_tune(network, table.X, table.y, self.tuning(), table.seed)
        return self.fitted(network, table)

    @property
    def layers_(self) -> tuple[Layer, ...]:
        """What it computes, for export."""
        return (dense_layer(self.network_, "logistic", self.mean_, self.scale_),)
