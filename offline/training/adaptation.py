"""A model moved to one person: its last layer fitted to a few of their labelled blocks, drawn to the old one.

Weights have a Gaussian prior around those of the model (regularised adaptation; Evgeniou & Pontil 2004, KDD
109), and blocks, not windows, count as observations: windows of one block say nearly the same.  How far
weights may move is chosen on blocks that are held out in turn, and unless those are predicted better than by
the model as it is, by more than one standard error, nothing moves (Breiman et al. 1984, section 3.4.3).
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import logsumexp, softmax
from torch import nn

from models.arrays import Floats
from models.errors import RecipeError
from models.networks.last_layer import features_of, last_layers
from offline.base.sample_table import SampleTable
from offline.base.window_store import Windows

MOVES = (0.1, 0.3, 1.0, 3.0)
"""Prior SDs of what a move of the weights does to the logits of a usual window; chosen from.  They are in
logits, or in the old model's own where those are larger: one that is too sure of itself moves as easily."""
SHIFT = 1.0
"""Prior SD of a move of the bias, in the same unit."""
FOLDS = 10
"""Most divisions of the blocks; with fewer blocks each is held out alone."""
FEWEST_BLOCKS = 2
"""Of each label: one to learn from while the other is held out."""

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Adapted:
    """A model after its minutes with one person.

    Parameters
    ----------
    network : torch.nn.Module
        A copy; the old one's weights where nothing moved.
    moves : tuple of float
        How far each of its last layers was let move (`MOVES`); 0 is not at all.
    before, after : float
        Mean log loss (nats) of held-out blocks, by the old weights and by those that were chosen.
    """

    network: nn.Module
    moves: tuple[float, ...]
    before: float
    after: float

    @property
    def moved(self) -> bool:
        """Whether anything did."""
        return any(self.moves)


def blocks_of(table: SampleTable) -> Ints:
    """Number of each sample's block, (n_samples,) int64: as the table has it, else a run of one label.

    Without numbers, a run of windows that overlap is a block: windows of two blocks never share a sample, so
    where one begins no earlier than the last ended, and later than windows follow each other, a block begins.
    """
    n = len(table)
    if n == 0:
        return np.zeros(0, dtype=np.int64)
    order = np.lexsort((table.start, table.recording))
    if table.block is not None:
        recording = np.unique(table.recording[order], return_inverse=True)[1]
        changes = (np.diff(recording) != 0) | (np.diff(table.block[order]) != 0)
        known = np.empty(n, dtype=np.int64)
        known[order] = np.concatenate([[0], np.cumsum(changes)])
        return known
    start, stop = table.start[order], table.stop[order]
    other = table.recording[order][1:] != table.recording[order][:-1]
    after = np.diff(start)
    step = float(np.median(after[~other])) if (~other).any() else 0.0
    pause = (start[1:] >= stop[:-1] - 1e-6) & (after > 1.5 * step)
    begins = other | pause | (np.diff(table.target[order]) != 0)
    number = np.empty(n, dtype=np.int64)
    number[order] = np.concatenate([[0], np.cumsum(begins)])
    return number


def blocks_by_label(y: Ints, block: Ints, n_labels: int) -> list[int]:
    """How many blocks each label has; labels and numbers of blocks are (n_windows,) int64."""
    return [len(np.unique(block[y == label])) for label in range(n_labels)]


def check_blocks(y: Ints, block: Ints, labels: tuple[str, ...]) -> None:
    """Refuse too few blocks to learn from and to try on.

    Labels and numbers of blocks are (n_windows,) int64; ``labels`` are the names.

    Raises
    ------
    RecipeError
        Says how many blocks each label has.
    """
    found = blocks_by_label(y, block, len(labels))
    if min(found) < FEWEST_BLOCKS:
        raise RecipeError(
            f"Calibration needs {FEWEST_BLOCKS} blocks of every label or more; found "
            f"{', '.join(f'{n} of {name!r}' for name, n in zip(labels, found, strict=True))}. Record "
            "more of the new person, or give more recordings."
        )


def adapt(
    network: nn.Module, X: Windows, y: Ints, block: Ints, *, labels: tuple[str, ...], temperature: float
) -> Adapted:
    """Move a model's last layers to one person, as far as their own blocks bear out.

    Parameters
    ----------
    network : torch.nn.Module
        In evaluation mode, on the CPU; stays as it is.
    X : (n_windows, n_channels, n_samples) float32
        The person's windows.
    y, block : (n_windows,) int64
        Their labels, and numbers of their blocks, in order of time.
    labels : tuple of str
        Of the model.
    temperature : float
        By which its logits are divided.

    Raises
    ------
    RecipeError
        There are too few blocks, or the model has no last layer.
    """
    check_blocks(y, block, labels)
    network = deepcopy(network)
    layers = last_layers(network)
    if not layers:
        raise RecipeError(
            f"{type(network).__name__} has no last layer that could be moved. Train another kind of model."
        )
    weight = _weights(y, block)
    division = np.unique(block, return_inverse=True)[1] % FOLDS
    moves, before, after = [], [], []
    for layer, features in zip(layers, features_of(network, layers, X), strict=True):
        old = layer.weights / temperature
        losses = {move: _held_out(features, y, weight, division, old, move) for move in (0.0, *MOVES)}
        best = min(losses, key=lambda move: (np.average(losses[move], weights=weight), move))
        if not _gained(losses[0.0] - losses[best], weight, block):
            best = 0.0
        else:
            layer.put(temperature * _fit(features, y, weight, old, best))
        moves.append(best)
        before.append(np.average(losses[0.0], weights=weight))
        after.append(np.average(losses[best], weights=weight))
    return Adapted(network, tuple(moves), float(np.mean(before)), float(np.mean(after)))


def adapted_json(adapted: Adapted) -> Mapping[str, Any]:
    """What a card tells of it, JSON types."""
    return {
        "method": "last layer, drawn to the old weights",
        "moves": list(adapted.moves),
        "moved": adapted.moved,
        "log_loss_before": round(adapted.before, 4),
        "log_loss_after": round(adapted.after, 4),
    }


def _weights(y: Ints, block: Ints) -> Floats:
    """Weight of each window: a block counts once, all blocks as many as there are, labels alike."""
    _, which, size = np.unique(block, return_inverse=True, return_counts=True)
    each = 1.0 / size[which]
    total = np.bincount(y, weights=each)
    return np.asarray(each * (total.sum() / np.count_nonzero(total) / total[y]))


def _gained(gain: Floats, weight: Floats, block: Ints) -> bool:
    """Whether blocks gain more than one standard error, of what their windows gain: (n_windows,) float64."""
    which = np.unique(block, return_inverse=True)[1]
    heavy = np.bincount(which, weights=weight)
    each = np.bincount(which, weights=weight * gain) / heavy
    mean = float(np.average(each, weights=heavy))
    n = len(each)
    error = float(np.sqrt(np.square(heavy * (each - mean)).sum() * n / (n - 1))) / heavy.sum()
    return mean > error


def _held_out(features: Floats, y: Ints, weight: Floats, division: Ints, old: Floats, move: float) -> Floats:
    """Log loss (nats) of each window by what was fitted without its block, (n_windows,) float64."""
    loss = np.empty(len(y))
    for number in np.unique(division):
        test = division == number
        train = ~test
        new = old
        if move > 0.0 and train.any():
            own = (
                weight[train] / np.bincount(y[train], weights=weight[train], minlength=y.max() + 1)[y[train]]
            )
            own *= weight[train].sum() / own.sum()
            new = _fit(features[train], y[train], own, old, move)
        loss[test] = _losses(_logits(features[test], new), y[test])
    return loss


def _logits(features: Floats, weights: Floats) -> Floats:
    """(n, n_labels), of two labels from one column of log odds."""
    found = features @ weights[:-1] + weights[-1]
    return np.concatenate([-0.5 * found, 0.5 * found], axis=1) if found.shape[1] == 1 else found


def _losses(logits: Floats, y: Ints) -> Floats:
    """Log loss of each window, (n,) float64, nats."""
    return np.asarray(logsumexp(logits, axis=1) - logits[np.arange(len(y)), y])


def _prior(features: Floats, weight: Floats, old: Floats, move: float) -> Floats:
    """Inverse variance of each weight's move, (n_features + 1, n_columns) float64."""
    logits = _logits(features, old)
    unit = max(float(np.average(logits.std(axis=1), weights=weight)), 1.0)
    size = max(float(np.average(np.square(features).sum(axis=1), weights=weight)), 1e-12)
    prior = np.full(old.shape, size / (move * unit) ** 2)
    prior[-1] = 1.0 / (SHIFT * unit) ** 2
    return prior


def _fit(features: Floats, y: Ints, weight: Floats, old: Floats, move: float) -> Floats:
    """Weights of most posterior probability: (n_features + 1, n_columns) float64."""
    prior = _prior(features, weight, old, move)
    extended = np.concatenate([features, np.ones((len(features), 1))], axis=1)
    rows = np.arange(len(y))

    def objective(flat: Floats) -> tuple[float, Floats]:
        step = flat.reshape(old.shape)
        logits = _logits(features, old + step)
        slope = softmax(logits, axis=1)
        slope[rows, y] -= 1.0
        slope *= weight[:, np.newaxis]
        if old.shape[1] == 1:
            slope = 0.5 * (slope[:, 1:] - slope[:, :1])
        value = float(weight @ _losses(logits, y) + 0.5 * (prior * step**2).sum())
        return value, (extended.T @ slope + prior * step).ravel()

    found = minimize(objective, np.zeros(old.size), jac=True, method="L-BFGS-B", options={"maxiter": 500})
    return old + np.asarray(found.x).reshape(old.shape)
