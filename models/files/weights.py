"""Weights of a network as the bytes of a safetensors file, and back; nothing is ever unpickled."""

from collections.abc import Mapping

import safetensors
import safetensors.torch
import torch
from torch import nn

from models.cards.card import AGAIN
from models.errors import BundleError


def weights_of(network: nn.Module) -> bytes:
    """All weights of a network, wherever they are, as a safetensors file."""
    tensors = {name: each.detach().cpu().contiguous().clone() for name, each in network.state_dict().items()}
    return safetensors.torch.save(tensors)


def filled(network: nn.Module, weights: bytes) -> nn.Module:
    """A network with these weights, in evaluation mode; nothing missing, extra, misshapen or not finite.

    Parameters
    ----------
    network : torch.nn.Module
        As the card describes it; may be on the meta device.
    weights : bytes
        Of a safetensors file.

    Raises
    ------
    BundleError
        They are no such file, or those of another network.
    """
    try:
        tensors = safetensors.torch.load(weights)
    except safetensors.SafetensorError as error:
        raise BundleError(f"The weights are not a safetensors file ({error}). {AGAIN}") from error
    _check(network.state_dict(), tensors)
    network.load_state_dict(tensors, assign=True)
    return network.eval()


def _check(expected: Mapping[str, torch.Tensor], tensors: Mapping[str, torch.Tensor]) -> None:
    if expected.keys() != tensors.keys():
        raise BundleError(
            f"The weights lack {sorted(expected.keys() - tensors.keys())} and have extra "
            f"{sorted(tensors.keys() - expected.keys())}; the card describes another network."
        )
    for name, tensor in tensors.items():
        wanted = expected[name]
        if tensor.shape != wanted.shape or tensor.dtype != wanted.dtype:
            raise BundleError(
                f"Weight {name!r} is {tensor.dtype} {tuple(tensor.shape)}; the card's network needs "
                f"{wanted.dtype} {tuple(wanted.shape)}. Card and weights do not belong together."
            )
        if not torch.isfinite(tensor).all():
            raise BundleError(
                f"Weight {name!r} holds values that are not finite; the training diverged. "
                "Train again with a lower learning rate."
            )
