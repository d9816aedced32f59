"""Wavelengths that can be: what a file or a stream declares is read without a word where only its form is
looked at, and what is computed from it is wrong by factors.
"""

from collections.abc import Iterable

from realtime.signal import Channel

SHORTEST_NM, LONGEST_NM = 400.0, 1400.0
"""Light outside these (nm) is not used on tissue: water and haemoglobin let none through."""
FARTHEST_NM = 30.0
"""No source sends light further than this (nm) from the wavelength by which it is called."""


def impossible_light(channels: Iterable[Channel]) -> str:
    """What is wrong with the first channel whose wavelength cannot be; empty where there is none.

    Parameters
    ----------
    channels : iterable of Channel
        Of a recording or a stream.
    """
    for channel in channels:
        sent, called = channel.wavelength, channel.nominal_wavelength
        for found in (sent, called):
            if found is not None and not SHORTEST_NM <= found <= LONGEST_NM:
                return (
                    f"channel {channel.name!r} has a wavelength of {found:g}; expected nanometres, "
                    f"{SHORTEST_NM:g} to {LONGEST_NM:g}"
                )
        if sent is not None and called is not None and abs(sent - called) > FARTHEST_NM:
            return (
                f"channel {channel.name!r} sends {sent:g} nm, where {called:g} nm is its nominal wavelength; "
                f"expected at most {FARTHEST_NM:g} nm between them"
            )
    return ""
