"""What a side file adds to a stream that describes its channels but not the distances of their optodes.

OxySoft labels its rows and gives no distances.  A side file without ``ChMontage`` adds them::

    {
      "SourceDetectorSeparation": {"Tx1-Rx1": "30 mm", "Tx2-Rx1": "8 mm"},
      "Optodes": {"Tx3": [81.2, 10, 33.5], "Rx2": [70.1, 30, 40]},
      "OptodeUnit": "mm"
    }

``SourceDetectorSeparation`` is a length with its unit for each pair, in either order, or one length
for all; ``Optodes`` are positions in ``OptodeUnit`` (mm, cm or m).  Either may be left out.  A pair that
has both has the distance that the first gives.  What a channel of the stream is still lacking after that
is an error: half a geometry is no geometry.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import dist
from pathlib import Path
from typing import Any, Self

from models.errors import StreamError
from realtime.channels.layout import StreamLayout
from realtime.channels.montage import parse_length
from realtime.channels.optodes import midpoint, optode_of
from realtime.channels.units import LENGTHS
from realtime.signal import Channel, Position, SignalSpec

FORM = '{"SourceDetectorSeparation": {"Tx1-Rx1": "30 mm", ...}}'
"""The least that a side file adds, for messages."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """Distances and positions, by the vendor's names of optodes (``S1``, or ``Tx1`` where there is none).

    Parameters
    ----------
    everywhere : float or None
        Distance of every pair (m).
    distances : mapping
        Distance (m) of a pair of optodes, under ``frozenset`` of their names.
    positions : mapping
        Places (m) of optodes.
    """

    everywhere: float | None = None
    distances: Mapping[frozenset[str], float] = field(default_factory=dict)
    positions: Mapping[str, Position] = field(default_factory=dict)

    @classmethod
    def from_json(cls, values: Mapping[str, Any], path: Path) -> Self:
        """Read what a side file's JSON says.

        Raises
        ------
        StreamError
            Where a length, a pair or a position is not understood.
        """
        separations = values.get("SourceDetectorSeparation", {})
        everywhere, distances = None, {}
        if isinstance(separations, Mapping):
            for name, text in separations.items():
                pair = [part.strip() for part in str(name).split("-")]
                if len(pair) != 2 or not all(pair):
                    raise StreamError(
                        f"Side file {path}: SourceDetectorSeparation names {name!r}; expected two optodes, "
                        "as in "
                        "'Tx1-Rx1' (or a 'ChMontage' that says what its types are)."
                    )
                distances[frozenset(pair)] = parse_length(text, f"Side file {path}, distance of {name!r}")
        else:
            everywhere = parse_length(separations, f"Side file {path}, SourceDetectorSeparation")
        unit = values.get("OptodeUnit", "mm")
        if not isinstance(unit, str) or unit not in LENGTHS:
            raise StreamError(f"Side file {path} has OptodeUnit {unit!r}; expected {', '.join(LENGTHS)}.")
        optodes = values.get("Optodes", {})
        if not isinstance(optodes, Mapping):
            raise StreamError(f"Side file {path} has Optodes {optodes!r}; expected positions by name.")
        positions = {
            str(name): _position(position, str(name), LENGTHS[unit], path)
            for name, position in optodes.items()
        }
        return cls(everywhere, distances, positions)

    def added_to(self, layout: StreamLayout, stream: str) -> StreamLayout:
        """The layout with distances and positions.

        Parameters
        ----------
        layout : StreamLayout
            What was recognised.
        stream : str
            The stream's name, for messages.

        Raises
        ------
        StreamError
            Where a channel is left without a distance.
        """
        channels = tuple(self._completed(channel) for channel in layout.spec.channels)
        if lacking := [channel for channel in channels if channel.distance is None]:
            first = lacking[0]
            pair = f"{first.source_name or f'S{first.source}'}-{first.detector_name or f'D{first.detector}'}"
            raise StreamError(
                f"The side file gives no distance to {len(lacking)} of the {len(channels)} channels of "
                "stream "
                f"{stream!r}, the first is {first.name} ({pair}). Add it to SourceDetectorSeparation, or "
                "both "
                "optodes to Optodes."
            )
        return replace(layout, spec=SignalSpec(channels, layout.spec.rate))

    def _completed(self, channel: Channel) -> Channel:
        sources = _names(channel.source_name, channel.source, "S", "Tx")
        detectors = _names(channel.detector_name, channel.detector, "D", "Rx")
        at = next(
            (self.positions[name] for name in sources if name in self.positions), channel.source_position
        )
        to = next(
            (self.positions[name] for name in detectors if name in self.positions), channel.detector_position
        )
        known = [
            self.distances[pair]
            for source in sources
            for detector in detectors
            if (pair := frozenset((source, detector))) in self.distances
        ]
        if known:
            distance: float | None = known[0]
        elif self.everywhere is not None:
            distance = self.everywhere
        elif at is not None and to is not None:
            distance = dist(at, to)
        else:
            distance = channel.distance
        return replace(
            channel,
            distance=distance,
            source_position=at,
            detector_position=to,
            position=midpoint(at, to) or channel.position,
        )


def _names(name: str | None, number: int | None, *letters: str) -> list[str]:
    """What an optode may be called in a side file: by its name, or by its number where that is its name."""
    optode = optode_of(name, number)
    by_number = [] if optode is None else [f"{letter}{optode.code}" for letter in letters]
    if name:
        plain = optode == optode_of(None, number)  # S1, Tx1 and source 1 are one
        return list(dict.fromkeys([name, *(by_number if plain else [])]))
    return by_number


def _position(position: Any, name: str, factor: float, path: Path) -> Position:
    numbers = (
        [v for v in position if isinstance(v, int | float) and not isinstance(v, bool) and abs(v) < 1e9]
        if (isinstance(position, list))
        else []
    )
    if len(numbers) != 3 or len(position) != 3:
        raise StreamError(f"Side file {path} puts optode {name!r} at {position!r}; expected three numbers.")
    x, y, z = (float(number) * factor for number in numbers)
    return x, y, z
