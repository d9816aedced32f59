"""How `hemostream replay --layout NAME` sends a recording: a registry, the same names as the adapters'.

Every emulated stream says honestly that it is a replay (our own child of the description), whatever else it
emulates; its source id is our own as well, where vendors' are the same for every device they sell.
"""

from collections.abc import Mapping

from models.errors import StreamError, near_match
from tools.emulators import aurora, described, mne_lsl, oxysoft, undescribed
from tools.emulators.base import EmulatedStream, Emulator, info_of

__all__ = ["LAYOUTS", "EmulatedStream", "emulator", "info_of"]

LAYOUTS: Mapping[str, Emulator] = {
    "full": described.full,
    "bare": described.bare,
    "xdf": described.xdf,
    "aurora": aurora.emulate,
    "mne": mne_lsl.emulate,
    "oxysoft": oxysoft.emulate,
    "cortivision": undescribed.cortivision,
    "ninjanirs": undescribed.ninjanirs,
}
"""Every layout that a replay can have."""


def emulator(name: str) -> Emulator:
    """The emulator of a layout.

    Parameters
    ----------
    name : str
        One of `LAYOUTS`.

    Raises
    ------
    StreamError
        Naming what there is.
    """
    if name not in LAYOUTS:
        raise StreamError(
            f"Layout is {name!r}; a replay cannot be sent like that. {near_match(name, LAYOUTS)}"
        )
    return LAYOUTS[name]
