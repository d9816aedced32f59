"""A signal as an MNE ``Info``, and back.

MNE names fNIRS channels by optode numbers (``S1_D2 760``, ``S1_D2 hbo``) and its functions refuse
others, so channels are named its way.  What MNE has no field for is kept in the info's
``description`` (`realtime.channels.lossless`), where it survives saving and picking no channel.
"""

import re
from collections.abc import Mapping
from math import dist

import mne
import numpy as np

from models.errors import SignalError
from realtime.channels.lossless import lossless_extension, restored
from realtime.channels.optodes import standard_name
from realtime.signal import CONFOUNDS, Channel, Kind, Position, SignalSpec

NOT_HELD: Mapping[str, tuple[str, ...]] = {
    "always": (
        "name",  # MNE has names of its own
        "source_name",
        "detector_name",
        "nominal_wavelength",  # it is MNE's wavelength; what was measured is ours
        "distance",  # follows from the optodes' positions
    ),
    "sometimes": (
        "unit",  # arbitrary units: MNE takes intensities for volts
        "source",  # of a channel that lacks one of its two numbers
        "detector",
        "wavelength",  # of what is not light
        "kind",  # total haemoglobin, BOLD regions, head motion: MNE has no type for them
        "rate",  # 0, which says that none is declared
    ),
}
"""Fields of a channel, and the rate, that MNE's own fields cannot hold.

Our text in the info's description keeps all of it.
"""

_PREFIX = "hemostream "
_TYPES: Mapping[Kind, str] = {
    Kind.INTENSITY: "fnirs_cw_amplitude",
    Kind.OPTICAL_DENSITY: "fnirs_od",
    Kind.HBO: "hbo",
    Kind.HBR: "hbr",
    Kind.HBT: "misc",
    Kind.BOLD: "misc",
    **dict.fromkeys(CONFOUNDS, "misc"),
}
_KINDS: Mapping[str, tuple[Kind, str]] = {
    "fnirs_cw_amplitude": (Kind.INTENSITY, "V"),
    "fnirs_od": (Kind.OPTICAL_DENSITY, "1"),
    "hbo": (Kind.HBO, "mol/L"),
    "hbr": (Kind.HBR, "mol/L"),
}
_NAME = re.compile(r"S(\d+)_D(\d+) ")


def info_from_spec(spec: SignalSpec) -> mne.Info:
    """Describe a signal for MNE.

    Parameters
    ----------
    spec : SignalSpec
        The signal.

    Returns
    -------
    mne.Info
        One channel for each of the signal's, in its order.  A declared rate of 0 becomes 1 Hz,
        as MNE must have one.

    Raises
    ------
    SignalError
        Where two channels would have the same name in MNE.
    """
    names = [_mne_name(channel) for channel in spec.channels]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        own = [c.name for c, name in zip(spec.channels, names, strict=True) if name == twice]
        raise SignalError(
            f"Channels {', '.join(map(repr, own))} would all be {twice!r} in MNE, which distinguishes "
            "channels by optodes and wavelength or chromophore; choose one of them."
        )
    info = mne.create_info(names, spec.rate or 1.0, [_TYPES[channel.kind] for channel in spec.channels])
    for channel, entry in zip(spec.channels, info["chs"], strict=True):
        loc = np.full(12, np.nan)
        for first, position in (
            (0, channel.position),
            (3, channel.source_position),
            (6, channel.detector_position),
        ):
            if position is not None:
                loc[first : first + 3] = position
        if channel.colour is not None and channel.kind in (Kind.INTENSITY, Kind.OPTICAL_DENSITY):
            loc[9] = channel.colour  # MNE wants the same few wavelengths in all pairs
        entry["loc"] = loc
    info["description"] = _PREFIX + lossless_extension(spec, _standard(info), float(info["sfreq"]))
    return info


def spec_from_info(info: mne.Info, rate: float | None = None) -> SignalSpec:
    """Understand an MNE ``Info``.

    Parameters
    ----------
    info : mne.Info
        Of continuous-wave fNIRS.  Channels that are none (stimulus, motion) are left out.
    rate : float or None
        Nominal rate (Hz) where it is not the info's.

    Returns
    -------
    SignalSpec
        The haemodynamic channels, in the info's order.

    Raises
    ------
    SignalError
        Where there is none.
    """
    read = _standard(info)
    sfreq = float(info["sfreq"])
    description = info["description"] or ""
    spec = None
    if description.startswith(_PREFIX):
        spec = restored(description.removeprefix(_PREFIX), read, sfreq)
    if spec is None:
        channels = tuple(channel for channel in read if channel is not None)
        if not channels:
            types = sorted(set(info.get_channel_types()))
            raise SignalError(
                f"MNE's info has channels of type {', '.join(types)}; expected {', '.join(_KINDS)}."
            )
        spec = SignalSpec(channels, sfreq)
    return spec if rate is None else spec.with_rate(rate)


def rows_of_signal(info: mne.Info) -> list[int]:
    """Which channels of an info `spec_from_info` describes, in order."""
    read = _standard(info)
    rows = [row for row, channel in enumerate(read) if channel is not None]
    return rows if len(rows) == len(spec_from_info(info)) else list(range(len(read)))


def _mne_name(channel: Channel) -> str:
    """The name that MNE wants, where the channel has what it is made of."""
    if channel.source is None or channel.detector is None or _TYPES[channel.kind] == "misc":
        return channel.name
    light = channel.kind in (Kind.INTENSITY, Kind.OPTICAL_DENSITY)
    if light and channel.wavelength is None:
        return channel.name
    wavelength = channel.colour if light else None
    return standard_name(channel.source, channel.detector, channel.kind, wavelength)


def _standard(info: mne.Info) -> list[Channel | None]:
    """What MNE's own fields say of each channel; None where it is no signal of ours."""
    read: list[Channel | None] = []
    for entry, kind_name in zip(info["chs"], info.get_channel_types(), strict=True):
        if kind_name not in _KINDS:
            read.append(None)
            continue
        kind, unit = _KINDS[kind_name]
        match = _NAME.match(entry["ch_name"])
        loc = entry["loc"]
        at, to = _position(loc[3:6]), _position(loc[6:9])
        light = kind in (Kind.INTENSITY, Kind.OPTICAL_DENSITY)
        read.append(
            Channel(
                name=entry["ch_name"],
                kind=kind,
                unit=unit,
                source=int(match[1]) if match else None,
                detector=int(match[2]) if match else None,
                wavelength=float(loc[9]) if light and np.isfinite(loc[9]) else None,
                distance=dist(at, to) if at and to else None,
                position=_position(loc[0:3]),
                source_position=at,
                detector_position=to,
            )
        )
    return read


def _position(values: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> Position | None:
    """Three coordinates in metres, None where they are not known."""
    if not np.isfinite(values).all():
        return None
    x, y, z = values
    return float(x), float(y), float(z)
