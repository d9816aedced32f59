"""Networks as parts: the weights that torch learnt, in the form that a bundle holds and numpy computes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from models.arrays import Floats
from models.networks.mixture_of_experts import MixtureOfExperts
from models.networks.table_cnn import TableCNN
from models.parts import Part
from models.parts.convolution import Convolutions
from models.parts.experts import Experts
from models.parts.network import TableNetwork, network_of, standardised

Standard = tuple[Floats, Floats]
"""Mean and scale of the columns, each (n_columns,) float64."""


def torch_parts(estimator: Any) -> tuple[Part, ...]:
    """What a fitted estimator of this package computes when it predicts.

    Parameters
    ----------
    estimator : estimator
        Fitted; one of the ``torch_`` modules, `DeepBelief` included.

    Returns
    -------
    tuple of Part
        From raw columns (n, n_columns) float64 to logits (n, n_labels) float64; a transformer's to features.
        The estimator answers through the same parts, so their numbers are equal; torch's own forward pass,
        in float32, agrees within 1e-5.
    """
    check_is_fitted(estimator, "parts_")
    return tuple(estimator.parts_)


def numbers_of(tensor: Tensor) -> Floats:
    """A tensor (...) float32 as an array (...) float64."""
    return np.asarray(tensor.detach().numpy(), dtype=np.float64)


def dense_part(layers: Sequence[nn.Linear], bends: Sequence[str], standard: Standard | None) -> TableNetwork:
    """Linear layers on top of each other.

    Parameters
    ----------
    layers : sequence of torch.nn.Linear
        The lowest first.
    bends : sequence of str
        One a layer, as `TableNetwork` has them.
    standard : (mean, scale), each (n_columns,) float64, or None
        Of the columns, taken into the first layer; None where the columns are raw already.
    """
    found = [(numbers_of(layer.weight).T, numbers_of(layer.bias)) for layer in layers]
    if standard is not None:
        found[0] = standardised(*found[0], *standard)
    return network_of(found, bends)


def expert_part(network: MixtureOfExperts, standard: Standard) -> Experts:
    """A mixture of experts.

    Parameters
    ----------
    network : MixtureOfExperts
        Fitted.
    standard : (mean, scale), each (n_columns,) float64
        Of the columns, taken into the first layers.
    """
    gate, hidden = (
        standardised(numbers_of(layer.weight).T, numbers_of(layer.bias), *standard)
        for layer in (network.gate, network.hidden)
    )
    return Experts(*gate, *hidden, numbers_of(network.head_weight), numbers_of(network.head_bias))


def convolution_parts(network: TableCNN, standard: Standard) -> tuple[Convolutions, TableNetwork]:
    """A convolutional network.

    Parameters
    ----------
    network : TableCNN
        Fitted.
    standard : (mean, scale), each (n_columns,) float64
        Of the columns.
    """
    layers = [layer for layer in network.convolutions if isinstance(layer, nn.Conv2d)]
    numbers = [numbers_of(part).ravel() for layer in layers for part in layer.parameters()]
    first = Convolutions(
        *standard,
        places=np.asarray(network.places.numpy(), dtype=np.int64),
        numbers=np.concatenate(numbers),
        shapes=tuple(tuple(layer.weight.shape) for layer in layers),
        padding=tuple(int(layer.padding[0]) for layer in layers),
        pools=network.pools,
    )
    return first, dense_part([network.dense, network.head], ("relu", "none"), None)
