"""How the head moved, as the channels of a region stream: `MotionValues`."""

from collections.abc import Sequence

from realtime.signal import motion_channels
from realtime.sources.scanner.region_signal import RegionValues
from realtime.volumes.rigid import RigidMove, framewise_displacement_mm

N_MOTION = len(motion_channels())
UNKNOWN = (float("nan"),) * N_MOTION


class MotionValues:
    """Values of `realtime.signal.motion_channels` of one volume after another.

    The first volume of a series has no volume before it: its displacement is 0.  Behind a volume whose motion
    is not known the displacement is from the last one that is.
    """

    def __init__(self) -> None:
        self._series = ""
        self._before: RigidMove | None = None

    def of(self, values: RegionValues) -> Sequence[float]:
        """Three translations (m), three rotations (rad), framewise displacement (m); NaN where not known."""
        series = values.found.image.series
        if series != self._series:
            self._series, self._before = series, None
        move = values.move
        if move is None:
            return UNKNOWN
        before = move if self._before is None else self._before
        self._before = move
        shifts = [1e-3 * each for each in move.translation_mm]
        return [*shifts, *move.rotation, 1e-3 * framewise_displacement_mm(before, move)]
