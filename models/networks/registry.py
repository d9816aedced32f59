"""The models by kind: what a recipe and a bundle's card may ask for.

It stands apart from the folder's ``__init__`` because it imports torch, which whoever only wants an
error or a name must not pay for.
"""

import inspect
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import torch
from torch import nn

from models.errors import RecipeError, near_match
from models.networks import BEST, BLEND, LIKENESS, LINEAR, MEMORY, RIDGE, VIRTUAL_PROBE
from models.networks.blend import Blend
from models.networks.cgrnn import CGRNN
from models.networks.cnn_lstm import CNNLSTM
from models.networks.likeness import WindowLikeness
from models.networks.lstm import LSTM
from models.networks.memory import WindowMemory
from models.networks.parts.projection import Projected
from models.networks.parts.sizes import LARGEST
from models.networks.ridge import WindowLinear, WindowRidge
from models.networks.virtual_probe import VirtualProbe

NETWORKS: Mapping[str, type[nn.Module]] = MappingProxyType(
    {"cgrnn": CGRNN, "cnn_lstm": CNNLSTM, "lstm": LSTM, VIRTUAL_PROBE: VirtualProbe}
)
"""Name to class.  Every class takes ``(n_chans, n_times, n_outputs, *, parameters)`` and maps
``(batch, n_chans, n_times)`` to logits ``(batch, n_outputs)``."""
SOLVED: Mapping[str, type[nn.Module]] = MappingProxyType(
    {LIKENESS: WindowLikeness, LINEAR: WindowLinear, MEMORY: WindowMemory, RIDGE: WindowRidge}
)
"""The same of models that are solved for, not trained step by step (`offline.training.closed_form`)."""
MODELS: Mapping[str, type[nn.Module]] = MappingProxyType({**NETWORKS, **SOLVED})
"""All that a bundle may hold, but `BLEND` of them."""
MOST_WEIGHTS = 2**26
"""With their gradients and AdamW's two moments, 1 GiB."""
COMPONENTS = "components"
"""The parameter that networks have beside their own: how many components of its channels it sees."""
MEMBERS = "members"
"""The one parameter of a blend: kind and parameters of each that it is made of."""
FOUND = frozenset({"pairs", "others"})
"""Parameters that a card holds and no recipe may set: they are found in the recordings."""
MOST_MEMBERS = 64
"""Of a blend, those of blends within it each counted there."""
DEEPEST = 2
"""A blend may hold ensembles, which are blends too; no more."""
Params = Mapping[str, object]


def parameters_of(kind: str) -> dict[str, int | float | Sequence[object]]:
    """The parameters that a model has, with their defaults.

    Parameters
    ----------
    kind : str
        One of `MODELS`.

    Raises
    ------
    RecipeError
        There is no such kind.
    """
    if kind not in MODELS:
        raise RecipeError(f"Model {kind!r} is unknown. {near_match(kind, [*MODELS, BLEND, BEST])}")
    signature = inspect.signature(MODELS[kind])
    return {
        parameter.name: parameter.default
        for parameter in signature.parameters.values()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }


def check_model(kind: str, params: Params) -> None:
    """Refuse a model's kind or parameters that `make_model` could not use.

    Parameters
    ----------
    kind : str
        One of `MODELS`, or `BLEND`.
    params : mapping
        Parameters by name; those left out have their defaults.  Those whose default is a whole
        number count things (from 1 up), those with names choose some of these, ``pairs`` and ``others`` are
        of channels, all else are probabilities (0 to below 1).

    Raises
    ------
    RecipeError
        No such kind or parameter, or a value that cannot be.
    """
    if kind == BLEND:
        members_of(params)
        return
    known = parameters_of(kind)
    if kind in NETWORKS and kind != VIRTUAL_PROBE:  # components are nowhere on the head
        known |= {COMPONENTS: 1}
    for key, value in params.items():
        if key not in known:
            raise RecipeError(f"Model {kind!r} has no parameter {key!r}. {near_match(key, known)}")
        if expected := _wrong(known[key], value):
            raise RecipeError(f"Model {kind!r}: {key} is {value!r}; expected {expected}.")


def _wrong(default: object, value: object) -> str | None:
    """What was expected instead of this value; None where it can be."""
    if isinstance(default, Sequence):
        several = isinstance(value, Sequence) and not isinstance(value, str)
        given = list(value) if isinstance(value, Sequence) else []
        if default:
            fine = several and bool(given) and set(map(str, given)) <= set(map(str, default))
            return None if fine else f"one or more of {', '.join(map(str, default))}, in a list"
        fine = several and len(given) <= LARGEST and all(map(_is_pair, given))
        return None if fine else "pairs of two different channels' numbers"
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(default, int):
        fine = number and isinstance(value, int) and 1 <= value <= LARGEST
        return None if fine else "a whole number from 1 up"
    return (
        None if isinstance(value, int | float) and number and 0 <= value < 1 else "a number from 0 to below 1"
    )


def _is_pair(pair: object) -> bool:
    return (
        isinstance(pair, Sequence)
        and len(pair) == 2
        and all(isinstance(each, int) and not isinstance(each, bool) and each >= 0 for each in pair)
        and pair[0] != pair[1]
    )


def members_of(params: Params, depth: int = 1) -> list[tuple[str, Params]]:
    """Kind and parameters of each member of a blend.

    Parameters
    ----------
    params : mapping
        A blend's: ``members``, a list of mappings with ``kind`` and ``params``.
    depth : int
        How deep in blends this one lies.

    Raises
    ------
    RecipeError
        Something else, too many members, or one that cannot be.
    """
    given = params.get(MEMBERS)
    if params.keys() != {MEMBERS} or not isinstance(given, Sequence) or not 1 <= len(given) <= MOST_MEMBERS:
        raise RecipeError(
            f"Model {BLEND!r} has parameters {sorted(params)}; expected {MEMBERS!r} alone, 1 to "
            f"{MOST_MEMBERS} of them."
        )
    found = []
    for each in given:
        if not isinstance(each, Mapping) or each.keys() != {"kind", "params"}:
            raise RecipeError(f"Model {BLEND!r}: a member is {each!r:.60}; expected its kind and params.")
        kind, own = each["kind"], each["params"]
        if not isinstance(kind, str) or not isinstance(own, Mapping):
            raise RecipeError(f"Model {BLEND!r}: a member is {each!r:.60}; expected a name and a table.")
        if kind == BLEND:
            if depth >= DEEPEST:
                raise RecipeError(f"Model {BLEND!r} holds blends of blends; expected {DEEPEST} at most.")
            members_of(own, depth + 1)
        else:
            check_model(kind, own)
        found.append((kind, own))
    return found


def check_shape(kind: str, params: Params, *, n_times: int, n_outputs: int) -> None:
    """Refuse a model that could not be made for any channels: its weights are shaped, but not kept.

    Parameters
    ----------
    kind, params, n_times, n_outputs
        See `make_model`.

    Raises
    ------
    RecipeError
        A value cannot be, the window is too short, or its weights would exhaust the memory.
    """
    check_model(kind, params)
    seen = params.get(COMPONENTS, 1)
    assert isinstance(seen, int)
    with torch.device("meta"):
        network = make_model(kind, params, n_chans=seen, n_times=n_times, n_outputs=n_outputs)
    if (size := sum(each.numel() for each in network.parameters())) > MOST_WEIGHTS:
        raise RecipeError(
            f"Model {kind!r} with {dict(params)} has {size} weights; expected {MOST_WEIGHTS} or fewer. "
            "Make it smaller."
        )


def make_model(kind: str, params: Params, *, n_chans: int, n_times: int, n_outputs: int) -> nn.Module:
    """Make an untrained model; torch's generator draws its first weights.

    Parameters
    ----------
    kind : str
        One of `MODELS`, or `BLEND`.
    params : mapping
        The model's own parameters; those left out have their defaults.
    n_chans, n_times, n_outputs : int
        Channels and samples of a window, and labels.

    Returns
    -------
    torch.nn.Module
        Maps ``(batch, n_chans, n_times) float32`` to logits ``(batch, n_outputs) float32``.

    Raises
    ------
    RecipeError
        No such kind or parameter, a value that cannot be, or a window that is too short.
    """
    check_model(kind, params)
    if kind == BLEND:
        sizes = {"n_chans": n_chans, "n_times": n_times, "n_outputs": n_outputs}
        return Blend([make_model(member, its, **sizes) for member, its in members_of(params)])
    own = {key: value for key, value in params.items() if key != COMPONENTS}
    seen = params.get(COMPONENTS, n_chans)
    if not isinstance(seen, int) or seen > n_chans:
        raise RecipeError(
            f"Model {kind!r}: components is {seen!r}, but a window has {n_chans} channels; "
            "expected at most as many."
        )
    network = MODELS[kind](n_chans=seen, n_times=n_times, n_outputs=n_outputs, **own)
    return Projected(network, n_chans, seen) if COMPONENTS in params else network
