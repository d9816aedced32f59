"""The stacked auto-encoder as a scikit-learn classifier."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

from models.layers import Layer
from models.networks.stacked_autoencoder import StackedAutoEncoder
from offline.estimators.torch_base import NetworkClassifier, NetworkTable
from offline.estimators.torch_fit import NetworkError
from offline.estimators.torch_layers import dense_layer
from offline.estimators.torch_pretraining import pretrain


@dataclass(eq=False, repr=False)
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
    epochs, learning_rate, weight_decay, validation_fraction, random_state
        See `offline.estimators.torch_base.NetworkClassifier`.
    """

    QUICK: ClassVar[Mapping[str, Any]] = {"hidden": (50, 20), "pretraining_epochs": 10, "epochs": 30}

    hidden: tuple[int, ...] = (100, 50)
    _: KW_ONLY
    corruption: float = 0.3
    pretraining_epochs: int = 40
    dropout: float = 0.3

    def network_of(self, table: NetworkTable) -> StackedAutoEncoder:
        """Its layers pretrained."""
        if not 0.0 <= self.corruption < 1.0:
            raise NetworkError(f"corruption is {self.corruption}; expected a share from 0 to below 1.")
        network = StackedAutoEncoder(*table.sizes, hidden=self.hidden, dropout=self.dropout)
        if self.pretraining_epochs:
            pretrain(network.layers, table.X, epochs=self.pretraining_epochs, corruption=self.corruption)
        return network

    @property
    def layers_(self) -> tuple[Layer, ...]:
        """What it computes, for export."""
        return (dense_layer(self.network_, "tanh", self.mean_, self.scale_),)
