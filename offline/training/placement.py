"""Where a network's channels are: from a signal's description to the buffers of a virtual probe."""

from models.errors import RecipeError
from models.networks.virtual_probe import VirtualProbe
from realtime.signal import SignalSpec
from realtime.stages.montages import WHO, montage_of


def place_on(network: VirtualProbe, spec: SignalSpec | None) -> None:
    """Tell a virtual probe where these channels are (`realtime.stages.montages.montage_of`).

    Parameters
    ----------
    network : VirtualProbe
        What it has learnt stays.
    spec : SignalSpec or None
        The channels of its windows.

    Raises
    ------
    RecipeError
        None is given, or as `montage_of`.
    SignalError
        Positions are not known.
    """
    if spec is None:
        raise RecipeError(f"{WHO} must be told which channels it is given; found none. Give its signal.")
    network.place(montage_of(spec))
