"""What other formats call our kinds and units, and the factors to SI.

Readers of descriptions and files ask here, so that "umol/L" means the same
in a live stream, an XDF file and a SNIRF file.
"""

import math
from collections.abc import Mapping

from models.errors import SignalError
from realtime.signal import Kind

_KINDS: Mapping[str, Kind] = {
    **dict.fromkeys(("intensity", "amplitude", "raw intensity", "cw amplitude"), Kind.INTENSITY),
    **dict.fromkeys(("dod", "od", "optical density", "optical_density"), Kind.OPTICAL_DENSITY),
    **dict.fromkeys(("hbo", "hbo2", "o2hb", "oxyhb"), Kind.HBO),
    **dict.fromkeys(("hbr", "hhb", "deoxyhb"), Kind.HBR),
    **dict.fromkeys(("hbt", "thb", "totalhb"), Kind.HBT),
    "bold": Kind.BOLD,
    "headtranslation": Kind.TRANSLATION,
    "headrotation": Kind.ROTATION,
    "framewisedisplacement": Kind.DISPLACEMENT,
    "physiology": Kind.PHYSIOLOGY,
}

_PREFIXES: Mapping[str, float] = {
    "": 1.0,
    "m": 1e-3,
    "milli": 1e-3,
    "u": 1e-6,
    "µ": 1e-6,  # the micro sign
    "μ": 1e-6,  # the Greek letter, which some vendors send instead
    "micro": 1e-6,
    "n": 1e-9,
    "nano": 1e-9,
}
_VOLTS = ("V", "volt", "volts")
_MOLAR = ("mol/L", "mol/l", "M", "molar", "mol/dm^3")
_PERCENT = ("percent", "%", "percent signal change", "psc")
_NUMBER = ("", "1", "od", "dod", "a.u.", "au", "none", "dimensionless", "n/a", "unknown")

LENGTHS: Mapping[str, float] = {"m": 1.0, "cm": 1e-2, "mm": 1e-3}
"""Metres in one of each unit of length that recordings use."""
ANGLES: Mapping[str, float] = {
    **dict.fromkeys(("rad", "radian", "radians"), 1.0),
    **dict.fromkeys(("deg", "degree", "degrees", "°"), math.pi / 180),
}
"""Radians in one of each unit of angle."""


def kind_of(text: str) -> Kind | None:
    """The kind that a channel type of another format means, None where it is no signal of ours.

    Parameters
    ----------
    text : str
        For example ``"dOD"`` or ``"HbO"``; upper and lower case mean the same.
    """
    return _KINDS.get(text.strip().lower())


def unit_of(kind: Kind, text: str) -> tuple[str, float]:
    """Our unit for another format's, and what to multiply its values by.

    Parameters
    ----------
    kind : Kind
        What the channel measures.
    text : str
        The declared unit; empty where none is declared.

    Returns
    -------
    unit : str
        One of ``UNITS[kind]``.
    factor : float
        Values times this are in `unit`.

    Raises
    ------
    SignalError
        Where values cannot be brought to the kind's unit: a concentration, length or angle of no known unit.
    """
    found = text.strip()
    if kind is Kind.INTENSITY:
        # Only ratios of intensities are ever used: a unit that is not known costs nothing.
        factor = _prefixed(found, _VOLTS)
        return ("a.u.", 1.0) if factor is None else ("V", factor)
    if kind is Kind.BOLD:
        return ("percent", 1.0) if found.lower() in _PERCENT else ("a.u.", 1.0)
    if kind is Kind.PHYSIOLOGY:
        return "a.u.", 1.0
    if kind in (Kind.TRANSLATION, Kind.ROTATION, Kind.DISPLACEMENT):
        known, unit = (ANGLES, "rad") if kind is Kind.ROTATION else (LENGTHS, "m")
        if found not in known:
            raise SignalError(f"Unit of {kind} is {found!r}; expected {' or '.join(known)}.")
        return unit, known[found]
    if kind is Kind.OPTICAL_DENSITY:
        if found.lower() in _NUMBER:
            return "1", 1.0
        if found.lower() == "log10":
            return "1", math.log(10)
        raise SignalError(
            f"Unit of an optical density is {found!r}; expected none (a natural logarithm), or log10 for one "
            "to base 10."
        )
    factor = _prefixed(found, _MOLAR)
    if factor is None:
        raise SignalError(
            f"Unit of {kind} is {found!r}; expected mol/L, mmol/L, umol/L, nmol/L or M, mM, uM, nM. "
            "Without it the concentration is not known."
        )
    return "mol/L", factor


def _prefixed(text: str, bases: tuple[str, ...]) -> float | None:
    """Factor of a unit made of an SI prefix and one of `bases`; None where it is none of these."""
    for base in bases:
        if text.endswith(base) and text[: -len(base)] in _PREFIXES:
            return _PREFIXES[text[: -len(base)]]
    return None
