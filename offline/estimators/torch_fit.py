"""A network over a table, fitted in batches: the loop that all torch estimators share.

A step of a small network takes a millisecond or two, so nothing is recorded or called but once an epoch,
rows are ordered at once instead of being collated one by one, and optimisers are fused: tensor by tensor,
Adam's calls take longer than its arithmetic.  A test holds that it learns what skorch's loop does.
"""

from collections.abc import Iterable
from copy import deepcopy

import numpy as np
import numpy.typing as npt
import torch
from sklearn.model_selection import StratifiedShuffleSplit
from torch import Tensor, nn

from offline.base.label_weights import label_weights
from offline.estimators.base import Labels, TableError

Singles = npt.NDArray[np.float32]
Rows = npt.NDArray[np.intp]

BATCH_SIZE = 64
"""Rows a step."""
PATIENCE = 10
"""Epochs without a better loss of the held-out rows after which training ends."""
LEAST_HELD_OUT = 4
"""Rows of the rarest label below which none are held out: early stopping would listen to one person."""


class NetworkError(TableError):
    """A table or a setting does not allow a fit of a network."""


def fine_tune(
    network: nn.Module,
    X: Singles,
    y: Labels,
    *,
    epochs: int,
    learning_rate: float,
    weight_decay: float,
    validation_fraction: float,
    seed: int,
    patience: int = PATIENCE,
) -> list[dict[str, float]]:
    """Fit a network to labels, in place; in evaluation mode and with the best epoch's weights afterwards.

    The network maps rows (n, n_columns) float32, standardised, to logits.  Labels, (n,) int64 from 0, each of
    them there, weigh the same, however many rows have them.  Settings are as
    `offline.estimators.torch_base.NetworkClassifier` has them, the seed is of who is held out; the caller has
    seeded torch (`offline.base.reproducible`).  Gives of each epoch ``train_loss`` and, where rows are held
    out, ``valid_loss``.
    """
    if epochs < 1 or not 0.0 <= validation_fraction < 1.0:
        raise NetworkError(
            f"{epochs} epochs, {validation_fraction} of the rows held out; expected at least "
            "one epoch, and a share from 0 to below 1."
        )
    n_labels = int(y.max()) + 1
    train, held = divided(y, n_labels, validation_fraction, seed)
    return run_epochs(
        network,
        X[train],
        y[train],
        loss_of=nn.CrossEntropyLoss(label_weights(y[train], n_labels)),
        optimizer=torch.optim.AdamW(
            network.parameters(), lr=learning_rate, weight_decay=weight_decay, fused=True
        ),
        epochs=epochs,
        held=(X[held], y[held]) if len(held) else None,
        patience=patience,
    )


def run_epochs(
    network: nn.Module,
    X: Singles,
    target: Labels | Singles,
    *,
    loss_of: nn.Module,
    optimizer: torch.optim.Optimizer,
    epochs: int,
    held: tuple[Singles, Labels] | None = None,
    patience: int = PATIENCE,
) -> list[dict[str, float]]:
    """Fit a network to targets, (n,) int64 or (n, n_out) float32, in place; all else as `fine_tune` has it.

    Without rows that are ``held`` out there is no early stopping, and the last weights stay.

    Raises
    ------
    NetworkError
        The loss is not a finite number.
    """
    rows, wanted = torch.from_numpy(X), torch.from_numpy(target)
    history: list[dict[str, float]] = []
    best, misses, weights = np.inf, 0, network.state_dict()
    for epoch in range(1, epochs + 1):
        order = torch.randperm(len(rows))
        ordered = (whole.index_select(0, order).split(BATCH_SIZE) for whole in (rows, wanted))
        row = {"train_loss": _mean_loss(network.train(), zip(*ordered, strict=True), loss_of, optimizer)}
        if held is not None:
            out = (torch.from_numpy(held[0]), torch.from_numpy(held[1]))
            with torch.no_grad():
                row["valid_loss"] = _mean_loss(network.eval(), [out], loss_of)
        history.append(row)
        if not np.isfinite(list(row.values())).all():
            raise NetworkError(
                f"The loss became {row} in epoch {epoch}; expected finite numbers. Lower the learning rate."
            )
        if held is None:
            continue
        if row["valid_loss"] < best:
            best, misses, weights = row["valid_loss"], 0, deepcopy(network.state_dict())
        elif (misses := misses + 1) == patience:
            break
    if misses:
        network.load_state_dict(weights)
    network.eval()
    return history


def _mean_loss(
    network: nn.Module,
    batches: Iterable[tuple[Tensor, ...]],
    loss_of: nn.Module,
    optimizer: torch.optim.Optimizer | None = None,
) -> float:
    """Mean loss over batches of rows and targets, with a step after each where an optimiser is given."""
    losses, sizes = [], []
    for rows, target in batches:
        loss = loss_of(network(rows), target)
        if optimizer is not None:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        losses.append(loss.item())
        sizes.append(len(rows))
    return float(np.average(losses, weights=sizes))


def divided(y: Labels, n_labels: int, fraction: float, seed: int) -> tuple[Rows, Rows]:
    """Rows to learn from and rows to listen to, (m,) intp each, labels (n,) int64 in the same proportions.

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
