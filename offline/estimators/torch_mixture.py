"""The mixture of experts as a scikit-learn classifier."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Self

import numpy.typing as npt

from models.networks.mixture_of_experts import MixtureOfExperts
from offline.base.reproducible import reproducible
from offline.estimators.torch_base import NetworkClassifier
from offline.estimators.torch_fit import fine_tune


class MixtureOfExpertsClassifier(NetworkClassifier):
    """Small networks and a gate that says whom to listen to for a row.

    Jacobs et al. 1991 (Neural Computation 3:79-87), as Aghdam, Sharifi & Pedram 2019 (Journal of Digital
    Imaging 32:899-918) use it.

    Parameters
    ----------
    experts, hidden, dropout
        As `models.networks.mixture_of_experts.MixtureOfExperts` has them.
    epochs, learning_rate, weight_decay, validation_fraction
        See `offline.estimators.torch_base.Tuning`.
    random_state : int, RandomState or None
        Draws everything; torch's and numpy's own generators are left as they were.
    """

    QUICK: ClassVar[Mapping[str, Any]] = MappingProxyType({"experts": 3, "hidden": 8, "epochs": 40})

    def __init__(
        self,
        experts: int = 4,
        *,
        hidden: int = 16,
        dropout: float = 0.3,
        epochs: int = 100,
        learning_rate: float = 1e-3,
        weight_decay: float = 0.1,
        validation_fraction: float = 0.15,
        random_state: Any = None,
    ) -> None:
        self.experts = experts
        self.hidden = hidden
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
            network = MixtureOfExperts(
                *table.sizes, experts=self.experts, hidden=self.hidden, dropout=self.dropout
            )
            self.history_ = fine_tune(network, table.X, table.y, self.tuning(), table.seed)
        return self.fitted(network, table)
