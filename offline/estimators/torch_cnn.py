"""The convolutional network as a scikit-learn classifier that may first learn from other people."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from models.layers import Layer
from models.networks.table_cnn import TableCNN
from offline.base.reproducible import reproducible
from offline.estimators.torch_base import NetworkClassifier, NetworkTable
from offline.estimators.torch_fit import NetworkError
from offline.estimators.torch_layers import convolution_layers


@dataclass(eq=False, repr=False)
class ConvolutionalClassifier(NetworkClassifier):
    """Convolutions over the table laid out as an image, pretrained where there is somebody to pretrain on.

    Aghdam, Sharifi & Pedram 2019 (Journal of Digital Imaging 32:899-918): young children are few, so the
    network learns from older ones first.  Say who is a source with ``fit(X, y, source=flags)``; in
    a cross-validation the flags go through scikit-learn's metadata routing
    (``set_fit_request(source=True)``) or ``params={"source": flags}``, for they are divided as rows are.
    Rows of the source are predicted there like any other: leave them out of the scores.

    Parameters
    ----------
    arrangement : {"image", "matrix"}
        As `models.networks.table_cnn.TableCNN` has it: ``"matrix"`` for all connections of a set of regions.
    filters, hidden, dropout
        As `models.networks.table_cnn.TableCNN` has them.
    freeze : bool
        Whether the filters stay as the source taught them; otherwise they are fine-tuned too.
    slower : float
        By how much the rate is lowered for fine-tuning, so that what was learnt before is not washed out.
    epochs, learning_rate, weight_decay, validation_fraction, random_state
        See `offline.estimators.torch_base.NetworkClassifier`; of either stage.
    """

    QUICK: ClassVar[Mapping[str, Any]] = {"filters": 4, "hidden": 16, "epochs": 25, "learning_rate": 3e-3}

    arrangement: str = "image"
    _: KW_ONLY
    filters: int = 8
    hidden: int = 32
    dropout: float = 0.3
    freeze: bool = False
    slower: float = 0.3
    epochs: int = 60

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike, source: npt.ArrayLike | None = None) -> Self:
        """Fit to a table (n, n_columns) float64 and its labels (n,) str or int.

        Who is a ``source``, (n,) bool, is learnt from first, and not afterwards; None for no rows.  Columns
        are standardised over all.
        """
        table = self.begin(X, y)
        first = _flags(source, len(table.y))
        for who, chosen in (("source", first), ("target", ~first)):
            absent = self.classes_[~np.isin(np.arange(table.n_labels), table.y[chosen])]
            if len(absent) and (who == "target" or first.any()):
                raise NetworkError(
                    f"No row of the {who} has label {', '.join(map(repr, absent.tolist()))}; expected every "
                    "label in both groups. Choose the source differently, or give none."
                )
        with reproducible(table.seed, threads=1):
            network = self.network_of(table)
            self.source_history_: list[dict[str, float]] = []
            slower = 1.0
            if first.any():
                self.source_history_ = self.fine_tune(network, table.X[first], table.y[first], table.seed)
                slower = self.slower
                # AdamW passes over parameters without a gradient, its weight decay included.
                network.convolutions.requires_grad_(not self.freeze)
            self.history_ = self.fine_tune(
                network, table.X[~first], table.y[~first], table.seed, slower=slower
            )
        return self.fitted(network, table)

    def network_of(self, table: NetworkTable) -> TableCNN:
        """With weights drawn at random."""
        return TableCNN(
            *table.sizes,
            arrangement=self.arrangement,
            filters=self.filters,
            hidden=self.hidden,
            dropout=self.dropout,
        )

    @property
    def layers_(self) -> tuple[Layer, ...]:
        """What it computes, for export."""
        return convolution_layers(self.network_, self.mean_, self.scale_)


def _flags(source: npt.ArrayLike | None, n: int) -> npt.NDArray[np.bool_]:
    if source is None:
        return np.zeros(n, dtype=np.bool_)
    flags = np.asarray(source)
    if flags.shape != (n,) or flags.dtype != np.bool_:
        raise NetworkError(
            f"source has shape {flags.shape} and type {flags.dtype}; expected ({n},) bool, one flag a row."
        )
    return flags
