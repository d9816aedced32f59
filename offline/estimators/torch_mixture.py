"""The mixture of experts as a scikit-learn classifier."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

from models.networks.mixture_of_experts import MixtureOfExperts
from offline.estimators.torch_base import NetworkClassifier, NetworkTable


@dataclass(eq=False, repr=False)
class MixtureOfExpertsClassifier(NetworkClassifier):
    """Small networks and a gate that weighs them for each row.

    Jacobs et al. 1991 (Neural Computation 3:79-87), as Aghdam, Sharifi & Pedram 2019 (Journal of Digital
    Imaging 32:899-918) use it.

    Parameters
    ----------
    experts, hidden, dropout
        As `models.networks.mixture_of_experts.MixtureOfExperts` has them.
    epochs, learning_rate, weight_decay, validation_fraction, random_state
        See `offline.estimators.torch_base.NetworkClassifier`.
    """

    QUICK: ClassVar[Mapping[str, Any]] = {"experts": 3, "hidden": 8, "epochs": 40}

    experts: int = 4
    _: KW_ONLY
    hidden: int = 16
    dropout: float = 0.3

    def network_of(self, table: NetworkTable) -> MixtureOfExperts:
        """With weights drawn at random."""
        return MixtureOfExperts(*table.sizes, experts=self.experts, hidden=self.hidden, dropout=self.dropout)
