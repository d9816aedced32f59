"""A network over a table fitted to labels through skorch: the part that all torch estimators share."""

import logging
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import torch
from sklearn.model_selection import StratifiedShuffleSplit
from skorch import NeuralNet, NeuralNetClassifier
from skorch.callbacks import EarlyStopping
from skorch.dataset import Dataset
from skorch.helper import predefined_split
from torch import Tensor, nn

from offline.estimators.base import Labels
from offline.estimators.torch_base import NetworkError, Singles, Tuning
from offline.training.fit import label_weights

LEAST_HELD_OUT = 4
"""Rows of the rarest label below which none are held out: early stopping would listen to one person."""

log = logging.getLogger(__name__)


class Batches:
    """Rows in batches, ordered at once: torch's loader collates row by row, which for a table takes longer.

    Parameters
    ----------
    dataset : skorch.dataset.Dataset
        Of arrays.
    batch_size : int
        Rows of each but the last.
    shuffle : bool
        Whether torch's generator orders the rows.
    """

    def __init__(self, dataset: Any, batch_size: int, shuffle: bool = False) -> None:
        self.X, self.y = torch.from_numpy(dataset.X), torch.from_numpy(dataset.y)
        self.batch_size, self.shuffle = batch_size, shuffle

    def __len__(self) -> int:
        return -(-len(self.X) // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        X, y = self.X, self.y
        if self.shuffle:
            order = torch.randperm(len(X))
            X, y = X.index_select(0, order), y.index_select(0, order)
        yield from zip(X.split(self.batch_size), y.split(self.batch_size), strict=True)


class _Brief:
    """skorch's loop without what is done for each batch and never read.

    A step of a small network takes a millisecond or two.  The history of single batches, the calls of
    callbacks in each and the search for modules to put into training mode took half a millisecond more.
    """

    _default_callbacks: ClassVar[list[Any]] = []
    """None: the times, scores and prints of skorch are not read, and the losses are recorded here."""

    def run_single_epoch(
        self: Any, iterator: Any, training: bool, prefix: str, step_fn: Any, **fit_params: Any
    ) -> None:
        """One pass over the rows, with a step after each batch in training; records the mean loss."""
        if iterator is None:
            return
        network, criterion, optimizer = self.module_, self.criterion_, self.optimizer_
        self._set_training(training)
        learnt = list(network.parameters())
        losses, sizes = [], []
        with torch.set_grad_enabled(training):
            for rows, target in iterator:
                loss = criterion(network(rows), target)
                if training:
                    for parameter in learnt:  # as the optimiser's own, which is timed for a profiler
                        parameter.grad = None
                    loss.backward()
                    optimizer.step()
                losses.append(loss.item())
                sizes.append(len(rows))
        self.history.record(f"{prefix}_loss", float(np.average(losses, weights=sizes)))


class BriefNet(_Brief, NeuralNet):
    """Of a loss that has no weights of its own."""


class _BriefClassifier(_Brief, NeuralNetClassifier):
    """Of labels."""


def fine_tune(network: nn.Module, X: Singles, y: Labels, tuning: Tuning, seed: int) -> list[dict[str, float]]:
    """Fit a network to labels, in place; in evaluation mode and with the best epoch's weights afterwards.

    The caller has seeded torch (`offline.base.reproducible`).

    Parameters
    ----------
    network : torch.nn.Module
        Maps (batch, n_columns) float32 to logits.
    X : (n, n_columns) float32
        Standardised rows.
    y : (n,) int64
        Labels from 0, each of them there.
    tuning : Tuning
        How.
    seed : int
        Of who is held out.

    Returns
    -------
    list of dict
        Of each epoch ``train_loss`` and, where rows are held out, ``valid_loss``.
    """
    n_labels = int(y.max()) + 1
    train, held = divided(y, n_labels, tuning.validation_fraction, seed)
    net = _BriefClassifier(
        network,
        criterion=nn.CrossEntropyLoss,
        criterion__weight=label_weights(y[train], n_labels),
        optimizer=torch.optim.AdamW,
        optimizer__weight_decay=tuning.weight_decay,
        lr=tuning.learning_rate,
        train_split=predefined_split(Dataset(X[held], y[held])) if len(held) else None,
        classes=list(range(n_labels)),
        callbacks=[("stop", _Stop(tuning.patience))] if len(held) else [],
        **common(tuning.epochs, tuning.batch_size),
    )
    return fitted(net, X[train], y[train], tuning.epochs)


def common(epochs: int, batch_size: int) -> dict[str, Any]:
    """Settings of skorch that do not depend on what is learnt.

    Parameters
    ----------
    epochs, batch_size : int
        As `Tuning` has them.
    """
    return {
        "max_epochs": epochs,
        "batch_size": batch_size,
        "iterator_train": Batches,
        "iterator_train__shuffle": True,
        "iterator_valid": Batches,
        "iterator_valid__batch_size": -1,
        # One call for all parameters: tensor by tensor, Adam's calls take longer than its arithmetic.
        "optimizer__fused": True,
        "verbose": 0,
    }


def fitted(net: NeuralNet, X: Singles, target: Labels | Singles, epochs: int) -> list[dict[str, float]]:
    """Run skorch's fit and say how it went.

    Parameters
    ----------
    net : skorch.NeuralNet
        Around a network that exists already.
    X : (n, n_columns) float32
        Rows.
    target : (n,) int64 or (n, n_out) float32
        What is learnt.
    epochs : int
        Most.

    Raises
    ------
    NetworkError
        The loss is not a finite number.
    """
    net.fit(X, target)
    rows = [{k: float(row[k]) for k in ("train_loss", "valid_loss") if k in row} for row in net.history]
    for epoch, row in enumerate(rows, start=1):
        if not all(np.isfinite(loss) for loss in row.values()):
            raise NetworkError(
                f"The loss became {row} in epoch {epoch}; expected finite numbers. Lower the learning rate."
            )
    stop = dict(net.callbacks_).get("stop")
    cut = not rows or "train_loss" not in rows[-1] or ("valid_loss" in rows[0]) != ("valid_loss" in rows[-1])
    if (len(rows) < epochs or cut) and not (stop is not None and stop.ended):
        # skorch takes Ctrl-C for the wish to stop and keep; here it means what it says.
        raise KeyboardInterrupt
    net.module_.eval()
    return rows


def divided(y: Labels, n_labels: int, fraction: float, seed: int) -> tuple[Any, Any]:
    """Rows to learn from and rows to listen to, labels in the same proportions.

    Parameters
    ----------
    y : (n,) int64
        Labels from 0.
    n_labels : int
        Labels there are.
    fraction : float
        Share that is held out.
    seed : int
        Of who.

    Returns
    -------
    train, held : (m,) intp
        None are held out where the rarest label has fewer than `LEAST_HELD_OUT` rows.
    """
    everyone = np.arange(len(y))
    fewest = int(np.bincount(y, minlength=n_labels).min())
    n_held = round(fraction * len(y))
    if fewest < LEAST_HELD_OUT or n_held < n_labels:
        return everyone, everyone[:0]
    split = StratifiedShuffleSplit(1, test_size=n_held, random_state=seed)
    train, held = next(split.split(everyone, y))
    return np.sort(train), np.sort(held)


class _Stop(EarlyStopping):
    """Early stopping that remembers that it was it."""

    def __init__(self, patience: int) -> None:
        super().__init__(
            monitor="valid_loss", patience=patience, threshold=0.0, load_best=True, sink=log.debug
        )
        self.ended = False

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Stop where it is time."""
        try:
            super().on_epoch_end(net, **kwargs)
        except KeyboardInterrupt:  # skorch's way to end a training
            self.ended = True
            raise
