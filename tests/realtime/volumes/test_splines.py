"""Splines go through the voxels, and are scipy's."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from realtime.volumes.splines import AT_ONCE, SplineFilter, flagged_at, inside

SHAPE = (9, 12, 7)
CPU = torch.device("cpu")
STILL = (0.0, 0.0, 0.0)


def a_volume() -> np.ndarray:
    return np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)


def some_points(n: int = 500) -> np.ndarray:
    last = np.array(SHAPE)[:, None] - 1
    return (np.random.default_rng(1).uniform(0, 1, (3, n)) * last).astype(np.float32)


def test_a_spline_goes_through_the_voxels() -> None:
    data = a_volume()
    indices = np.stack(np.meshgrid(*map(np.arange, SHAPE), indexing="ij")).reshape(3, -1)
    found = SplineFilter(SHAPE, STILL, CPU)(torch.tensor(data)).at(torch.tensor(indices, dtype=torch.float32))
    np.testing.assert_allclose(found.reshape(SHAPE), data, atol=1e-5)


def test_between_the_voxels_it_is_scipys_with_mirrored_edges() -> None:
    data, points = a_volume(), some_points(2 * AT_ONCE + 3)
    found = SplineFilter(SHAPE, STILL, CPU)(torch.tensor(data)).at(torch.tensor(points))
    expected = ndimage.map_coordinates(data.astype(float), points, order=3, mode="mirror")
    np.testing.assert_allclose(found, expected, atol=2e-5)


def test_it_is_smoothed_as_scipy_smooths() -> None:
    data, sigma, points = a_volume(), (0.7, 1.1, 0.5), some_points()
    found = SplineFilter(SHAPE, sigma, CPU)(torch.tensor(data)).at(torch.tensor(points))
    smooth = ndimage.gaussian_filter(data.astype(float), sigma, mode="mirror", truncate=5)
    expected = ndimage.map_coordinates(smooth, points, order=3, mode="mirror")
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_slopes_are_the_differences_of_values() -> None:
    spline, points = SplineFilter(SHAPE, STILL, CPU)(torch.tensor(a_volume())), some_points()
    points = points[:, inside(torch.tensor(points), SHAPE, 0.1).numpy()]
    slopes = spline.gradient_at(torch.tensor(points))
    for axis in range(3):
        step = np.zeros((3, 1), dtype=np.float32)
        step[axis] = 0.05
        apart = spline.at(torch.tensor(points + step)) - spline.at(torch.tensor(points - step))
        np.testing.assert_allclose(slopes[axis], apart / 0.1, atol=2e-2)


@pytest.mark.parametrize("margin", [-0.5, 0.0, 1.0])
def test_inside_counts_from_the_outermost_voxels(margin: float) -> None:
    points = torch.tensor([[margin, margin - 0.01], [4.0, 4.0], [3.0, 3.0]])
    assert inside(points, SHAPE, margin).tolist() == [True, False]
    assert inside(torch.tensor(SHAPE)[:, None] - 1 - points, SHAPE, margin).tolist() == [True, False]


def test_a_flag_counts_by_how_near_it_is() -> None:
    flags = torch.zeros(SHAPE, dtype=torch.bool)
    flags[4, 4, 4] = True
    points = torch.tensor([[4.0, 4, 4], [4.25, 4, 4], [4, 4.5, 4.5], [5, 4, 4], [3.0, 4, 4]]).T
    np.testing.assert_allclose(flagged_at(flags, points), [1, 0.75, 0.25, 0, 0], atol=1e-6)
