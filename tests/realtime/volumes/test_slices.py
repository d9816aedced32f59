"""Where voxels are: as nibabel reads it, left stays left, and slices that do not fit are refused."""

from pathlib import Path

import numpy as np
import pytest

from models.errors import VolumeError
from realtime.sources.scanner.reading import read_images
from realtime.volumes.slices import SlicePlane, grid_of_slices

AXIAL = SlicePlane(np.array([1.0, 0, 0, 0, 1, 0]), np.array([2.0, 3.0]), 4.0)
"""Columns run to the patient's left, rows to the back, slices to the head: DICOM's own axes."""


def test_columns_to_the_left_are_counted_to_the_left_and_slices_to_the_head() -> None:
    positions = np.array([[-10.0, -20, 8], [-10, -20, 0], [-10, -20, 4]])
    grid, order = grid_of_slices(AXIAL, positions, 5, 6)
    assert order == [1, 2, 0]
    assert grid.shape == (5, 6, 3)
    # DICOM's x = -10 is 10 mm to the patient's right; RAS counts that as +10.
    np.testing.assert_allclose(grid.affine_mm @ [0, 0, 0, 1], [10, 20, 0, 1])
    np.testing.assert_allclose(grid.affine_mm @ [0, 1, 0, 1], [7, 20, 0, 1])  # a column on: to the left
    np.testing.assert_allclose(grid.affine_mm @ [1, 0, 0, 1], [10, 18, 0, 1])  # a row on: to the back
    np.testing.assert_allclose(grid.affine_mm @ [0, 0, 2, 1], [10, 20, 8, 1])


@pytest.mark.parametrize(
    ("heights", "why"),
    [((0.0, 4, 12), "distance"), ((0.0, 4, 4), "apart"), ((0.0, 0.0), "apart")],
)
def test_slices_that_are_missing_or_double_are_refused(heights: tuple[float, ...], why: str) -> None:
    with pytest.raises(VolumeError, match=why):
        grid_of_slices(AXIAL, np.array([[0.0, 0, z] for z in heights]), 4, 4)


def test_a_slice_beside_the_others_is_refused() -> None:
    with pytest.raises(VolumeError, match="apart"):
        grid_of_slices(AXIAL, np.array([[0.0, 0, 0], [3, 0, 4], [0, 0, 8]]), 4, 4)


@pytest.mark.parametrize("orientation", [[1.0, 0, 0, 1, 0, 0], [2.0, 0, 0, 0, 1, 0], [0.0, 0, 0, 0, 0, 0]])
def test_directions_that_are_none_are_refused(orientation: list[float]) -> None:
    with pytest.raises(VolumeError, match="right angles"):
        SlicePlane(np.array(orientation), np.array([2.0, 2.0]), 3.0)


@pytest.mark.filterwarnings("ignore:The DICOM readers are highly experimental")
@pytest.mark.parametrize(
    ("folder", "first"),
    [("siemens_mosaic_74", "001_000007_000001.dcm"), ("siemens_mosaic_64", "001_000013_000003.dcm")],
)
def test_a_real_mosaic_is_read_as_nibabel_reads_it(data_dir: Path, folder: str, first: str) -> None:
    from nibabel.nicom.dicomwrappers import wrapper_from_file

    path = data_dir / "fmri_dicom" / folder / first
    (image,) = read_images(path)
    theirs = wrapper_from_file(str(path))
    np.testing.assert_array_equal(image.data, theirs.get_data())
    np.testing.assert_allclose(image.grid.affine_mm, np.diag([-1, -1, 1, 1]) @ theirs.affine, atol=1e-9)
    # The head lies in the middle of a person's scan: brighter inside than at the edge, above as in the
    # header.
    assert image.grid.affine_mm[2, 2] > 0, "slices are counted towards the head"
    assert image.grid.affine_mm[0, 1] < 0, "columns of this scan run to the left"


def test_what_the_real_headers_say(data_dir: Path) -> None:
    folder = data_dir / "fmri_dicom" / "siemens_mosaic_74"
    images = [read_images(folder / f"001_000007_{n:06d}.dcm")[0] for n in (1, 2, 45)]
    assert [image.number for image in images] == [1, 2, 45]
    assert {image.series for image in images} == {images[0].series}
    assert {image.tr for image in images} == {1.97}
    assert {image.form for image in images} == {"mosaic"}
    times = [image.acquired or 0.0 for image in images]
    assert times[1] - times[0] == pytest.approx(1.97, abs=0.02)
    assert (times[2] - times[0]) / 44 == pytest.approx(1.978, abs=1e-3)  # the header rounds
    np.testing.assert_allclose(images[0].grid.voxel_mm, [2.97297, 2.97297, 3.75], atol=1e-5)
