"""The last layer of a model: the linear map from its features to logits, which a new person may move.

A network's is its ``head``; a model that is solved for is its own last layer, behind the features that it
computes.  A model that is made of several has one for each of them.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn

from models.arrays import Floats

AT_ONCE = 256
"""Windows that a model is given together."""


@runtime_checkable
class SolvedLayer(Protocol):
    """A model whose logits are ``features(x) @ weight + bias``, of one column also halved to both sides."""

    weight: nn.Parameter
    bias: nn.Parameter

    def features(self, x: Tensor) -> Tensor:
        """What the weights weigh, (batch, n_features) float32."""
        ...


@dataclass(frozen=True, eq=False)
class LastLayer:
    """One last layer of a model, in place: to change it changes the model.

    Parameters
    ----------
    module : torch.nn.Module
        A `torch.nn.Linear`, or a `SolvedLayer`.
    """

    module: nn.Module

    @property
    def weights(self) -> Floats:
        """Weights, the biases as the last row: (n_features + 1, n_columns) float64, logits a feature.

        One column is the log odds of the second of two labels; otherwise there is one a label.
        """
        weight, bias = self._parameters()
        rows = weight.detach().double().numpy()
        rows = rows.T if isinstance(self.module, nn.Linear) else rows
        return np.concatenate([rows, bias.detach().double().numpy()[np.newaxis]])

    def put(self, weights: Floats) -> None:
        """Set weights, (n_features + 1, n_columns) float64, as `weights` gives them."""
        weight, bias = self._parameters()
        rows = weights[:-1].T if isinstance(self.module, nn.Linear) else weights[:-1]
        with torch.no_grad():
            weight.copy_(torch.from_numpy(np.float32(rows)))
            bias.copy_(torch.from_numpy(np.float32(weights[-1])))

    def _parameters(self) -> tuple[Tensor, Tensor]:
        weight, bias = self.module.weight, self.module.bias
        assert isinstance(weight, Tensor)
        assert isinstance(bias, Tensor)
        return weight, bias

    def of_input(self, given: Tensor) -> Tensor:
        """The features of what the module is given, (batch, n_features) float32."""
        return self.module.features(given) if isinstance(self.module, SolvedLayer) else given


def last_layers(network: nn.Module) -> list[LastLayer]:
    """The last layers of a model, in the order of its parts; none where it has no such layer."""
    found = []
    for module in network.modules():
        head = getattr(module, "head", None)
        if isinstance(head, nn.Linear):
            found.append(LastLayer(head))
        elif isinstance(module, SolvedLayer):
            found.append(LastLayer(module))
    return found


def features_of(network: nn.Module, layers: Sequence[LastLayer], X: Any) -> list[Floats]:
    """What reaches each last layer, (n_windows, n_features) float64.

    Parameters
    ----------
    network : torch.nn.Module
        In evaluation mode, on the CPU.
    layers : sequence of LastLayer
        Of this network.
    X : (n_windows, n_channels, n_samples) float32
        Windows; at least one.
    """
    given: list[list[Tensor]] = [[] for _ in layers]

    def keep(layer: LastLayer, into: list[Tensor]) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
        return lambda _, inputs: into.append(layer.of_input(inputs[0]))

    with ExitStack() as hooks, torch.inference_mode():
        for layer, into in zip(layers, given, strict=True):
            hooks.callback(layer.module.register_forward_pre_hook(keep(layer, into)).remove)
        for i in range(0, len(X), AT_ONCE):
            network(torch.from_numpy(X[i : i + AT_ONCE]))
    return [torch.cat(each).double().numpy() for each in given]
