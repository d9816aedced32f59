"""Layers and machines that learn without labels give back what they have not seen before."""

from itertools import pairwise

import numpy as np
import torch

from models.networks.boltzmann import RestrictedBoltzmannMachine
from models.networks.stacked_autoencoder import StackedAutoEncoder
from offline.base.reproducible import reproducible
from offline.estimators.torch_contrastive import error_of, teach, teach_stack
from offline.estimators.torch_pretraining import pretrain
from offline.estimators.torch_stacked_autoencoder import StackedAutoEncoderClassifier
from tests.offline.estimators.planted import auc


def caused(n: int, seed: int) -> np.ndarray:
    """Rows of 30 columns of variance 1 that four causes explain to nine tenths."""
    rng = np.random.default_rng(seed)
    turn = np.random.default_rng(7).normal(size=(4, 30)) / 2.0
    rows = rng.normal(size=(n, 4)) @ turn / np.sqrt((turn**2).sum(axis=0))
    return (np.sqrt(0.9) * rows + np.sqrt(0.1) * rng.normal(size=(n, 30))).astype(np.float32)


def test_each_layer_learns_to_give_back_its_input() -> None:
    X = caused(400, 0)
    with reproducible(0, threads=1):
        network = StackedAutoEncoder(30, 2, hidden=(12, 6))
        errors = pretrain(network.layers, X, epochs=30, corruption=0.2, learning_rate=3e-3)
    assert len(errors) == 2
    assert all(layer[-1] < 0.5 * layer[0] for layer in errors)


def test_a_gaussian_machine_gives_back_rows_that_it_has_not_seen() -> None:
    X, new = torch.from_numpy(caused(400, 0)), torch.from_numpy(caused(200, 1))
    with reproducible(0, threads=1):
        machine = RestrictedBoltzmannMachine(30, 20, gaussian=True)
        before = error_of(machine, new)
        errors = teach(machine, X, epochs=40)
    assert before > 0.9  # the variance
    assert error_of(machine, new) < 0.4 * before
    assert errors[-1] < errors[len(errors) // 2] < errors[0]


def free_energy(machine: RestrictedBoltzmannMachine, rows: torch.Tensor) -> torch.Tensor:
    """Minus the log of each row's unnormalised probability under a binary machine."""
    hidden = torch.nn.functional.softplus(rows @ machine.weight.T + machine.hidden_bias).sum(dim=1)
    return -rows @ machine.visible_bias - hidden


def test_a_binary_machine_finds_rows_like_its_own_more_likely() -> None:
    """Bars: two patterns of eight units, against rows of the same means without a pattern."""
    rng = np.random.default_rng(0)
    bars = np.repeat(np.eye(2), 4, axis=1)[rng.integers(0, 2, 400)].astype(np.float32)
    mixed = rng.integers(0, 2, (400, 8)).astype(np.float32)
    with reproducible(0, threads=1):
        machine = RestrictedBoltzmannMachine(8, 6)
        errors = teach(machine, torch.from_numpy(bars), epochs=40)
        energies = [free_energy(machine, torch.from_numpy(rows)).mean() for rows in (bars, mixed)]
    assert errors[-1] < 0.2 * errors[0]
    assert energies[0] < energies[1] - 2.0


def test_every_machine_of_a_stack_learns() -> None:
    with reproducible(0, threads=1):
        machines, errors = teach_stack(caused(400, 0), (20, 10, 5), epochs=30)
    assert [machine.gaussian for machine in machines] == [True, False, False]
    assert [lower.weight.shape[0] for lower, _ in pairwise(machines)] == [20, 10]
    assert all(one[-1] < 0.8 * one[0] for one in errors)


def test_pretraining_helps_where_labels_are_few() -> None:
    """A label that a cause carries: rows without labels say where to look.  Mean over three draws."""
    gains = []
    for seed in range(3):
        rows = caused(1040, 50 + seed).astype(float)
        truth = np.linalg.svd(caused(5000, 99), full_matrices=False)[2][0]
        y = (rows @ truth > 0).astype(int)
        settings = {"hidden": (12, 6), "epochs": 15, "learning_rate": 1e-3, "random_state": seed}
        few = slice(0, 60)
        found = [
            StackedAutoEncoderClassifier(pretraining_epochs=epochs, **settings).fit(rows[few], y[few])
            for epochs in (0, 60)
        ]
        gains.append(auc(found[1], rows[60:], y[60:]) - auc(found[0], rows[60:], y[60:]))
    assert np.mean(gains) > 0.0
