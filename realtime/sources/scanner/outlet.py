"""Region values as an LSL stream: `RegionOutlet`.

One outlet a series: a listener sees the old one go and finds the new one by its name, which its session
takes for a
new stream (`StreamOpened`), so that no baseline of one series is used for another.  Samples wait until
somebody
listens: the first volumes of a run are not lost while a session looks for the stream.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree as ET

import pylsl

from realtime.channels.lsl_description import describe
from realtime.log import Origin
from realtime.signal import Channel, Kind, SignalSpec
from realtime.sources.lsl.stream_info import with_description
from realtime.volumes.atlas import Atlas

MOST_WAITING = 10_000
"""Samples that wait for a first listener; the oldest are let go."""
NAME = "hemostream-scanner"


def region_channels(atlas: Atlas) -> tuple[Channel, ...]:
    """The channels of an atlas: one of kind BOLD a region, in arbitrary units, where it is in the head
    (m)."""
    centres = atlas.centres_mm() / 1000.0
    return tuple(
        Channel(
            name=name,
            kind=Kind.BOLD,
            unit="a.u.",
            position=(float(x), float(y), float(z)),
        )
        for name, (x, y, z) in zip(atlas.names.values(), centres, strict=True)
    )


def describe_regions(spec: SignalSpec, origin: Origin, about: Mapping[str, str]) -> ET.Element:
    """The stream's description: its channels, and under ``hemostream/scanner`` how they came about.

    Parameters
    ----------
    spec : SignalSpec
        The channels.
    origin : Origin
        Live, replayed or simulated.
    about : mapping
        Names of elements and their text.
    """
    desc = describe(spec, origin)
    ours = desc.find("hemostream")
    assert ours is not None
    node = ET.SubElement(ours, "scanner")
    for name, text in about.items():
        ET.SubElement(node, name).text = text
    return desc


class RegionOutlet:
    """The stream of one series.

    Parameters
    ----------
    spec : SignalSpec
        Its channels; a rate of 0 where the repetition time is not known.
    origin : Origin
        Of the samples.
    about : mapping
        See `describe_regions`.
    name, source_id : str
        Of the stream.
    """

    def __init__(
        self, spec: SignalSpec, origin: Origin, about: Mapping[str, str], *, name: str, source_id: str
    ) -> None:
        content = "fMRI" if Kind.BOLD in spec.kinds else "NIRS"
        info = pylsl.StreamInfo(name, content, len(spec), spec.rate, pylsl.cf_double64, source_id)
        self._outlet: pylsl.StreamOutlet | None = pylsl.StreamOutlet(
            with_description(info, describe_regions(spec, origin, about))
        )
        self._waiting: deque[tuple[list[float], float]] = deque(maxlen=MOST_WAITING)
        self._heard = False

    @property
    def heard(self) -> bool:
        """Whether anybody has listened so far."""
        return self._heard

    @property
    def waiting(self) -> int:
        """Samples that nobody has heard yet."""
        return len(self._waiting)

    def push(self, values: Sequence[float], stamp: float) -> None:
        """Send a sample, stamped (s, stream's clock), or keep it until somebody listens."""
        self._waiting.append((list(values), stamp))
        self.flush()

    def flush(self) -> None:
        """Send what waits, where somebody listens."""
        if self._outlet is None:
            return
        self._heard = self._heard or bool(self._outlet.have_consumers())
        while self._heard and self._waiting:
            values, stamp = self._waiting.popleft()
            self._outlet.push_sample(values, stamp)

    def close(self) -> None:
        """End the stream."""
        self._outlet = None
