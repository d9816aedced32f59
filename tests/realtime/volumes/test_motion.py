"""A known move is found again, what cannot be a move is declared, and a resliced head lies where it lay."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from models.errors import SignalError
from realtime.volumes.measured import brightness, lost_slices
from realtime.volumes.motion import MotionCorrector
from realtime.volumes.motion_result import MotionError, MotionLimits, MotionReason
from realtime.volumes.rigid import STILL, RigidMove
from realtime.volumes.volume import Volume, VoxelGrid
from tests.realtime.heads import SHAPE, measured_head, oblique
from tools.bench.mosaics import read_mosaics, read_spm

MOVES = [
    RigidMove((0.3, -0.2, 0.1), (0.002, -0.004, 0.003)),
    RigidMove((5.0, -5.0, 4.0), (0.08, -0.05, 0.08)),
    RigidMove((-4.0, 3.0, -5.0), (-0.07, 0.08, -0.06)),
]
CENTRE = np.array([3.0, -12.0, 20.0])


@pytest.fixture(scope="module")
def corrector() -> MotionCorrector:
    return MotionCorrector(measured_head(number=1))


def errors(found: RigidMove, truth: RigidMove) -> tuple[float, float]:
    """How far off, mm at the head's middle and degrees."""
    turn = found.matrix[:3, :3] @ truth.matrix[:3, :3].T
    angle = np.degrees(np.arccos(np.clip((np.trace(turn) - 1) / 2, -1, 1)))
    return float(np.linalg.norm(found.at_mm(CENTRE) - truth.at_mm(CENTRE))), float(angle)


def assert_found(found: RigidMove, truth: RigidMove, mm: float = 0.03, degrees: float = 0.05) -> None:
    assert np.less(errors(found, truth), (mm, degrees)).all(), errors(found, truth)


def found_in(corrector: MotionCorrector, volume: Volume) -> RigidMove:
    corrector.reset()
    return corrector.estimate(volume)


def with_data(volume: Volume, data: np.ndarray) -> Volume:
    return dataclasses.replace(volume, data=data.astype(np.float32))


@pytest.mark.parametrize("move", MOVES)
def test_a_known_move_is_found(corrector: MotionCorrector, move: RigidMove) -> None:
    assert_found(found_in(corrector, measured_head(move)), move)


@pytest.mark.parametrize("edges", [(3.0, 3.0, 3.0), (3.5, 2.6, 6.0)])
def test_whatever_the_voxels(edges: tuple[float, float, float]) -> None:
    grid = oblique(edges)
    corrector = MotionCorrector(measured_head(grid=grid))
    assert_found(corrector.estimate(measured_head(MOVES[0], grid=grid)), MOVES[0])


def test_the_reference_did_not_move(corrector: MotionCorrector) -> None:
    assert_found(found_in(corrector, measured_head()), STILL, 1e-4, 1e-4)


def test_noise_and_a_scale_that_drifts_across_the_head_are_no_move(corrector: MotionCorrector) -> None:
    volume = measured_head(MOVES[1], noise=8.0)
    slope = np.linspace(0.95, 1.05, SHAPE[0])[:, None, None] * np.linspace(1.06, 0.98, SHAPE[2])
    assert_found(found_in(corrector, with_data(volume, 1.3 * slope * volume.data)), MOVES[1], 0.05, 0.06)


@pytest.mark.parametrize("factor", [0.0, 0.4, 2.5, np.nan])
def test_a_slice_that_lost_its_signal_is_left_out(corrector: MotionCorrector, factor: float) -> None:
    volume = measured_head(MOVES[0])
    data = volume.data.copy()
    data[:, :, 9] *= factor
    assert_found(found_in(corrector, with_data(volume, data)), MOVES[0])
    if np.isfinite(factor):
        plain = MotionCorrector(measured_head(), robust=False)
        assert errors(plain.estimate(with_data(volume, data)), MOVES[0])[1] > 0.1  # it would have been a turn


def test_a_move_darkens_no_slice_so_much_that_it_counts_as_lost() -> None:
    still = brightness(measured_head().data)
    for move in MOVES:
        assert not lost_slices(brightness(measured_head(move).data), still).any()


def test_voxels_that_were_not_measured_are_left_out(corrector: MotionCorrector) -> None:
    volume = measured_head(MOVES[0])
    data = volume.data.copy()
    data[8:14, 5:9, 4:9] = np.nan
    data[20, 20, 12] = np.inf
    assert_found(found_in(corrector, with_data(volume, data)), MOVES[0])
    holed = MotionCorrector(with_data(volume, data))
    back = holed.estimate(measured_head())
    assert max(errors(back.after(MOVES[0]), STILL)) < 0.03


def test_a_volume_on_a_moved_grid_moved_as_the_head_did(corrector: MotionCorrector) -> None:
    shifted = oblique().affine_mm.copy()
    shifted[:3, 3] += (1.5, -2.0, 1.0)
    volume = measured_head(MOVES[0], grid=VoxelGrid(SHAPE, shifted))
    assert_found(found_in(corrector, volume), MOVES[0])
    resliced = corrector.reslice(volume, MOVES[0])
    assert np.nanmax(np.abs(resliced - measured_head().data)) < 30


def test_the_same_volumes_give_the_same_bits() -> None:
    volumes = [measured_head(move, noise=8.0, seed=i) for i, move in enumerate(MOVES)]
    once, again = (MotionCorrector(measured_head(number=1)) for _ in range(2))
    assert [once.estimate(volume) for volume in volumes] == [again.estimate(volume) for volume in volumes]


def reason(corrector: MotionCorrector, data: np.ndarray) -> MotionReason:
    with pytest.raises(MotionError, match="volume 2 is not known") as caught:
        found_in(corrector, with_data(measured_head(), data))
    return caught.value.reason


def test_what_cannot_be_a_move_is_declared(corrector: MotionCorrector) -> None:
    data = measured_head().data
    assert reason(corrector, np.zeros(SHAPE)) is MotionReason.EMPTY
    assert reason(corrector, np.full(SHAPE, np.nan)) is MotionReason.EMPTY
    few = np.where(np.arange(SHAPE[2]) < 5, data, 0)
    assert reason(corrector, few) is MotionReason.OUT_OF_FIELD
    assert reason(corrector, -data) is MotionReason.UNLIKE
    noise = np.random.default_rng(0).normal(500, 100, size=SHAPE)
    assert reason(corrector, noise) is not MotionReason.EMPTY


def test_further_than_a_head_moves_is_declared() -> None:
    strict = MotionCorrector(measured_head(), limits=MotionLimits(shift_mm=3.0))
    with pytest.raises(MotionError, match="expected 3 mm and 30 degrees at most") as caught:
        strict.estimate(measured_head(MOVES[1]))
    assert caught.value.reason is MotionReason.TOO_FAR


def test_after_a_bad_volume_the_next_is_found(corrector: MotionCorrector) -> None:
    corrector.reset()
    corrector.estimate(measured_head(MOVES[1]))
    with pytest.raises(MotionError):
        corrector.estimate(with_data(measured_head(), np.zeros(SHAPE)))
    assert_found(corrector.estimate(measured_head(MOVES[2])), MOVES[2])


@pytest.mark.parametrize(
    "grid", [VoxelGrid((3, 32, 22), np.eye(4)), VoxelGrid(SHAPE, np.diag([2, 4, 5, 1.0]))]
)
def test_other_voxels_than_the_references_are_refused(corrector: MotionCorrector, grid: VoxelGrid) -> None:
    other = Volume(np.ones(grid.shape, np.float32), grid, "other", 3, None, None, 0.0)
    for ask in (lambda: corrector.estimate(other), lambda: corrector.reslice(other, STILL)):
        with pytest.raises(SignalError, match="Volume 3 has"):
            ask()


@pytest.mark.parametrize(
    ("shape", "value", "message"),
    [
        ((8, 8, 3), 1.0, "4 voxels or more"),
        ((8, 8, 8), 1.0, "is empty"),
        ((5, 5, 5), None, "samples with contrast"),
    ],
)
def test_a_reference_without_a_head_is_refused(
    shape: tuple[int, int, int], value: float | None, message: str
) -> None:
    data = np.full(shape, value or 0.0, np.float32)
    data[2, 2] += 0.0 if value else np.arange(shape[2])
    with pytest.raises(SignalError, match=message):
        MotionCorrector(Volume(data, VoxelGrid(shape, np.eye(4)), "s", 1, None, None, 0.0))


def test_resliced_without_a_move_nothing_changes(corrector: MotionCorrector) -> None:
    volume = measured_head(noise=5.0)
    np.testing.assert_allclose(corrector.reslice(volume, STILL), volume.data, atol=0.01)


@pytest.mark.parametrize("move", MOVES)
def test_resliced_the_head_lies_where_it_lay(corrector: MotionCorrector, move: RigidMove) -> None:
    resliced, still = corrector.reslice(measured_head(move), move), measured_head().data
    known = np.isfinite(resliced)
    assert known.mean() > 0.7
    assert np.abs(resliced - still)[known].max() < 30  # of about 1000; linear interpolation is off by more
    assert np.sqrt(((resliced - still)[known] ** 2).mean()) < 3


def test_what_lies_outside_of_the_field_is_missing(corrector: MotionCorrector) -> None:
    up = RigidMove(tuple(2 * oblique().affine_mm[:3, 2]))
    resliced = corrector.reslice(measured_head(up), up)
    missing = np.isnan(resliced)
    assert missing[:, :, -2:].all()
    assert not missing[:, :, :-2].any()


def test_what_was_not_measured_stays_missing_and_spoils_no_more(corrector: MotionCorrector) -> None:
    volume = measured_head()
    data = volume.data.copy()
    data[10, 10, 10] = np.nan
    still = corrector.reslice(with_data(volume, data), STILL)
    assert np.argwhere(np.isnan(still)).tolist() == [[10, 10, 10]]
    half = RigidMove(tuple(0.5 * oblique().affine_mm[:3, 2]))
    gone = np.isnan(corrector.reslice(with_data(volume, data), half))[..., :-1]
    assert np.argwhere(gone).tolist() == [[10, 10, 9], [10, 10, 10]]
    assert np.isnan(corrector.reslice(with_data(volume, np.full(SHAPE, np.nan)), STILL)).all()


def test_a_real_run_moves_as_spm_says(data_dir: Path) -> None:
    folder = data_dir / "fmri_dicom" / "siemens_mosaic_74"
    volumes = read_mosaics(folder, every=3)
    corrector = MotionCorrector(volumes[0])
    # SPM was given three empty slices below, and took the lowest of them for the first.
    frame = RigidMove(tuple(3 * volumes[0].grid.affine_mm[:3, 2]))
    moves = [corrector.estimate(volume) for volume in volumes]
    found = np.array([frame.after(move).after(frame.inverse()).spm for move in moves])
    apart = found - read_spm(folder / "spm_motion.tsv")[::3]
    apart -= apart.mean(axis=0)  # its reference was another scan
    apart[:, 3:] = np.degrees(apart[:, 3:])
    spread = np.sqrt((apart**2).mean(axis=0))
    assert spread[:3].max() < 0.01
    assert spread[3:].max() < 0.012
    assert np.ptp(found[:, 3]) > 1e-3  # there was something to find
