"""What a file declares and what cannot be: distances, wavelengths, pairs, steps in time, concentrations.

Numbers are read without a word where only their form is looked at, and what is computed from them is wrong by
factors of a thousand.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from models.arrays import Floats
from models.errors import RecordingError
from offline.recordings.checks import LIGHT
from realtime.channels.units import LENGTHS
from realtime.channels.wavelengths import impossible_light
from realtime.signal import Channel, Position, SignalSpec

NEAR_M, FAR_M = 0.005, 0.080
"""A median source-detector distance outside these (m) is an error of unit."""
MOST_HAEMOGLOBIN = 2e-4
"""mol/L: brain holds 0.05 to 0.1 mmol/L of haemoglobin in all."""
_MOLAR = {"mmol/L": 1e-3, "umol/L": 1e-6, "nmol/L": 1e-9}
SHORTEST_STEP_S, LONGEST_STEP_S = 9e-4, 30.0
"""Steps in time of optical devices lie between these, s."""
TIME_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6}
"""Seconds in one unit of time that files use."""


def length_factor(declared: str, length_unit: str | None, path: Path) -> tuple[str, float]:
    """The unit of positions, what the user states before what is declared, and the metres in one of it."""
    unit = length_unit or declared
    if unit not in LENGTHS:
        whose = "--length-unit is" if length_unit else f"{path} declares the unit of length"
        raise RecordingError(
            f"{whose} {unit[:40]!r}; expected m, cm or mm"
            + ("." if length_unit else f". Say what it is, for instance {_option('mm')}.")
        )
    return unit, LENGTHS[unit]


def check_channels(spec: SignalSpec, path: Path, unit: str, *, correctable: bool = True) -> None:
    """Refuse distances and light that cannot be (`realtime.channels.wavelengths`), and incomplete pairs.

    Positions were in `unit` (``m``, ``cm``, ``mm``); whether a person can state another for the format,
    `correctable`, decides what the message advises.
    """
    _check_distances(spec, path, unit, correctable)
    if wrong := impossible_light(spec.channels):
        raise RecordingError(f"{path}: {wrong}. Correct the wavelengths in the file.")
    _check_pairs(spec.channels, path)


def _check_distances(spec: SignalSpec, path: Path, unit: str, correctable: bool) -> None:
    known = [channel.distance for channel in spec.channels if channel.distance is not None]
    if not known or NEAR_M <= (median := float(np.median(known))) <= FAR_M:
        return
    in_unit = median / LENGTHS[unit]
    fits = [other for other, metres in LENGTHS.items() if NEAR_M <= in_unit * metres <= FAR_M]
    advice = f"; if it is really in {fits[0]}, say {_option(fits[0])}" if fits and correctable else ""
    raise RecordingError(
        f"{path}: the median distance between source and detector is {in_unit:.4g} in the declared unit "
        f"{unit!r}, that is {median * 1000:.4g} mm; expected 5 to 80 mm{advice}."
    )


def _option(unit: str) -> str:
    """How the user states the unit of length: to a command, or for a whole cohort in its recipe."""
    return f'--length-unit {unit} (in a recipe: length_unit = "{unit}" under [input])'


def rescaled(spec: SignalSpec, factor: float) -> SignalSpec:
    """The same channels with all positions and distances times a factor."""

    def scaled(position: Position | None) -> Position | None:
        return (
            None if position is None else (position[0] * factor, position[1] * factor, position[2] * factor)
        )

    def channel(one: Channel) -> Channel:
        fields = ("position", "source_position", "detector_position")
        changed: dict[str, Any] = {name: scaled(getattr(one, name)) for name in fields}
        return replace(one, distance=None if one.distance is None else one.distance * factor, **changed)

    return SignalSpec(tuple(map(channel, spec.channels)), spec.rate)


def _check_pairs(channels: Sequence[Channel], path: Path) -> None:
    """Refuse a source-detector pair that lacks one of the wavelengths of the others."""
    for kind in LIGHT:
        of_kind = [channel for channel in channels if channel.kind is kind and None not in channel.pair]
        wanted = {channel.colour for channel in of_kind}
        pairs: dict[tuple[int | None, int | None], set[float | None]] = {}
        for channel in of_kind:
            pairs.setdefault(channel.pair, set()).add(channel.colour)
        for (source, detector), found in pairs.items():
            if lacking := wanted - found:
                raise RecordingError(
                    f"{path}: source {source} and detector {detector} lack the wavelength "
                    f"{_list_nm(lacking)}; this pair has only {_list_nm(found)}, other pairs have "
                    f"{_list_nm(wanted)}. Restore the channel, or remove the pair from the recording."
                )


def _list_nm(wavelengths: set[float | None]) -> str:
    return " and ".join(f"{nm:g} nm" if nm is not None else "none" for nm in sorted(wavelengths, key=str))


def check_steps(times: Floats, path: Path, declared: str, unit: float = 1.0) -> None:
    """Refuse stamps, (n_samples,) float64 s, whose unit cannot be the one that was taken.

    `declared` are the file's words on it, `unit` the seconds in one.
    """
    steps = np.diff(times)
    steps = steps[steps > 0]
    if not len(steps) or SHORTEST_STEP_S <= (typical := float(np.median(steps))) <= LONGEST_STEP_S:
        return
    raw = typical / unit
    fits = [u for u, by in TIME_UNITS.items() if SHORTEST_STEP_S <= raw * by <= LONGEST_STEP_S]
    raise RecordingError(
        f"{path}: its time stamps advance by {typical:.6g} s ({declared}); expected "
        f"{SHORTEST_STEP_S:g} to {LONGEST_STEP_S:g} s between samples."
        + (f" Are they in {fits[0]}? Correct their unit in the file." if fits else "")
    )


def check_concentrations(undeclared: Floats, declared: Floats, path: Path) -> list[str]:
    """Refuse haemoglobin of no declared unit that cannot be mol/L; a remark on such of a declared unit.

    Either, (n_channels, n_samples) float64, is in mol/L; what has no declared unit is taken for it.
    """
    if (typical := _typical(undeclared)) > MOST_HAEMOGLOBIN:
        unit = next((u for u, factor in _MOLAR.items() if typical * factor <= MOST_HAEMOGLOBIN), "umol/L")
        raise RecordingError(
            f"{path} does not say the unit of its haemoglobin, and its values (typically {typical:.3g}) "
            f"cannot be mol/L: expected at most {MOST_HAEMOGLOBIN:g}, for tissue holds no more in all. Say "
            f"what they are, for instance --haemoglobin-unit {unit} (in a recipe: haemoglobin_unit = "
            f'"{unit}" under [input]).'
        )
    if (typical := _typical(declared)) <= MOST_HAEMOGLOBIN:
        return []
    return [
        f"haemoglobin is typically {typical:.3g} mol/L by its declared unit, and tissue holds at most "
        f"{MOST_HAEMOGLOBIN:g}: the unit is wrong, or it is no concentration; --haemoglobin-unit "
        "(haemoglobin_unit) corrects it"
    ]


def _typical(values: Floats) -> float:
    """The median size of what is finite and not 0; 0 where nothing is."""
    sizes = np.abs(values)
    sizes = sizes[np.isfinite(sizes) & (sizes > 0)]
    return float(np.median(sizes)) if sizes.size else 0.0
