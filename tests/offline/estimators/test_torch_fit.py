"""The loop of a fit learns what skorch's and AdamW tensor by tensor do."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from skorch import NeuralNet, NeuralNetClassifier
from skorch.callbacks import EarlyStopping
from skorch.dataset import Dataset
from skorch.helper import predefined_split
from torch import nn

from models.networks.stacked_autoencoder import DenoisingAutoEncoder
from models.networks.table_cnn import TableCNN
from offline.base.label_weights import label_weights
from offline.base.reproducible import reproducible
from offline.estimators.torch_fit import BATCH_SIZE, divided, fine_tune
from offline.estimators.torch_pretraining import pretrain
from tests.offline.estimators.planted import planted

SETTINGS: dict[str, Any] = {
    "epochs": 30,
    "learning_rate": 1e-2,
    "weight_decay": 0.1,
    "validation_fraction": 0.2,
    "seed": 3,
    "patience": 4,
}


class Batches:
    """Rows in batches for skorch, shuffled as ours are: torch's loader draws otherwise."""

    def __init__(self, dataset: Any, batch_size: int, shuffle: bool = False) -> None:
        self.X, self.y = torch.from_numpy(dataset.X), torch.from_numpy(dataset.y)
        self.batch_size, self.shuffle = batch_size, shuffle

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        order = torch.randperm(len(self.X)) if self.shuffle else torch.arange(len(self.X))
        for rows in order.split(self.batch_size):
            yield self.X[rows], self.y[rows]


def by_skorch(network: nn.Module, X: np.ndarray, y: np.ndarray) -> list[dict[str, float]]:
    """As `fine_tune` with `SETTINGS`, by skorch with everything that it brings."""
    train, held = divided(y, 2, SETTINGS["validation_fraction"], SETTINGS["seed"])
    stop = EarlyStopping(patience=SETTINGS["patience"], threshold=0.0, load_best=True, sink=lambda _: None)
    net = NeuralNetClassifier(
        network,
        criterion=nn.CrossEntropyLoss,
        criterion__weight=label_weights(y[train], 2),
        optimizer=torch.optim.AdamW,
        optimizer__weight_decay=SETTINGS["weight_decay"],
        optimizer__foreach=False,
        lr=SETTINGS["learning_rate"],
        max_epochs=SETTINGS["epochs"],
        batch_size=BATCH_SIZE,
        train_split=predefined_split(Dataset(X[held], y[held])),
        iterator_train=Batches,
        iterator_train__shuffle=True,
        iterator_valid=Batches,  # torch's draws a seed from the generator that orders the rows
        classes=[0, 1],
        callbacks=[stop],
        verbose=0,
    ).fit(X[train], y[train])
    return [{name: row[name] for name in ("train_loss", "valid_loss")} for row in net.history]


@pytest.mark.parametrize("frozen", [False, True])
def test_the_loop_learns_what_skorchs_does(frozen: bool) -> None:
    table, labels, _ = planted(200, 105, 0.7, 0)
    X, y = table.astype(np.float32), np.unique(labels, return_inverse=True)[1].astype(np.int64)
    made = []
    for fit in (lambda net: fine_tune(net, X, y, **SETTINGS), lambda net: by_skorch(net, X, y)):
        with reproducible(5, threads=1):
            network = TableCNN(X.shape[1], 2, filters=3, hidden=8)
            for parameter in network.convolutions.parameters():
                parameter.requires_grad_(not frozen)
            made.append((network, fit(network)))
    (ours, losses), (theirs, expected) = made
    assert len(losses) == len(expected) < SETTINGS["epochs"]  # both stopped early, in the same epoch
    for row, same in zip(losses, expected, strict=True):
        assert row == pytest.approx(same, abs=1e-4)
    for (name, weights), same_weights in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(weights.detach(), same_weights.detach(), atol=1e-3, err_msg=name)


def test_pretraining_learns_what_skorchs_loop_does() -> None:
    X = np.random.default_rng(0).normal(size=(150, 20)).astype(np.float32)
    made = []
    for ours in (True, False):
        with reproducible(7, threads=1):
            layer = nn.Linear(20, 6)
            if ours:
                losses = pretrain([layer], X, epochs=8, corruption=0.2, learning_rate=1e-2)[0]
            else:
                net = NeuralNet(
                    DenoisingAutoEncoder(layer, corruption=0.2),
                    criterion=nn.MSELoss,
                    optimizer=torch.optim.Adam,
                    optimizer__foreach=False,
                    lr=1e-2,
                    train_split=None,
                    max_epochs=8,
                    batch_size=64,
                    iterator_train=Batches,
                    iterator_train__shuffle=True,
                    verbose=0,
                ).fit(X, X)
                losses = net.history[:, "train_loss"]
        made.append((layer.weight.detach().numpy().copy(), losses))
    assert made[0][1] == pytest.approx(made[1][1], abs=1e-5)
    np.testing.assert_allclose(made[0][0], made[1][0], atol=1e-4)
