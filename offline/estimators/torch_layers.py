"""Networks as layers: the weights that torch learnt, in the form that a bundle holds and numpy computes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import nn

from models.arrays import Floats
from models.layers.convolution import Convolutions
from models.layers.network import TableNetwork, network_of, standardised
from offline.estimators.torch_base import numbers_of


def dense_layer(network: Any, bend: str, mean: Floats, scale: Floats) -> TableNetwork:
    """Linear ``layers`` on top of each other, bent alike, and a ``head``.

    Means and scales of the columns, (n_columns,) float64, are taken into the first layer.
    """
    found = _weights([*network.layers, network.head])
    found[0] = standardised(*found[0], mean, scale)
    return network_of(found, [bend] * len(network.layers) + ["none"])


def convolution_layers(network: Any, mean: Floats, scale: Floats) -> tuple[Convolutions, TableNetwork]:
    """A fitted `TableCNN`, of columns of a mean and scale, (n_columns,) float64."""
    layers = [layer for layer in network.convolutions if isinstance(layer, nn.Conv2d)]
    numbers = [numbers_of(tensor).ravel() for layer in layers for tensor in layer.parameters()]
    first = Convolutions(
        mean,
        scale,
        places=np.asarray(network.places.numpy(), dtype=np.int64),
        numbers=np.concatenate(numbers),
        shapes=tuple(tuple(layer.weight.shape) for layer in layers),
        padding=tuple(int(layer.padding[0]) for layer in layers),
        pools=network.pools,
    )
    return first, network_of(_weights([network.dense, network.head]), ("relu", "none"))


def _weights(layers: Sequence[nn.Linear]) -> list[tuple[Floats, Floats]]:
    """Weights (units below, units) float64 and biases (units,) float64 of each."""
    return [(numbers_of(layer.weight).T, numbers_of(layer.bias)) for layer in layers]
