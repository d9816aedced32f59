"""Restricted Boltzmann machines taught by contrastive divergence, one on top of the other.

Hinton GE (2002). Training products of experts by minimizing contrastive divergence. Neural Computation
14:1771-1800; rates and momentum after Hinton GE (2012). A practical guide to training restricted Boltzmann
machines. LNCS 7700:599-619.  There is no loss whose gradient this is, so it does without skorch.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from models.networks.boltzmann import RestrictedBoltzmannMachine
from offline.estimators.torch_fit import NetworkError, Singles

RATE_BINARY, RATE_GAUSSIAN = 0.05, 0.01
"""Learning rates; real-valued units have no bound, so theirs is smaller."""
MOMENTUM_FIRST, MOMENTUM, FIRST_EPOCHS = 0.5, 0.9, 5
"""Momentum of the first epochs, when gradients are large, and of the others."""
DECAY = 1e-4
"""Of weights."""


def teach(
    machine: RestrictedBoltzmannMachine, X: Tensor, *, epochs: int, batch_size: int = 64
) -> list[float]:
    """One step of contrastive divergence a batch, in place; the caller has seeded torch.

    Rows are (n, n_visible) float32, standardised or probabilities.  Gives the mean squared error of what
    comes back, before the first epoch and after each.
    """
    parameters = (machine.weight, machine.visible_bias, machine.hidden_bias)
    speed = [torch.zeros_like(parameter) for parameter in parameters]
    rate = RATE_GAUSSIAN if machine.gaussian else RATE_BINARY
    with torch.no_grad():
        errors = [error_of(machine, X)]
        for epoch in range(epochs):
            momentum = MOMENTUM_FIRST if epoch < FIRST_EPOCHS else MOMENTUM
            for rows in torch.randperm(len(X)).split(batch_size):
                steps = _divergence(machine, X[rows])
                for parameter, moving, step in zip(parameters, speed, steps, strict=True):
                    moving.mul_(momentum).add_(step, alpha=rate)
                    parameter.add_(moving)
            errors.append(error_of(machine, X))
    if not torch.isfinite(torch.tensor(errors)).all():
        raise NetworkError(
            f"A machine's reconstruction error went from {errors[0]:.3g} to {errors[-1]}; expected finite "
            "numbers. Check the table for values that are far from all others."
        )
    return errors


def _divergence(machine: RestrictedBoltzmannMachine, seen: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Direction in which to move weights, visible and hidden biases."""
    hidden = machine.hidden(seen)  # (batch, n_hidden)
    drawn = torch.bernoulli(hidden)
    dreamt = machine.visible(drawn)  # (batch, n_visible); means, for drawing them adds nothing but noise
    again = machine.hidden(dreamt)  # (batch, n_hidden)
    weight = (hidden.T @ seen - again.T @ dreamt) / len(seen) - DECAY * machine.weight
    return weight, (seen - dreamt).mean(dim=0), (hidden - again).mean(dim=0)


def error_of(machine: RestrictedBoltzmannMachine, X: Tensor) -> float:
    """Mean squared error of rows (n, n_visible) float32 that went there and back."""
    with torch.no_grad():
        return float((machine(X) - X).square().mean())


def teach_stack(
    X: Singles, hidden: Sequence[int], *, epochs: int
) -> tuple[list[RestrictedBoltzmannMachine], list[list[float]]]:
    """Machines on top of each other, each taught on what the one below makes of rows (n, n_columns) float32.

    The lowest comes first: its seen units are Gaussian, the others' binary.  With each, what `teach` gives.
    """
    machines, errors = [], []
    seen = torch.from_numpy(X)
    for level, units in enumerate(hidden):
        machine = RestrictedBoltzmannMachine(seen.shape[1], units, gaussian=level == 0)
        errors.append(teach(machine, seen, epochs=epochs))
        with torch.no_grad():
            seen = machine.hidden(seen)  # (n, units)
        machines.append(machine)
    return machines, errors
