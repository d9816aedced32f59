"""A recording as Artinis OxySoft would send it (`realtime.devices.oxysoft`).

Optical density to base 10 under labels such as ``[3] Rx1-Tx2 [760nm]``, wavelengths in whole nanometres,
with two unused ADC inputs and the three angles of a motion sensor in between; no distance anywhere (the
side file that adds them is made too).  Of an intensity the optical density is ``-log10(I)``, in the
recording's own unit: OxySoft's is absolute as well, and a constant goes out with the baseline.
"""

import math
import re
from typing import Any

import numpy as np

from models.arrays import Floats
from models.errors import StreamError
from realtime.log import Origin
from realtime.signal import Channel, Kind
from realtime.sources.recording import Recording
from tools.emulators.base import EmulatedStream, add, description, need, sent

ADC = ("ADC 1", "ADC 2")
ANGLES = ("HEADING", "ROLL", "PITCH")


def emulate(recording: Recording, origin: Origin) -> EmulatedStream:
    """Make the stream.

    Parameters
    ----------
    recording : Recording
        Intensities or optical densities.
    origin : Origin
        Where the samples come from.

    Raises
    ------
    StreamError
        If it holds anything else, or wavelengths that are one when rounded.
    """
    need(recording, (Kind.INTENSITY, Kind.OPTICAL_DENSITY), "OxySoft")
    spec = recording.spec
    light = _density(recording)
    n_samples = light.shape[1]
    half = len(spec) // 2
    names = [_names(channel) for channel in spec.channels]
    labels = [
        f"[{number}] {receiver}-{transmitter} [{channel.colour:.0f}nm]"
        for number, ((transmitter, receiver), channel) in enumerate(
            zip(names, spec.channels, strict=True), start=1
        )
    ]
    if len({label.partition("] ")[2] for label in labels}) < len(labels):
        raise StreamError(
            f"Two channels of {recording.name!r} are the same once wavelengths are whole nanometres, as "
            "OxySoft "
            "says them. Send it with --layout full."
        )
    desc = description(origin)
    channels = add(desc, "channels")
    # Auxiliaries lie between the light channels, so rows must not be counted.
    for label in (*labels[:half], *ADC, *labels[half:], *ANGLES):
        add(add(channels, "channel"), "label", label)
    idle, still = np.zeros((len(ADC), n_samples)), np.zeros((len(ANGLES), n_samples))
    rows = np.vstack([light[:half], idle, light[half:], still])
    return EmulatedStream(
        "OxySoft",
        "NIRS",
        spec.rate,
        desc,
        rows,
        events="Event",
        side=_geometry(spec.channels, names),
        remarks=("wavelengths are rounded to nanometres", "ADC and angles are noughts"),
    )


def _density(recording: Recording) -> Floats:
    """(n_channels, n_samples) to base 10."""
    out = sent(recording)
    for row, channel in enumerate(recording.spec.channels):
        if channel.kind is Kind.OPTICAL_DENSITY:
            out[row] /= math.log(10)
        else:
            out[row] = -np.log10(np.where(out[row] > 0, out[row], np.nan))
    return out


def _names(channel: Channel) -> tuple[str, str]:
    """Transmitter and receiver: the recording's own names where they are Artinis', else our numbers."""
    pair = []
    for letters, name, number in (
        ("Tx", channel.source_name, channel.source),
        ("Rx", channel.detector_name, channel.detector),
    ):
        pair.append(name if name and re.fullmatch(rf"{letters}\w+", name) else f"{letters}{number}")
    return pair[0], pair[1]


def _geometry(channels: tuple[Channel, ...], names: list[tuple[str, str]]) -> dict[str, Any] | None:
    """The side file (form: `realtime.channels.geometry`) that adds what OxySoft does not send."""
    distances = {
        f"{transmitter}-{receiver}": f"{channel.distance * 1000:.3f} mm"
        for (transmitter, receiver), channel in zip(names, channels, strict=True)
        if channel.distance is not None
    }
    places: dict[str, list[float]] = {}
    for (transmitter, receiver), channel in zip(names, channels, strict=True):
        for name, place in ((transmitter, channel.source_position), (receiver, channel.detector_position)):
            if place is not None:
                places[name] = [round(metres * 1000, 6) for metres in place]
    if not distances and not places:
        return None
    return {"SourceDetectorSeparation": distances, "Optodes": places, "OptodeUnit": "mm"}
