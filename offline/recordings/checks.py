"""What every reader of recordings looks at before it hands a recording on."""

from collections.abc import Sequence
from dataclasses import replace
from math import inf
from pathlib import Path

import numpy as np

from models.arrays import Bools, Floats
from models.errors import RecordingError
from realtime.channels.units import LENGTHS
from realtime.signal import Channel, Kind, Position, SignalSpec
from realtime.sources.recording import Event

NEAR_M, FAR_M = 0.005, 0.080
"""A median source-detector distance outside these (m) is an error of unit."""
MOST_HAEMOGLOBIN = 2e-4
"""mol/L: brain holds 0.05 to 0.1 mmol/L of haemoglobin in all."""
_MOLAR = {"mmol/L": 1e-3, "umol/L": 1e-6, "nmol/L": 1e-9}
FREE, MOST_PACKED = 2**20, 200
"""Bytes that a file's content may have anyway, and for each byte it has packed.  Measured signals pack to
a half or a tenth; what claims more is damage, or made to fill the memory of who reads it."""

HELD = "{} events repeat the one a sample before, as a trigger that is held; ignored"
"""Remark on what `held_once` took out."""
_NEXT_SAMPLE = 1.5
"""Sample periods within which an onset is one of the next sample."""

_LIGHT = (Kind.INTENSITY, Kind.OPTICAL_DENSITY)


def missing_values(spec: SignalSpec, data: Floats) -> Bools:
    """What was not (usably) measured.

    Parameters
    ----------
    spec : SignalSpec
        Channels of the rows.
    data : (n_channels, n_samples) float64
        Values in each channel's unit.

    Returns
    -------
    (n_channels, n_samples) bool
        True where a value is not finite, or an intensity is not above zero.
    """
    missing: Bools = ~np.isfinite(data)
    rows = [i for i, channel in enumerate(spec.channels) if channel.kind is Kind.INTENSITY]
    missing[rows] |= ~(data[rows] > 0)
    return missing


def nominal_rate(times: Floats) -> float:
    """Samples a second (Hz) that stamps claim: 1 over the typical step, 0 where there is none.

    Parameters
    ----------
    times : (n_samples,) float64
        Stamps, s.
    """
    steps = np.diff(times)
    typical = float(np.median(steps)) if len(steps) else 0.0
    if not typical > 0:
        return 0.0
    if is_regular(times):
        return float(len(steps) / (times[-1] - times[0]))
    return 1.0 / typical


def is_regular(times: Floats, tolerance: float = 0.01) -> bool:
    """Whether no step (s) differs from the typical one by more than this part of it.

    Parameters
    ----------
    times : (n_samples,) float64
        Stamps, s.
    tolerance : float
        Part of the typical step.
    """
    steps = np.diff(times)
    if not len(steps):
        return True
    typical = np.median(steps)
    return bool(np.all(np.abs(steps - typical) <= tolerance * abs(typical)))


def check_times(times: Floats, path: Path) -> None:
    """Refuse a recording without samples, or with stamps that are no numbers.

    Parameters
    ----------
    times : (n_samples,) float64
        Stamps, s.
    path : Path
        Of the recording, for messages.
    """
    if not len(times):
        raise RecordingError(f"{path} holds no samples.")
    if bad := int(np.count_nonzero(~np.isfinite(times))):
        raise RecordingError(f"{path} has {bad} time stamps that are no numbers, of {len(times)}.")


def check_pairs(channels: Sequence[Channel], path: Path) -> None:
    """Refuse a source-detector pair that lacks one of the wavelengths of the others.

    Parameters
    ----------
    channels : sequence of Channel
        Of the recording.
    path : Path
        Of the recording, for messages.
    """
    for kind in _LIGHT:
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


def check_distances(spec: SignalSpec, path: Path, unit: str, *, correctable: bool = True) -> None:
    """Refuse positions in a unit that cannot be true.

    Parameters
    ----------
    spec : SignalSpec
        Channels, with distances in metres by the unit given.
    path : Path
        Of the recording, for messages.
    unit : str
        What positions were taken to be in: ``m``, ``cm`` or ``mm``.
    correctable : bool
        Whether a person can say another unit for this format.
    """
    known = [channel.distance for channel in spec.channels if channel.distance is not None]
    if not known:
        return
    median = float(np.median(known))
    if NEAR_M <= median <= FAR_M:
        return
    in_unit = median / LENGTHS[unit]
    fits = [other for other, metres in LENGTHS.items() if NEAR_M <= in_unit * metres <= FAR_M]
    advice = f"; if it is really in {fits[0]}, say {_saying(fits[0])}" if fits and correctable else ""
    raise RecordingError(
        f"{path}: the median distance between source and detector is {in_unit:.4g} in the declared unit "
        f"{unit!r}, that is {median * 1000:.4g} mm; expected 5 to 80 mm{advice}."
    )


def check_concentrations(rows: Sequence[int], data: Floats, path: Path) -> None:
    """Refuse concentrations of no declared unit that cannot be mol/L.

    Parameters
    ----------
    rows : sequence of int
        Channels of haemoglobin whose unit is not stated.
    data : (n_channels, n_samples) float64
        Values, taken for mol/L.
    path : Path
        Of the recording, for messages.
    """
    values = np.abs(data[list(rows)])
    values = values[np.isfinite(values) & (values > 0)]
    if not values.size or (typical := float(np.median(values))) <= MOST_HAEMOGLOBIN:
        return
    fits = [unit for unit, factor in _MOLAR.items() if typical * factor <= MOST_HAEMOGLOBIN]
    say = fits[0] if fits else "umol/L"
    raise RecordingError(
        f"{path} does not say the unit of its haemoglobin, and its values (typically {typical:.3g}) cannot "
        f"be mol/L: expected at most {MOST_HAEMOGLOBIN:g}, for tissue holds no more in all. Say what they "
        f'are, for instance --haemoglobin-unit {say} (in a recipe: haemoglobin_unit = "{say}" under [input]).'
    )


def length_factor(declared: str, length_unit: str | None, path: Path) -> tuple[str, float]:
    """The unit that positions are to be taken in, and the metres in one of it.

    Parameters
    ----------
    declared : str
        What the file says.
    length_unit : str or None
        What the user states, which goes before it.
    path : Path
        Of the recording, for messages.
    """
    unit = length_unit or declared
    if unit not in LENGTHS:
        whose = "--length-unit is" if length_unit else f"{path} declares the unit of length"
        raise RecordingError(
            f"{whose} {unit[:40]!r}; expected m, cm or mm"
            + ("." if length_unit else f". Say what it is, for instance {_saying('mm')}.")
        )
    return unit, LENGTHS[unit]


def _saying(unit: str) -> str:
    """How the user states the unit of length: to a command, or for a whole cohort in its recipe."""
    return f'--length-unit {unit} (in a recipe: length_unit = "{unit}" under [input])'


def rescaled(spec: SignalSpec, factor: float) -> SignalSpec:
    """The same channels with all positions and distances times a factor."""

    def scaled(place: Position | None) -> Position | None:
        return None if place is None else (place[0] * factor, place[1] * factor, place[2] * factor)

    return SignalSpec(
        tuple(
            replace(
                channel,
                distance=None if channel.distance is None else channel.distance * factor,
                position=scaled(channel.position),
                source_position=scaled(channel.source_position),
                detector_position=scaled(channel.detector_position),
            )
            for channel in spec.channels
        ),
        spec.rate,
    )


def in_order(events: Sequence[Event]) -> tuple[tuple[Event, ...], list[str]]:
    """Events by onset, each once; and a remark on those that stood there more often."""
    distinct = dict.fromkeys(events)
    repeated = len(events) - len(distinct)
    remarks = [f"{repeated} events stand in the file twice; each was taken once"] if repeated else []
    return tuple(sorted(distinct, key=lambda event: event.onset)), remarks


def _list_nm(wavelengths: set[float | None]) -> str:
    return " and ".join(f"{nm:g} nm" if nm is not None else "none" for nm in sorted(wavelengths, key=str))


def held_once(events: Sequence[Event], times: Floats) -> tuple[list[Event], int]:
    """Events without those that only say that a trigger is still up, and how many these are.

    A file that lists every sample at which a trigger line is up (Homer's converters and event files of
    amplifiers do) has a row a sample: what follows the same label by no more than a sample is held, not
    sent anew.

    Parameters
    ----------
    events : sequence of Event
        As the file lists them.
    times : (n_samples,) float64
        Stamps of the samples, s.
    """
    rate = nominal_rate(times)
    if not rate:
        return list(events), 0
    kept: list[Event] = []
    before: dict[str, float] = {}
    for event in sorted(events, key=lambda event: event.onset):
        apart = event.onset - before.get(event.label, -inf)
        before[event.label] = event.onset
        if apart == 0 or apart > _NEXT_SAMPLE / rate:
            kept.append(event)
    return kept, len(events) - len(kept)
