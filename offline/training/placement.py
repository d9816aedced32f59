"""Where a network's channels are: from a signal's description to the buffers of a virtual probe."""

import numpy as np
import torch

from models.errors import RecipeError
from models.networks.virtual_probe import KINDS, VirtualProbe
from realtime.signal import SignalSpec
from realtime.stages.homologues import midline_of, positions_of

WHO = "Network 'virtual_probe'"


def place_on(network: VirtualProbe, spec: SignalSpec | None) -> None:
    """Tell a virtual probe where these channels are, from their midline; what it has learnt stays.

    Where no two channels mirror each other (a probe on one side), ``x`` is taken from the origin.

    Parameters
    ----------
    network : VirtualProbe
        Of as many channels.
    spec : SignalSpec or None
        The channels of its windows.

    Raises
    ------
    RecipeError
        A channel is neither a concentration nor a region's signal, or is a difference of two places.
    SignalError
        Positions are not known.
    """
    if spec is None:
        raise RecipeError(f"{WHO} must be told which channels it is given; found none. Give its signal.")
    if wrong := [channel.name for channel in spec.channels if channel.kind not in KINDS]:
        raise RecipeError(
            f"{WHO} takes {', '.join(KINDS)}; {len(wrong)} of {len(spec)} channels are others ({wrong[0]}). "
            "Put 'beer_lambert' into the pipeline, or take another network."
        )
    if any(channel.mirror_pair != (None, None) for channel in spec.channels):
        raise RecipeError(
            f"{WHO} contrasts the sides of the head itself, and a difference of two channels is at no place. "
            "Leave the stage 'homologues' out, or take another network."
        )
    where = positions_of(spec, WHO)
    where[:, 0] -= midline_of(spec, who=WHO) or 0.0
    kinds = [KINDS.index(channel.kind) for channel in spec.channels]
    network.place(torch.from_numpy(np.float32(where)), torch.tensor(kinds))
