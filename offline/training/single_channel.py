"""A CGRNN for every channel alone, and the channel that serves best: the system of Xu et al. (2019).

Xu L, Geng X, He X, Li J, Yu J (2019). Prediction in autism by deep learning short-time spontaneous
hemodynamic fluctuations. Frontiers in Neuroscience 13:1120.

All networks see the same windows in the same order and are trained together (`models.fast_cgrnn.many`).  The
channel is chosen by windows that no network learnt from, within whatever may be looked at at all: never by
those that are evaluated afterwards.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from models.errors import RecipeError
from models.fast_cgrnn.many import ManyCGRNN, make_many
from models.networks.registry import make_model
from offline.base.label_weights import label_weights
from offline.base.reproducible import reproducible
from offline.base.window_store import Windows, channels_of
from offline.samples.recipe_sections import Training
from offline.training.fit import Labels, OnEpoch

TOGETHER = 12
"""So many networks are trained as one: their numbers stay in the processor's cache."""


@dataclass(frozen=True, eq=False)
class Channels:
    """A network for each channel, in evaluation mode and with the weights of its best epoch.

    Parameters
    ----------
    loss : (n_channels,) float64
        Log loss of each on the windows that it did not learn from, labels weighing the same; at best epoch.
    best_epoch : (n_channels,) int64
        From 1.
    """

    networks: list[nn.Module]
    loss: npt.NDArray[np.float64]
    best_epoch: npt.NDArray[np.int64]

    @property
    def best(self) -> int:
        """The channel with the least loss."""
        return int(np.argmin(self.loss))

    @property
    def ranking(self) -> npt.NDArray[np.intp]:
        """Channels from the best on, (n_channels,) intp."""
        return np.argsort(self.loss, kind="stable")


def fit_channels(
    X: Windows,
    y: Labels,
    train: npt.NDArray[np.intp],
    validation: npt.NDArray[np.intp],
    *,
    params: Mapping[str, Any],
    n_outputs: int,
    settings: Training,
    seed: int,
    on_epoch: OnEpoch | None = None,
) -> Channels:
    """Fit a CGRNN to every channel; parameters as of `offline.training.fit.fit_network`.

    Of windows, (n_windows, n_channels, n_samples) float32.  Seeds of first weights are made with the
    channel's number; the validation windows choose an epoch, and then the channel; there is none to drop.

    Raises
    ------
    RecipeError
        There is no window to learn from or to choose by, or a loss is not finite.
    """
    if not len(train) or not len(validation):
        raise RecipeError(
            f"There are {len(train)} windows to train on and {len(validation)} to choose the channel by; "
            "expected some of both. Add people or sessions, or use a network of all channels."
        )
    weight = label_weights(y[train], n_outputs) if settings.class_weights == "balanced" else None
    shape = {"n_chans": 1, "n_times": X.shape[2], "n_outputs": n_outputs}
    networks, parts = [], []
    with reproducible(seed):
        for first in range(0, X.shape[1], TOGETHER):
            channels = range(first, min(first + TOGETHER, X.shape[1]))
            many = make_many(params, seeds=[seed * 100_003 + channel for channel in channels], **shape)
            torch.manual_seed(seed + first)
            own = channels_of(X, channels)
            states, *found = _fit(many, own, y, train, validation, weight, settings, on_epoch)
            parts.append(found)
            for state in states:
                network = make_model("cgrnn", params, **shape)
                network.load_state_dict(state)
                networks.append(network.eval())
    loss, best_epoch = (np.concatenate(each) for each in zip(*parts, strict=True))
    return Channels(networks, loss, best_epoch)


def _fit(
    many: ManyCGRNN,
    X: Windows,
    labels: Labels,
    train: npt.NDArray[np.intp],
    validation: npt.NDArray[np.intp],
    weight: torch.Tensor | None,
    settings: Training,
    on_epoch: OnEpoch | None,
) -> tuple[list[dict[str, torch.Tensor]], npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Train until the last of them has stopped getting better; each keeps its own best weights."""
    n, y = len(many), torch.from_numpy(labels)
    by_channel = np.ascontiguousarray(np.asarray(X).transpose(1, 0, 2))
    windows = torch.from_numpy(by_channel).unsqueeze(2)  # (n, windows, 1, times)
    optimiser = torch.optim.AdamW(
        many.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    best = np.full(n, np.inf)
    best_epoch = np.zeros(n, dtype=np.int64)
    states = [many.state_of(m) for m in range(n)]
    for epoch in range(1, settings.epochs + 1):
        many.train()
        total = 0.0
        for rows in torch.from_numpy(train)[torch.randperm(len(train))].split(settings.batch_size):
            optimiser.zero_grad()
            losses = _losses(many(windows[:, rows]), y[rows], weight)
            losses.sum().backward()
            optimiser.step()
            total += float(losses.detach().mean()) * len(rows) / len(train)
        many.eval()
        with torch.inference_mode():
            parts = [many(windows[:, rows]) for rows in torch.from_numpy(validation).split(256)]
            valid = _losses(torch.cat(parts, dim=1), y[validation], weight).numpy().astype(np.float64)
        if not np.isfinite(total) or not np.isfinite(valid).all():
            raise RecipeError(
                f"The loss became {total} (validation {valid.max()}) in epoch {epoch}; expected finite "
                "numbers. Lower the recipe's learning rate."
            )
        for m in np.flatnonzero(valid < best):
            best[m], best_epoch[m], states[m] = valid[m], epoch, many.state_of(int(m))
        if on_epoch is not None:
            on_epoch(epoch, settings.epochs, total, float(best.min()))
        if epoch >= settings.min_epochs and (epoch - best_epoch >= settings.patience).all():
            break
    return states, best, best_epoch


def _losses(logits: torch.Tensor, y: torch.Tensor, weight: torch.Tensor | None) -> torch.Tensor:
    """Each network's own loss, (n_networks,), of logits (n_networks, batch, n_outputs)."""
    n, batch, n_outputs = logits.shape
    each = cross_entropy(
        logits.reshape(n * batch, n_outputs), y.repeat(n), weight=weight, reduction="none"
    ).view(n, batch)
    total = torch.as_tensor(float(batch)) if weight is None else weight[y].sum()
    return each.sum(dim=1) / total
