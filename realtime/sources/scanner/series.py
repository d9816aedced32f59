"""The volumes of one series in order, each once: `SeriesOrder`.

A volume that follows the last one leaves at once.  One that leaves a gap before it is held for a repetition
time, for
the others may be late; then they are named as missing, and whatever comes of them later is left out by name:
what was
published cannot be put before what was published already.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from realtime.sources.scanner.image import ScannerImage
from realtime.sources.scanner.remarks import ScannerFault, ScannerRemark
from realtime.volumes.volume import VoxelGrid

PATIENCE_TR = 0.9
"""How long a volume that leaves a gap before it waits for what is lacking, in repetition times: with this
the gap
is said less than two of them after what is lacking was due."""
PATIENCE_S = 1.0
"""The same where the repetition time is not known, s."""
MOST_HELD = 64
"""Volumes that are held behind a gap; more, and the gap is given up."""


@dataclass(frozen=True, eq=False)
class OrderedVolume:
    """A volume whose turn it is.

    Parameters
    ----------
    image : ScannerImage
        The volume.
    file : str
        Name of the file that it came in; of slices, the last.
    arrived : float
        When it was whole here, local s.
    """

    image: ScannerImage
    file: str
    arrived: float


class SeriesOrder:
    """One series.

    Parameters
    ----------
    first : ScannerImage
        Any volume of it: grid, repetition time and origin hold for all.
    joined : bool
        Whether it may have begun before we watched: then it begins for us with whatever comes first.
    """

    def __init__(self, first: ScannerImage, *, joined: bool) -> None:
        self.series, self.called, self.form = first.series, first.called or first.series, first.form
        self.origin, self.tr = first.origin, first.tr
        self.tr_s = (first.tr or PATIENCE_S) / first.origin.speed  # on the local clock
        self.patience_s = PATIENCE_TR * self.tr_s
        self.last_arrival = 0.0
        self.grid: VoxelGrid = first.grid
        self._next: int | None = None if joined else min(first.number, 1)
        self._held: dict[int, OrderedVolume] = {}
        self._known: dict[int, tuple[str, int]] = {}

    @property
    def holds(self) -> bool:
        """Whether volumes are held behind a gap."""
        return bool(self._held)

    def add(self, found: OrderedVolume) -> ScannerRemark | None:
        """Take a volume in any order; say why it is left out."""
        image, now = found.image, found.arrived
        self.last_arrival = max(self.last_arrival, now)
        if not image.grid.same_as(self.grid):
            return ScannerRemark(
                now,
                ScannerFault.OTHER_GRID,
                f"{found.file}: volume {image.number} has {_grid(image.grid)}; the series began with "
                f"{_grid(self.grid)}. It is left out: another matrix or position needs a series of its own.",
            )
        identity = (image.uid, zlib.crc32(np.ascontiguousarray(image.data).tobytes()))
        known = self._known.get(image.number)
        if known is not None:
            same = known == identity
            what = "comes a second time" if same else "is there already with other values or another identity"
            fault = ScannerFault.DUPLICATE if same else ScannerFault.CONFLICT
            return ScannerRemark(now, fault, f"{found.file}: volume {image.number} {what}; it is left out.")
        if self._next is not None and image.number < self._next:
            return ScannerRemark(
                now,
                ScannerFault.LATE,
                f"{found.file}: volume {image.number} comes after volume {self._next - 1} was published; "
                f"it is "
                "left out.",
            )
        self._known[image.number] = identity
        self._held[image.number] = found
        return None

    def ready(self, now: float) -> Iterator[OrderedVolume | ScannerRemark]:
        """The volumes whose turn it is at a local time (s), and which ones are given up."""
        while self._held:
            number = min(self._held)
            if self._next is not None and number > self._next:
                waited = now - min(one.arrived for one in self._held.values())
                if waited < self.patience_s and len(self._held) <= MOST_HELD:
                    return
                yield _missing(self._next, number, now)
            self._next = number + 1
            yield self._held.pop(number)


def _missing(first: int, stop: int, now: float) -> ScannerRemark:
    which = f"Volume {first} is" if stop == first + 1 else f"Volumes {first} to {stop - 1} are"
    return ScannerRemark(
        now, ScannerFault.MISSING, f"{which} missing; the signal has a gap there, and goes on with {stop}."
    )


def _grid(grid: VoxelGrid) -> str:
    corner = ", ".join(f"{x:.1f}" for x in grid.affine_mm[:3, 3])
    edges = " x ".join(f"{x:.3g}" for x in grid.voxel_mm)
    return f"{' x '.join(map(str, grid.shape))} voxels of {edges} mm at ({corner})"
