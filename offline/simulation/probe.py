"""The simulated probe: mirrored rows of optodes over both hemispheres, as a `SignalSpec`.

Pairs are numbered left hemisphere first; pair ``i`` of the left and pair ``i`` of the right are
mirror images in the plane ``x = 0``.
"""

from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np

from offline.simulation.settings import Simulation
from realtime.channels.optodes import between
from realtime.signal import Channel, Kind, Position, SignalSpec

LONG_M = 0.03
SHORT_M = 0.008
HALF_WIDTH_M = 0.07
PAIRS_A_ROW = 5


@dataclass(frozen=True, slots=True)
class Pair:
    """A source and a detector, numbered from 1; positions in metres, x to the right, y to the front, z up."""

    source: int
    detector: int
    source_position: Position
    detector_position: Position
    short: bool = False  # whether it sees the scalp only

    @property
    def name(self) -> str:
        """``S1_D1``, as MNE writes it."""
        return f"S{self.source}_D{self.detector}"

    @property
    def left(self) -> bool:
        """Whether it lies on the left hemisphere."""
        return self.source_position[0] < 0

    @property
    def distance(self) -> float:
        """Source to detector, metres."""
        return float(np.linalg.norm(np.subtract(self.source_position, self.detector_position)))


def make_pairs(settings: Simulation) -> tuple[Pair, ...]:
    """Lay out the long pairs (left, then right), then the short ones (left, then right).

    A row is a chain source, detector, source, ... in steps of 3 cm, so neighbours share optodes.
    """
    half, half_short = settings.n_pairs // 2, settings.n_short // 2
    sources: list[Position] = []
    detectors: list[Position] = []
    found: list[Pair] = []
    starts: list[list[int]] = []  # for each side, the source number of each of its pairs
    for x in (-HALF_WIDTH_M, HALF_WIDTH_M):
        starts.append([])
        for row_start in range(0, half, PAIRS_A_ROW):
            n_here = min(PAIRS_A_ROW, half - row_start)
            z = 0.03 + LONG_M * (row_start // PAIRS_A_ROW)
            numbers: list[int] = []
            for step in range(n_here + 1):
                optodes = sources if step % 2 == 0 else detectors
                optodes.append((x, LONG_M * (step - n_here / 2), z))
                numbers.append(len(optodes))
            for step, (first, second) in enumerate(pairwise(numbers)):
                source, detector = (first, second) if step % 2 == 0 else (second, first)
                found.append(Pair(source, detector, sources[source - 1], detectors[detector - 1]))
                starts[-1].append(source)
    for own in starts:
        for k, source in enumerate(own[:half_short]):
            x, y, z = sources[source - 1]
            # Short detectors of one source lie on either side of it.
            earlier = own[:k].count(source)
            detectors.append((x, y, z + SHORT_M * (1 if earlier % 2 == 0 else -1)))
            found.append(Pair(source, len(detectors), sources[source - 1], detectors[-1], short=True))
    return tuple(found)


def make_spec(pairs: tuple[Pair, ...], settings: Simulation) -> SignalSpec:
    """Channels of intensity: both wavelengths of a pair, then the next pair."""
    channels = []
    for pair, wavelength in product(pairs, settings.wavelengths):
        channel = Channel(
            name=f"{pair.name} {wavelength:g}",
            kind=Kind.INTENSITY,
            unit="V",
            source=pair.source,
            detector=pair.detector,
            source_name=f"S{pair.source}",
            detector_name=f"D{pair.detector}",
            wavelength=wavelength,
        )
        channels.append(between(channel, pair.source_position, pair.detector_position))
    return SignalSpec(tuple(channels), settings.rate)
