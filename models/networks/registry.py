"""The networks by name: what a recipe and a bundle's card may ask for.

It stands apart from the folder's ``__init__`` because it imports torch, which whoever only wants an
error or a name must not pay for.
"""

import inspect
from collections.abc import Mapping
from types import MappingProxyType

import torch
from torch import nn

from models.errors import RecipeError, near_match
from models.networks import RIDGE, VIRTUAL_PROBE
from models.networks.cgrnn import CGRNN
from models.networks.cnn_lstm import CNNLSTM
from models.networks.lstm import LSTM
from models.networks.parts.projection import Projected
from models.networks.parts.sizes import LARGEST
from models.networks.ridge import WindowRidge
from models.networks.virtual_probe import VirtualProbe

NETWORKS: Mapping[str, type[nn.Module]] = MappingProxyType(
    {"cgrnn": CGRNN, "cnn_lstm": CNNLSTM, "lstm": LSTM, VIRTUAL_PROBE: VirtualProbe}
)
"""Name to class.  Every class takes ``(n_chans, n_times, n_outputs, *, parameters)`` and maps
``(batch, n_chans, n_times)`` to logits ``(batch, n_outputs)``."""
SOLVED: Mapping[str, type[nn.Module]] = MappingProxyType({RIDGE: WindowRidge})
"""The same of models that are solved for, not trained step by step (`offline.training.closed_form`)."""
MODELS: Mapping[str, type[nn.Module]] = MappingProxyType({**NETWORKS, **SOLVED})
"""All that a recipe may name and a bundle may hold."""
MOST_WEIGHTS = 2**26
"""With their gradients and AdamW's two moments, 1 GiB."""
COMPONENTS = "components"
"""The parameter that networks have beside their own: how many components of its channels it sees."""


def parameters_of(name: str) -> dict[str, int | float]:
    """The parameters that a network has, with their defaults.

    Parameters
    ----------
    name : str
        One of `MODELS`.

    Raises
    ------
    RecipeError
        No network has that name.
    """
    if name not in MODELS:
        raise RecipeError(f"Network {name!r} is unknown. {near_match(name, MODELS)}")
    signature = inspect.signature(MODELS[name])
    return {
        parameter.name: parameter.default
        for parameter in signature.parameters.values()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }


def check_network(name: str, params: Mapping[str, object]) -> None:
    """Refuse a network's name or parameters that `make_network` could not use.

    Parameters
    ----------
    name : str
        One of `MODELS`.
    params : mapping
        Parameters by name; those left out have their defaults.  Those whose default is a whole
        number count things (from 1 up), the others are probabilities (0 to below 1).

    Raises
    ------
    RecipeError
        No such network or parameter, or a value that cannot be.
    """
    known = parameters_of(name)
    if name != VIRTUAL_PROBE:  # components are nowhere on the head
        known |= {COMPONENTS: 1}
    for key, value in params.items():
        if key not in known:
            raise RecipeError(f"Network {name!r} has no parameter {key!r}. {near_match(key, known)}")
        if isinstance(known[key], int):
            if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= LARGEST:
                raise RecipeError(f"Network {name!r}: {key} is {value!r}; expected a whole number from 1 up.")
        elif not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 1:
            raise RecipeError(f"Network {name!r}: {key} is {value!r}; expected a number from 0 to below 1.")


def check_shape(name: str, params: Mapping[str, object], *, n_times: int, n_outputs: int) -> None:
    """Refuse a network that could not be made for any channels: its weights are shaped, but not kept.

    Parameters
    ----------
    name, params, n_times, n_outputs
        See `make_network`.

    Raises
    ------
    RecipeError
        A value cannot be, the window is too short, or its weights would exhaust the memory.
    """
    check_network(name, params)
    seen = params.get(COMPONENTS, 1)
    assert isinstance(seen, int)
    with torch.device("meta"):
        network = make_network(name, params, n_chans=seen, n_times=n_times, n_outputs=n_outputs)
    if (size := sum(each.numel() for each in network.parameters())) > MOST_WEIGHTS:
        raise RecipeError(
            f"Network {name!r} with {dict(params)} has {size} weights; expected {MOST_WEIGHTS} or fewer. "
            "Make it smaller."
        )


def make_network(
    name: str, params: Mapping[str, object], *, n_chans: int, n_times: int, n_outputs: int
) -> nn.Module:
    """Make an untrained network; torch's generator draws its first weights.

    Parameters
    ----------
    name : str
        One of `MODELS`.
    params : mapping
        The network's own parameters; those left out have their defaults.
    n_chans, n_times, n_outputs : int
        Channels and samples of a window, and labels.

    Returns
    -------
    torch.nn.Module
        Maps ``(batch, n_chans, n_times) float32`` to logits ``(batch, n_outputs) float32``.

    Raises
    ------
    RecipeError
        No such network or parameter, a value that cannot be, or a window that is too short.
    """
    check_network(name, params)
    own = {key: value for key, value in params.items() if key != COMPONENTS}
    seen = params.get(COMPONENTS, n_chans)
    if not isinstance(seen, int) or seen > n_chans:
        raise RecipeError(
            f"Network {name!r}: components is {seen!r}, but a window has {n_chans} channels; "
            "expected at most as many."
        )
    network = MODELS[name](n_chans=seen, n_times=n_times, n_outputs=n_outputs, **own)
    return Projected(network, n_chans, seen) if COMPONENTS in params else network
