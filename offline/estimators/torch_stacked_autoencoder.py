"""The stacked auto-encoder as a scikit-learn classifier."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Self

import numpy.typing as npt

from models.layers import Layer
from models.networks.stacked_autoencoder import StackedAutoEncoder
from offline.base.reproducible import reproducible
from offline.estimators.torch_base import NetworkClassifier, NetworkError
from offline.estimators.torch_fit import fine_tune
from offline.estimators.torch_layers import dense_layer
from offline.estimators.torch_pretraining import pretrain


class StackedAutoEncoderClassifier(NetworkClassifier):
    """Layers pretrained on corrupted input, then all of them fitted to labels with a softmax on top.

    Xiao et al. 2019 (Experimental and Therapeutic Medicine 17:4055-4063).  The paper's layer sizes are for
    independent components of three sites; these are for a few hundred people and columns.

    Parameters
    ----------
    hidden : tuple of int
        Units of each layer, the lowest first.
    corruption : float
        Share of a layer's input that is hidden from it in pretraining.
    pretraining_epochs : int
        Passes over the rows a layer; 0 for none.
    dropout : float
        Behind each layer while labels are learnt.
    epochs, learning_rate, weight_decay, validation_fraction
        See `offline.estimators.torch_base.Tuning`.
    random_state : int, RandomState or None
        Draws everything; torch's and numpy's own generators are left as they were.
    """

    QUICK: ClassVar[Mapping[str, Any]] = MappingProxyType(
        {"hidden": (50, 20), "pretraining_epochs": 10, "epochs": 30}
    )

    def __init__(
        self,
        hidden: tuple[int, ...] = (100, 50),
        *,
        corruption: float = 0.3,
        pretraining_epochs: int = 40,
        dropout: float = 0.3,
        epochs: int = 100,
        learning_rate: float = 1e-3,
        weight_decay: float = 0.1,
        validation_fraction: float = 0.15,
        random_state: Any = None,
    ) -> None:
        self.hidden = hidden
        self.corruption = corruption
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
        if not 0.0 <= self.corruption < 1.0:
            raise NetworkError(f"corruption is {self.corruption}; expected a share from 0 to below 1.")
        with reproducible(table.seed, threads=1):
            network = StackedAutoEncoder(*table.sizes, hidden=self.hidden, dropout=self.dropout)
            self.pretraining_errors_: list[list[float]] = []
            if self.pretraining_epochs:
                self.pretraining_errors_ = pretrain(
                    network.layers, table.X, epochs=self.pretraining_epochs, corruption=self.corruption
                )
            self.history_ = fine_tune(network, table.X, table.y, self.tuning(), table.seed)
        return self.fitted(network, table)

    @property
    def layers_(self) -> tuple[Layer, ...]:
        """What it computes, for export."""
        return (dense_layer(self.network_, "tanh", self.mean_, self.scale_),)
