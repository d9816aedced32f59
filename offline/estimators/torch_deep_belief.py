"""The deep belief network as a scikit-learn classifier, and its features as a transformer."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from models.arrays import Floats
from models.networks.deep_belief import DeepBeliefNetwork
from models.parts import Part
from models.parts.packing import run
from offline.base.reproducible import reproducible
from offline.estimators.base import labelled
from offline.estimators.torch_base import NetworkClassifier, seed_of, singles, standard_of
from offline.estimators.torch_contrastive import teach_stack
from offline.estimators.torch_export import dense_part
from offline.estimators.torch_fit import Tuning, fine_tune


class DeepBelief(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """The topmost hidden units of a stack of restricted Boltzmann machines; it sees no labels.

    Kuang et al. 2014 (LNCS 8590:225-232) take such features of frequencies; Hao et al. 2015 of regions.

    Parameters
    ----------
    hidden : tuple of int
        Hidden units of each machine, the lowest first.
    pretraining_epochs : int
        Passes over the rows a machine.
    random_state : int, RandomState or None
        Draws everything; torch's and numpy's own generators are left as they were.
    """

    parts_: tuple[Part, ...]

    def __init__(
        self,
        hidden: tuple[int, ...] = (100, 50, 25),
        *,
        pretraining_epochs: int = 40,
        random_state: Any = None,
    ) -> None:
        self.hidden = hidden
        self.pretraining_epochs = pretraining_epochs
        self.random_state = random_state

    def fit(self, X: npt.ArrayLike, y: Any = None) -> Self:
        """Fit to a table (n, n_columns) float64; ``y`` is not looked at."""
        table = np.asarray(validate_data(self, X, dtype=np.float64))
        standard = standard_of(table)
        rows = singles(table, standard)
        with reproducible(seed_of(self.random_state), threads=1):
            machines, self.errors_ = teach_stack(rows, self.hidden, epochs=self.pretraining_epochs)
            network = DeepBeliefNetwork(rows.shape[1], 1, hidden=self.hidden)
            network.begin_from(machines)
        bends = ("logistic",) * len(machines)
        self.parts_ = (dense_part([*network.layers], bends, standard),)
        self._n_features_out = self.hidden[-1]
        return self

    def transform(self, X: npt.ArrayLike) -> Floats:
        """Probabilities of the topmost hidden units.

        Parameters
        ----------
        X : (n, n_columns) float64
            As fitted.

        Returns
        -------
        (n, units of the last machine) float64
            From 0 to 1.
        """
        check_is_fitted(self, "parts_")
        return run(self.parts_, validate_data(self, X, reset=False, dtype=np.float64))


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
        See `offline.estimators.torch_fit.Tuning`.
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
        table, index = labelled(self, X, y)
        tuning = Tuning(
            epochs=self.epochs,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            validation_fraction=self.validation_fraction,
        )
        standard = standard_of(table)
        rows, n_labels, seed = singles(table, standard), len(self.classes_), seed_of(self.random_state)
        with reproducible(seed, threads=1):
            network = DeepBeliefNetwork(rows.shape[1], n_labels, hidden=self.hidden, dropout=self.dropout)
            self.pretraining_errors_: list[list[float]] = []
            if self.pretraining_epochs:
                machines, self.pretraining_errors_ = teach_stack(
                    rows, self.hidden, epochs=self.pretraining_epochs
                )
                network.begin_from(machines)
            self.history_ = fine_tune(network, rows, index, n_labels, tuning, seed)
        self.network_ = network
        bends = ("logistic",) * len(network.layers) + ("none",)
        self.parts_ = (dense_part([*network.layers, network.head], bends, standard),)
        return self
