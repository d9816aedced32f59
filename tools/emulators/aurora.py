"""A recording as NIRx Aurora would send it (`realtime.devices.aurora`).

Rows: a frame counter, the intensities at the shorter and at the longer wavelength (V), and HbO and HbR
(umol/L).  The haemoglobins come out of our own causal stages (optical density against the first 10 s,
modified Beer-Lambert law with MNE's coefficients), since how Aurora computes them is not published: NaN
until the baseline is full, and throughout where a distance is not known.

The frame counter counts sampling periods, so it skips where samples are lost, and starts anew after a
pause, as the device's relative time does.
"""

from xml.etree import ElementTree as ET

import numpy as np

from models.arrays import Floats
from models.errors import HemostreamError, StreamError
from realtime.log import Origin
from realtime.signal import Chunk, Kind, SignalSpec
from realtime.sources.recording import Recording
from tools.emulators.base import EmulatedStream, add, description, need, optode, sent

LOST_PERIODS = 2.5
"""A step of more sampling periods than this means that frames are lost; below it is jitter."""
PAUSE_S = 30.0
"""A step longer than this is a pause, behind which the device counts anew.  Not published: our choice."""


def emulate(recording: Recording, origin: Origin) -> EmulatedStream:
    """Make the stream.

    Parameters
    ----------
    recording : Recording
        Intensities at two wavelengths of every pair.
    origin : Origin
        Where the samples come from.

    Raises
    ------
    StreamError
        If it holds anything else.
    """
    need(recording, (Kind.INTENSITY,), "Aurora")
    pairs = _pairs(recording)
    spec = recording.spec
    values = sent(recording)
    first = [spec.channels[short] for short, _ in pairs]
    by_wavelength = [short for short, _ in pairs] + [long for _, long in pairs]
    haemoglobin, remarks = _haemoglobin(recording, pairs)
    rows = np.vstack([frame_counter(recording.times)[None], values[by_wavelength], haemoglobin])
    desc = description(origin)
    channels = add(desc, "channels")
    add(add(channels, "channel"), "label", "Frame")
    for wavelength_of in (0, 1):
        for pair, channel in zip(pairs, first, strict=True):
            node = _channel(channels, channel.source, channel.detector)
            add(node, "wavelength", f"{spec.channels[pair[wavelength_of]].colour:.10g}")
    for _ in (Kind.HBO, Kind.HBR):
        for channel in first:
            _channel(channels, channel.source, channel.detector)
    _montage(desc, spec)
    return EmulatedStream("Aurora", "NIRS", spec.rate, desc, rows, remarks=remarks)


def frame_counter(times: Floats) -> Floats:
    """Frames as a device counts them.

    Parameters
    ----------
    times : (n_samples,) float64
        Stamps (s).

    Returns
    -------
    (n_samples,) float64
        From 1; skips where steps are long, begins anew behind a pause.
    """
    steps = np.diff(times)
    if not len(steps):
        return np.ones(len(times))
    period = float(np.median(steps))
    lost = np.where(steps > LOST_PERIODS * period, np.round(steps / max(period, 1e-9)), 1.0)
    count = np.concatenate([[1.0], 1.0 + np.cumsum(lost)])
    starts = np.flatnonzero(steps > PAUSE_S) + 1
    base = np.zeros(len(times))
    for start in starts.tolist():
        base[start:] = count[start] - 1.0
    return count - base


def _pairs(recording: Recording) -> list[tuple[int, int]]:
    """For each pair its channels at the shorter and the longer wavelength."""
    found: dict[tuple[int | None, int | None], list[int]] = {}
    for index, channel in enumerate(recording.spec.channels):
        found.setdefault(channel.pair, []).append(index)
    pairs = []
    for pair, indices in found.items():
        if len(indices) != 2:
            raise StreamError(
                f"Pair S{pair[0]}-D{pair[1]} of {recording.name!r} has {len(indices)} wavelengths; Aurora "
                "sends two "
                "of each pair. Send it with --layout full."
            )
        short, long = sorted(indices, key=lambda i: recording.spec.channels[i].colour or 0.0)
        pairs.append((short, long))
    return pairs


def _haemoglobin(recording: Recording, pairs: list[tuple[int, int]]) -> tuple[Floats, tuple[str, ...]]:
    """(2 n_pairs, n_samples): HbO of all pairs, then HbR, umol/L."""
    spec = recording.spec.pick([index for pair in pairs for index in pair])
    order = [index for pair in pairs for index in pair]
    chunk = Chunk(spec, recording.data[order], recording.times, recording.missing[order])
    try:
        # Imported here: they bring in MNE, which no other emulator needs.
        from realtime.stages.beer_lambert import BeerLambert
        from realtime.stages.optical_density import OpticalDensity

        density = OpticalDensity(spec)
        law = BeerLambert(density.spec_out)
        out = law.process(density.process(chunk))
    except HemostreamError as error:
        empty = np.full((2 * len(pairs), len(recording.times)), np.nan)
        return empty, (f"HbO and HbR are not known and sent as NaN: {error}",)
    values = np.where(out.missing, np.nan, out.data) * 1e6
    remark = "HbO and HbR are computed by hemostream's own stages, 10 s baseline, pathlength factor 6"
    return np.concatenate([values[0::2], values[1::2]]), (remark,)


def _channel(parent: ET.Element, source: int | None, detector: int | None) -> ET.Element:
    node = add(parent, "channel")
    add(node, "custom_name", f"S{source}-D{detector}")
    return node


def _montage(desc: ET.Element, spec: SignalSpec) -> None:
    """Optodes in the order of their numbers, from 1 without a hole, as in Aurora's list."""
    optodes = add(add(desc, "montage"), "optodes")
    for which in ("source", "detector"):
        places = {
            getattr(channel, which): (getattr(channel, f"{which}_position"), optode(channel, which))
            for channel in spec.channels
        }
        parent = add(optodes, f"{which}s")
        for number in range(1, max(places) + 1):
            place = places.get(number, (None, ""))[0]
            node = add(parent, which)
            if place is not None:
                location = add(node, "location")
                for axis, metres in zip("xyz", place, strict=True):
                    add(location, axis, f"{metres * 1000:.6g}")
