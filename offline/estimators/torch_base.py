"""What the networks over tables share.

A fitted network predicts in double precision from its float32 weights: then a row's logits do not depend,
beyond rounding, on the rows that are predicted with it, and an exported model computes the same with numpy.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch
from sklearn.utils import check_random_state
from torch import Tensor, nn

from models.arrays import Floats
from offline.estimators.base import Labels, LogitClassifier, TableError, labelled
from offline.estimators.scaling import standard_of

Singles = npt.NDArray[np.float32]


class NetworkError(TableError):
    """A table or a setting does not allow a fit of a network."""


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """How a network is fitted to labels.

    Parameters
    ----------
    epochs : int
        Most passes over the rows.
    learning_rate, weight_decay : float
        Of the optimiser AdamW (Loshchilov & Hutter 2019).
    validation_fraction : float
        Share of the rows that are held out for early stopping; 0 for none, then all epochs are run.
    patience : int
        Epochs without a better loss of the held-out rows after which training ends.
    batch_size : int
        Rows a step.
    """

    epochs: int
    learning_rate: float
    weight_decay: float
    validation_fraction: float
    patience: int = 10
    batch_size: int = 64

    def __post_init__(self) -> None:
        if self.epochs < 1 or not 0.0 <= self.validation_fraction < 1.0:
            raise NetworkError(
                f"{self.epochs} epochs, {self.validation_fraction} of the rows held out; expected at least "
                "one epoch, and a share from 0 to below 1."
            )


@dataclass(frozen=True, eq=False)
class NetworkTable:
    """A checked table as a network sees it.

    Parameters
    ----------
    X : (n, n_columns) float32
        Standardised.
    y : (n,) int64
        Labels from 0.
    n_labels : int
        How many.
    mean, scale : (n_columns,) float64
        Of the columns.
    seed : int
        Of all chance in the fit.
    """

    X: Singles
    y: Labels
    n_labels: int
    mean: Floats
    scale: Floats
    seed: int

    @property
    def sizes(self) -> tuple[int, int]:
        """Columns and labels."""
        return self.X.shape[1], self.n_labels


class NetworkClassifier(LogitClassifier):
    """A network over tables.

    Labels weigh the same however many rows have them, so probabilities are those at equal prevalence.
    """

    QUICK: ClassVar[Mapping[str, Any]] = {}
    """Settings under which 760 rows of 500 columns take a few seconds on one core."""

    epochs: int
    learning_rate: float
    weight_decay: float
    validation_fraction: float
    random_state: Any
    network_: nn.Module
    mean_: Floats
    scale_: Floats

    @classmethod
    def quick(cls, **settings: Any) -> Self:
        """One with the settings of `QUICK`, and these."""
        return cls(**{**cls.QUICK, **settings})

    def begin(self, X: npt.ArrayLike, y: npt.ArrayLike) -> NetworkTable:
        """Check a table (n, n_columns) float64 and its labels (n,) str or int, and standardise it."""
        table, index = labelled(self, X, y)
        return network_table(table, index, len(self.classes_), seed_of(self.random_state))

    def tuning(self, *, slower: float = 1.0) -> Tuning:
        """How the network is fitted to labels, its learning rate lowered by a factor."""
        return Tuning(
            epochs=self.epochs,
            learning_rate=self.learning_rate * slower,
            weight_decay=self.weight_decay,
            validation_fraction=self.validation_fraction,
        )

    def fitted(self, network: nn.Module, table: NetworkTable) -> Self:
        """This classifier, with its network and how columns were standardised for it."""
        self.network_, self.mean_, self.scale_ = network.double(), table.mean, table.scale
        return self

    def logits_of_rows(self, X: Floats) -> Floats:
        """Logits (n, n_labels) float64 of rows (n, n_columns) float64."""
        with torch.inference_mode():
            return np.asarray(self.network_(torch.from_numpy((X - self.mean_) / self.scale_)).numpy())


def network_table(table: Floats, y: Labels, n_labels: int, seed: int) -> NetworkTable:
    """A table (n, n_columns) float64 with labels (n,) int64 from 0, as a network sees it."""
    mean, scale = standard_of(table)
    rows = np.asarray((table - mean) / scale, dtype=np.float32)
    return NetworkTable(rows, y, n_labels, mean, scale, seed)


def numbers_of(tensor: Tensor) -> Floats:
    """A tensor (...) floating as an array (...) float64."""
    return np.asarray(tensor.detach().numpy(), dtype=np.float64)


def seed_of(random_state: Any) -> int:
    """The seed of all chance in one fit, from what scikit-learn calls a random state."""
    return int(check_random_state(random_state).randint(2**31 - 1))
