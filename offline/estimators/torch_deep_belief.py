"""The deep belief network as a scikit-learn classifier."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

from models.layers import Layer
from models.networks.deep_belief import DeepBeliefNetwork
from offline.estimators.torch_base import NetworkClassifier, NetworkTable
from offline.estimators.torch_contrastive import teach_stack
from offline.estimators.torch_layers import dense_layer


@dataclass(eq=False, repr=False)
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
    epochs, learning_rate, weight_decay, validation_fraction, random_state
        See `offline.estimators.torch_base.NetworkClassifier`.
    """

    QUICK: ClassVar[Mapping[str, Any]] = {"hidden": (60, 30, 15), "pretraining_epochs": 15, "epochs": 40}

    hidden: tuple[int, ...] = (100, 50, 25)
    _: KW_ONLY
    pretraining_epochs: int = 40
    dropout: float = 0.2
    learning_rate: float = 3e-3

    def network_of(self, table: NetworkTable) -> DeepBeliefNetwork:
        """Its layers taken over from machines."""
        network = DeepBeliefNetwork(*table.sizes, hidden=self.hidden, dropout=self.dropout)
        if self.pretraining_epochs:
            network.begin_from(teach_stack(table.X, self.hidden, epochs=self.pretraining_epochs)[0])
        return network

    @property
    def layers_(self) -> tuple[Layer, ...]:
        """What it computes, for export."""
        return (dense_layer(self.network_, "logistic", self.mean_, self.scale_),)
