"""Volumes of a moved head give the regions of the head that did not, and say how it moved."""

from itertools import pairwise

import numpy as np

from realtime.signal import motion_channels
from realtime.sources.scanner.head_motion import MotionValues
from realtime.sources.scanner.image import ScannerImage
from realtime.sources.scanner.region_signal import RegionSignal, RegionValues
from realtime.sources.scanner.remarks import ScannerFault
from realtime.sources.scanner.series import OrderedVolume
from realtime.volumes.motion import MotionCorrector
from realtime.volumes.rigid import RigidMove, framewise_displacement_mm
from realtime.volumes.volume import Volume
from tests.realtime.heads import measured_head
from tools.emulators.scanner.phantom import ellipsoid_atlas

MOVES = (RigidMove(), RigidMove((2.0, -1.0, 1.5), (0.03, -0.02, 0.02)), RigidMove((2.0, -1.0, 1.5)))
STILL_HEAD = measured_head(number=1)
ATLAS = ellipsoid_atlas(STILL_HEAD.grid)


def found(volume: Volume, number: int, series: str = "s") -> OrderedVolume:
    image = ScannerImage(volume.data, volume.grid, series, number, f"uid {number}", "mosaic", 2.0, None)
    return OrderedVolume(image, f"{number}.dcm", float(number))


def of_moves(corrected: bool) -> list[RegionValues]:
    signal = RegionSignal(ATLAS, MotionCorrector if corrected else None)
    signal.begin(STILL_HEAD.grid)
    return [signal.of(found(measured_head(move), n))[0] for n, move in enumerate(MOVES, 1)]


def test_regions_of_a_moved_head_are_those_of_the_head_that_did_not_move() -> None:
    corrected, as_they_are = of_moves(True), of_moves(False)
    still = as_they_are[0].values
    known = np.isfinite(corrected[1].values)
    assert known.mean() > 0.8
    off = np.abs(corrected[1].values - still)[known].mean()
    assert off < 0.2 * np.abs(as_they_are[1].values - still)[known].mean()


def test_channels_say_how_the_head_moved_in_metres_and_radians() -> None:
    motion = MotionValues()
    rows = np.array([motion.of(each) for each in of_moves(True)])
    assert rows.shape == (3, len(motion_channels()))
    np.testing.assert_allclose(rows[:, :3], 1e-3 * np.array([m.translation_mm for m in MOVES]), atol=1e-4)
    np.testing.assert_allclose(rows[:, 3:6], [m.rotation for m in MOVES], atol=1e-3)
    steps = [0.0] + [1e-3 * framewise_displacement_mm(a, b) for a, b in pairwise(MOVES)]
    np.testing.assert_allclose(rows[:, 6], steps, atol=3e-4)


def test_a_volume_whose_motion_is_not_known_has_no_values_and_is_named() -> None:
    signal = RegionSignal(ATLAS, MotionCorrector)
    signal.begin(STILL_HEAD.grid)
    signal.of(found(STILL_HEAD, 1))
    noise = np.random.default_rng(0).normal(100, 30, STILL_HEAD.data.shape).astype(np.float32)
    values, remark = signal.of(found(Volume(noise, STILL_HEAD.grid, "s", 2, 2.0, None, 2.0), 2))
    assert np.isnan(values.values).all()
    assert remark is not None
    assert remark.fault is ScannerFault.MOTION
    assert np.isnan(MotionValues().of(values)).all()


def test_a_new_series_begins_without_displacement() -> None:
    motion = MotionValues()
    first, second, _ = of_moves(True)
    motion.of(first)
    assert motion.of(second)[6] > 1e-3
    other = RegionValues(found(STILL_HEAD, 1, "another"), second.values, second.move)
    assert motion.of(other)[6] == 0
