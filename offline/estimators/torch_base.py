"""What the networks over tables share.

A fitted network predicts in double precision from its float32 weights: then a row's logits do not depend,
beyond rounding, on the rows that are predicted with it, and an exported model computes the same with numpy.
"""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch
from sklearn.utils import check_random_state
from torch import Tensor, nn

from models.arrays import Floats
from offline.base.reproducible import reproducible
from offline.estimators.base import Labels, LogitClassifier, labelled
from offline.estimators.scaling import standard_of
from offline.estimators.torch_fit import Singles, fine_tune


@dataclass(frozen=True, eq=False)
class NetworkTable:
    """A checked table as a network sees it."""

    X: Singles  # (n, n_columns), standardised
    y: Labels  # (n,), from 0
    n_labels: int
    mean: Floats  # (n_columns,), of the columns
    scale: Floats  # (n_columns,)
    seed: int  # of all chance in the fit

    @classmethod
    def of(cls, table: Floats, y: Labels, n_labels: int, seed: int) -> Self:
        """Standardise a table (n, n_columns) float64."""
        mean, scale = standard_of(table)
        return cls(np.asarray((table - mean) / scale, dtype=np.float32), y, n_labels, mean, scale, seed)

    @property
    def sizes(self) -> tuple[int, int]:
        """Columns and labels."""
        return self.X.shape[1], self.n_labels


@dataclass(eq=False, repr=False, kw_only=True)
class NetworkClassifier(LogitClassifier):
    """A network over tables; a subclass makes it (`network_of`).

    Labels weigh the same however many rows have them, so probabilities are those at equal prevalence.

    Parameters
    ----------
    epochs : int
        Most passes over the rows.
    learning_rate, weight_decay : float
        Of the optimiser AdamW (Loshchilov & Hutter 2019).
    validation_fraction : float
        Share of the rows that are held out for early stopping; 0 for none, then all epochs are run.
    random_state : int, RandomState or None
        Draws everything; torch's and numpy's own generators are left as they were.

    Attributes
    ----------
    history_ : list of dict
        Losses of each epoch, as `offline.estimators.torch_fit.fine_tune` gives them.
    """

    QUICK: ClassVar[Mapping[str, Any]] = {}
    """Settings under which 760 rows of 500 columns take a few seconds on one core."""

    epochs: int = 100
    learning_rate: float = 1e-3
    weight_decay: float = 0.1
    validation_fraction: float = 0.15
    random_state: Any = None

    @classmethod
    def quick(cls, **settings: Any) -> Self:
        """One with the settings of `QUICK`, and these."""
        return cls(**{**cls.QUICK, **settings})

    @abstractmethod
    def network_of(self, table: NetworkTable) -> nn.Module:
        """A network for the columns and labels of a table, pretrained on its rows where that is asked for."""

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> Self:
        """Fit to a table (n, n_columns) float64 and its labels (n,) str or int."""
        table = self.begin(X, y)
        with reproducible(table.seed, threads=1):
            network = self.network_of(table)
            self.history_ = self.fine_tune(network, table.X, table.y, table.seed)
        return self.fitted(network, table)

    def begin(self, X: npt.ArrayLike, y: npt.ArrayLike) -> NetworkTable:
        """Check a table (n, n_columns) float64 and its labels (n,) str or int, and standardise it."""
        table, index = labelled(self, X, y)
        return NetworkTable.of(table, index, len(self.classes_), seed_of(self.random_state))

    def fine_tune(
        self, network: nn.Module, X: Singles, y: Labels, seed: int, *, slower: float = 1.0
    ) -> list[dict[str, float]]:
        """`offline.estimators.torch_fit.fine_tune` with these settings, the learning rate times a factor.

        Rows are (n, n_columns) float32, standardised, labels (n,) int64 from 0.
        """
        return fine_tune(
            network,
            X,
            y,
            epochs=self.epochs,
            learning_rate=self.learning_rate * slower,
            weight_decay=self.weight_decay,
            validation_fraction=self.validation_fraction,
            seed=seed,
        )

    def fitted(self, network: nn.Module, table: NetworkTable) -> Self:
        """This classifier, with its network and how columns were standardised for it."""
        self.network_, self.mean_, self.scale_ = network.double(), table.mean, table.scale
        return self

    def logits_of_rows(self, X: Floats) -> Floats:
        """Logits (n, n_labels) float64 of rows (n, n_columns) float64."""
        return computed(self.network_, (X - self.mean_) / self.scale_)


def computed(network: Callable[[Tensor], Tensor], X: Floats) -> Floats:
    """What a network in double precision makes of standardised rows: (n, n_columns) to (n, n_out) float64."""
    with torch.inference_mode():
        return np.asarray(network(torch.from_numpy(X)).numpy())


def numbers_of(tensor: Tensor) -> Floats:
    """A tensor (...) floating as an array (...) float64."""
    return np.asarray(tensor.detach().numpy(), dtype=np.float64)


def seed_of(random_state: Any) -> int:
    """The seed of all chance in one fit, from what scikit-learn calls a random state."""
    return int(check_random_state(random_state).randint(2**31 - 1))
