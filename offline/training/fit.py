"""One network fitted to windows, through skorch: the part of training that knows no person.

Same windows, settings and seed give the same weights, bit for bit, on one kind of CPU with one
thread: torch's own generator is forked, its deterministic algorithms are switched on, and both
are put back as they were.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from skorch import NeuralNetClassifier
from skorch.callbacks import EarlyStopping
from skorch.helper import predefined_split
from torch import nn

from models.errors import RecipeError
from models.networks.parts.projection import Projected
from models.networks.registry import make_model, parameters_of
from models.networks.virtual_probe import VirtualProbe
from offline.base.label_weights import label_weights
from offline.base.reproducible import reproducible
from offline.base.window_store import Windows
from offline.samples.recipe_sections import Training
from offline.training.augmentation import Augmentation
from offline.training.batches import SomeWindows, as_it_is
from offline.training.mirroring import Mirroring
from offline.training.placement import place_on
from offline.training.pretrained import PretrainedEncoder, start_from
from realtime.signal import SignalSpec

Labels = npt.NDArray[np.int64]
OnEpoch = Callable[[int, int, float, float | None], None]
"""Called after each epoch with: epoch, most epochs, training loss, validation loss (or None)."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class FittedNetwork:
    """A fitted network, in evaluation mode on the CPU, and how it came about.

    Parameters
    ----------
    history : tuple of mappings
        For each epoch ``epoch``, ``train_loss`` and, with validation, ``valid_loss``.
    best_epoch : int
        The epoch whose weights were kept, counted from 1.
    stopped_early : bool
        Whether early stopping ended it.
    """

    network: nn.Module
    history: tuple[Mapping[str, float], ...]
    best_epoch: int
    stopped_early: bool


def fit_network(
    X: Windows,
    y: Labels,
    train: npt.NDArray[np.intp],
    validation: npt.NDArray[np.intp],
    *,
    name: str,
    params: Mapping[str, Any],
    n_outputs: int,
    settings: Training,
    seed: int,
    on_epoch: OnEpoch | None = None,
    augment: Augmentation | None = None,
    mirror: Mirroring | None = None,
    behind: SignalSpec | None = None,
    encoder: PretrainedEncoder | None = None,
    start: Mapping[str, torch.Tensor] | None = None,
    device: str = "cpu",
) -> FittedNetwork:
    """Fit a network by AdamW (Loshchilov and Hutter 2019).

    Parameters
    ----------
    X, y : (n_windows, n_channels, n_samples) float32, (n_windows,) int64
        Windows as the pipeline gives them, and their labels.
    train, validation : (n,) intp
        Windows to learn from, and those that early stopping listens to; without any of these, all
        epochs are run.
    name, params, n_outputs
        As `models.networks.registry.make_model` takes them.
    settings : Training
        How; what it asks of people and of windows' changes is done elsewhere.
    seed : int
        Of first weights, order of windows and dropout.
    augment : Augmentation or None
        What is done to windows while they are learnt from.
    mirror : Mirroring or None
        Swaps left and right, before that.
    behind : SignalSpec or None
        The channels of X, which a network that knows where they are cannot do without.
    encoder : PretrainedEncoder or None
        What its encoder begins with.
    start : mapping or None
        First weights by name, instead of ones drawn at random.
    device : str
        Where steps are computed; only the CPU gives the same weights bit for bit.

    Raises
    ------
    RecipeError
        Nothing to learn from, or the loss is not finite.
    """
    if not len(train):
        raise RecipeError("There is no window to train on; the recipe's labels or the cohort leave none.")
    n_chans, n_times = X.shape[1:]
    listens = settings.early_stopping and len(validation) > 0
    watch = _Watch(settings, on_epoch, listens=listens)

    def make() -> nn.Module:
        network = make_model(name, params, n_chans=n_chans, n_times=n_times, n_outputs=n_outputs)
        if isinstance(network, Projected):
            network.components.copy_(principal_components(X, train, len(network.components)))
        if isinstance(network, VirtualProbe):
            place_on(network, behind)
            network.spread_over_channels(torch.from_numpy(measured_in(X, train)))
            if encoder is not None and behind is not None:
                start_from(network, encoder, parameters_of(name) | dict(params), behind.rate)
        if start is not None:
            network.load_state_dict(dict(start))
        return network

    balanced = settings.class_weights == "balanced"
    with reproducible(seed):
        net = _Net(
            make,
            augment=augment,
            mirror=mirror,
            criterion=nn.CrossEntropyLoss,
            criterion__weight=label_weights(y[train], n_outputs) if balanced else None,
            optimizer=torch.optim.AdamW,
            optimizer__weight_decay=settings.weight_decay,
            lr=settings.learning_rate,
            max_epochs=settings.epochs,
            batch_size=settings.batch_size,
            iterator_train__shuffle=True,
            iterator_train__collate_fn=as_it_is,
            iterator_valid__collate_fn=as_it_is,
            train_split=predefined_split(SomeWindows(X, y, validation)) if len(validation) else None,
            classes=list(range(n_outputs)),
            callbacks=[("watch", watch)],
            callbacks__valid_acc=None,
            callbacks__print_log=None,
            verbose=0,
            device=device,
        )
        net.fit(SomeWindows(X, y, train), None)
    history = tuple(
        {key: float(row[key]) for key in ("epoch", "train_loss", "valid_loss") if key in row}
        for row in net.history
    )
    if len(history) < settings.epochs and not watch.stopped_early:
        # skorch takes Ctrl-C for the wish to stop and keep; here it means what it says.
        raise KeyboardInterrupt
    best = watch.best_epoch_ if listens else len(history)
    return FittedNetwork(net.module_.cpu().eval(), history, best, watch.stopped_early)


def principal_components(X: Windows, rows: npt.NDArray[np.intp], n_components: int) -> torch.Tensor:
    """Directions among the channels in which these windows vary most, (n_components, n_channels) float32.

    Orthonormal, the largest variance first; the largest weight of each is positive.
    """
    n_channels = X.shape[1]
    parts = (X[rows[i : i + 1024]].astype(np.float64) for i in range(0, len(rows), 1024))
    shared = sum(
        (np.einsum("nct,ndt->cd", part, part) for part in parts), start=np.zeros((n_channels, n_channels))
    )
    directions = np.linalg.eigh(shared)[1][:, ::-1][:, :n_components].T
    largest = np.abs(directions).argmax(axis=1)
    signs = np.sign(directions[np.arange(n_components), largest])
    return torch.from_numpy((directions * signs[:, np.newaxis]).astype(np.float32))


def measured_in(X: Windows, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
    """Which channels these windows hold anything of, (n_channels,) bool: with other montages, not all."""
    parts = ((X[rows[i : i + 1024]] != 0.0).any(axis=(0, 2)) for i in range(0, len(rows), 1024))
    return np.logical_or.reduce(list(parts))


class _Net(NeuralNetClassifier):
    """skorch's classifier, with changes to what it learns from (not to what it is checked by)."""

    def __init__(
        self, *args: Any, augment: Augmentation | None, mirror: Mirroring | None, **kwargs: Any
    ) -> None:
        self.augment, self.mirror = augment, mirror
        super().__init__(*args, **kwargs)

    def train_step_single(self, batch: Any, **fit_params: Any) -> Any:
        """Change, then learn."""
        X, y = batch if self.mirror is None else self.mirror(*batch)
        X = X if self.augment is None else self.augment(X)
        return super().train_step_single((X, y), **fit_params)


class _Watch(EarlyStopping):
    """Early stopping that grants the least epochs, refuses a loss that is not finite, and reports."""

    def __init__(self, settings: Training, on_epoch: OnEpoch | None, *, listens: bool) -> None:
        super().__init__(
            monitor="valid_loss", patience=settings.patience, threshold=0.0, load_best=True, sink=log.debug
        )
        self.settings = settings
        self.on_epoch = on_epoch
        self.listens = listens
        self.stopped_early = False
        self.misses_ = 0

    def on_epoch_end(self, net: NeuralNetClassifier, **kwargs: Any) -> None:
        """Tell, check, and stop where it is time."""
        epoch, loss = len(net.history), float(net.history[-1, "train_loss"])
        valid = net.history[-1].get("valid_loss")
        if self.on_epoch is not None:
            self.on_epoch(epoch, self.settings.epochs, loss, valid)
        if not np.isfinite(loss) or (valid is not None and not np.isfinite(valid)):
            raise RecipeError(
                f"The loss became {loss} (validation {valid}) in epoch {epoch}; expected finite numbers. "
                "Lower the recipe's learning rate."
            )
        if not self.listens:
            return
        if epoch < self.settings.min_epochs:
            self.misses_ = min(self.misses_, self.patience - 2)
        try:
            super().on_epoch_end(net, **kwargs)
        except KeyboardInterrupt:  # skorch's way to end a training
            self.stopped_early = True
            raise

    def on_train_end(self, net: NeuralNetClassifier, **kwargs: Any) -> None:
        """Put back the weights of the best epoch."""
        if self.listens:
            super().on_train_end(net, **kwargs)
