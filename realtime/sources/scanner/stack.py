"""Volumes of single slices, a file each, put together by geometry: `SliceStack`.

Nothing here knows a vendor.  How many slices a volume has is read from the standard elements where they are
there, or
learnt from the first two volumes: slices of one place are that many instances apart.  Which volume a slice
is of
follows from its instance number, and its place must then be the one that slices of that rank have.
"""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from models.errors import VolumeError
from realtime.sources.scanner.image import ScannerImage, SlicePosition
from realtime.sources.scanner.remarks import ScannerFault, ScannerRemark
from realtime.volumes.slices import SlicePlane, grid_of_slices

MOST_SLICES = 4096
"""Slices that are kept while it is not known how many make a volume."""
SAME_PLACE_MM = 0.01
"""Positions that differ by less are one."""


@dataclass(frozen=True, eq=False)
class StackedSlice:
    """One slice.

    Parameters
    ----------
    image : ScannerImage
        As the file has it.
    position : SlicePosition
        Where it belongs.
    arrived : float
        When it was whole here, local s.
    """

    image: ScannerImage
    position: SlicePosition
    arrived: float


class SliceStack:
    """The slices of one series.

    Parameters
    ----------
    plane : SlicePlane
        How the first slice lies; the others must lie likewise.
    """

    def __init__(self, first: ScannerImage) -> None:
        self._first = first
        self._plane = _plane(first)
        self._per_volume: int | None = None
        self._waiting: dict[int, StackedSlice] = {}
        self._open: dict[int, dict[int, StackedSlice]] = {}
        self._places: dict[int, float] = {}
        self._done = 0

    def add(self, image: ScannerImage, position: SlicePosition, now: float) -> list[ScannerImage]:
        """Take a slice; give the volumes that it completes.

        Raises
        ------
        VolumeError
            It is not of this stack.
        """
        if image.grid.shape != self._first.grid.shape or not np.allclose(
            image.grid.affine_mm[:3, :3], self._first.grid.affine_mm[:3, :3], atol=1e-3
        ):
            raise VolumeError(
                f"Slice {position.instance} has the shape {image.grid.shape} or lies otherwise than the "
                f"first one "
                f"({self._first.grid.shape}); expected slices of one stack."
            )
        if self._per_volume is None:
            if len(self._waiting) >= MOST_SLICES:
                raise VolumeError(
                    f"After {MOST_SLICES} slices no place has come twice: this is no series of volumes."
                )
            self._waiting[position.instance] = StackedSlice(image, position, now)
            self._per_volume = position.per_volume or self._learnt()
            if self._per_volume is None:
                return []
            waiting, self._waiting = self._waiting, {}
            out: list[ScannerImage] = []
            for one in waiting.values():
                out += self._placed(one)
            return out
        return self._placed(StackedSlice(image, position, now))

    def given_up(self, now: float, patience_s: float) -> list[ScannerRemark]:
        """Volumes that still lack slices although a later one has been whole for a while."""
        out: list[ScannerRemark] = []
        for number in sorted(self._open):
            slices = self._open[number]
            if number < self._done and now - max(one.arrived for one in slices.values()) > patience_s:
                del self._open[number]
                out.append(
                    ScannerRemark(
                        now,
                        ScannerFault.INCOMPLETE,
                        f"Volume {number} has {len(slices)} of {self._per_volume} slices; it is left out.",
                    )
                )
        return out

    def _learnt(self) -> int | None:
        """How many instances apart slices of one place are; None before that is certain."""
        by_place: dict[int, list[int]] = {}
        for instance, one in self._waiting.items():
            by_place.setdefault(self._place(one), []).append(instance)
        apart = [b - a for each in map(sorted, by_place.values()) for a, b in pairwise(each)]
        # Until each place has been seen, the one that came again may be of a volume further on.
        return min(apart) if apart and min(apart) == len(by_place) else None

    def _place(self, one: StackedSlice) -> int:
        return round(float(self._plane.heights_mm(one.position.position_mm)) / SAME_PLACE_MM)

    def _placed(self, one: StackedSlice) -> list[ScannerImage]:
        assert self._per_volume is not None
        volume, rank = divmod(one.position.instance - 1, self._per_volume)
        number = volume + 1
        height = float(self._plane.heights_mm(one.position.position_mm))
        place = self._places.setdefault(rank, height)
        if abs(place - height) > 2 * SAME_PLACE_MM:
            raise VolumeError(
                f"Slice {one.position.instance} lies at {height:.2f} mm, slices of its rank in a volume of "
                f"{self._per_volume} at {place:.2f} mm; expected instance numbers that count through one "
                f"volume "
                "after the other. Correct the export."
            )
        slices = self._open.setdefault(number, {})
        slices[rank] = one
        if len(slices) < self._per_volume:
            return []
        del self._open[number]
        self._done = max(self._done, number)
        return [self._whole(number, [slices[rank] for rank in sorted(slices)])]

    def _whole(self, number: int, slices: list[StackedSlice]) -> ScannerImage:
        positions = np.stack([one.position.position_mm for one in slices])
        rows, columns, _ = self._first.grid.shape
        grid, order = grid_of_slices(self._plane, positions, rows, columns)
        data = np.concatenate([slices[index].image.data for index in order], axis=2)
        first = min(slices, key=lambda one: one.position.instance).image
        times = [one.image.acquired for one in slices if one.image.acquired is not None]
        return replace(
            first, data=data, grid=grid, number=number, slice_of=None, acquired=min(times, default=None)
        )


def _plane(first: ScannerImage) -> SlicePlane:
    """How a slice lies, from its own grid."""
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ first.grid.affine_mm
    rows, columns, step = (np.linalg.norm(affine[:3, axis]) for axis in range(3))
    orientation = np.concatenate([affine[:3, 1] / columns, affine[:3, 0] / rows])
    return SlicePlane(orientation, np.array([rows, columns]), float(step))
