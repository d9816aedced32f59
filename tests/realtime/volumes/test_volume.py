"""A volume knows where its voxels are, and refuses what cannot be one."""

import numpy as np
import pytest

from models.errors import SignalError
from realtime.volumes.volume import Volume, VoxelGrid


def grid(shape: tuple[int, int, int] = (4, 5, 6), scale: float = 3.0) -> VoxelGrid:
    return VoxelGrid(shape, np.diag([scale, scale, scale, 1.0]))


def test_edges_of_a_voxel_are_the_columns_of_the_affine() -> None:
    turned = np.array([[0, -2, 0, 5], [3, 0, 0, 6], [0, 0, 4, 7], [0, 0, 0, 1]], dtype=float)
    np.testing.assert_allclose(VoxelGrid((2, 2, 2), turned).voxel_mm, [3, 2, 4])


def test_grids_are_the_same_within_a_thousandth_of_a_millimetre() -> None:
    moved = np.diag([3.0, 3.0, 3.0, 1.0])
    moved[0, 3] = 5e-4
    assert grid().same_as(VoxelGrid((4, 5, 6), moved))
    moved[0, 3] = 5e-3
    assert not grid().same_as(VoxelGrid((4, 5, 6), moved))
    assert not grid().same_as(grid((4, 5, 7)))


@pytest.mark.parametrize(
    "affine",
    [np.zeros((4, 4)), np.eye(3), np.full((4, 4), np.nan), np.ones((4, 4)), np.diag([1.0, 1, 1, 2])],
)
def test_an_affine_that_cannot_be_inverted_is_refused(affine: np.ndarray) -> None:
    with pytest.raises(SignalError, match="affine"):
        VoxelGrid((2, 2, 2), affine)


def test_a_volume_of_another_shape_than_its_grid_is_refused() -> None:
    with pytest.raises(SignalError, match=r"shape \(4, 5, 7\)"):
        Volume(np.zeros((4, 5, 7), np.float32), grid(), "s", 1, 2.0, None, 0.0)
