"""4-D images and an atlas: means over regions, by nilearn, with regions kept in the atlas's order."""

import nibabel
import numpy as np
import pytest

from models.errors import RecipeError, RecordingError
from offline.scans.folder import read_folder
from offline.scans.nifti import read_images

TIMES = 6
LABELS = (3, 7, 12)


@pytest.fixture
def atlas(tmp_path):
    labels = np.zeros((4, 4, 4), dtype=np.int16)
    for k, value in enumerate(LABELS):
        labels[k] = value
    path = tmp_path / "atlas.nii.gz"
    nibabel.save(nibabel.Nifti1Image(labels, np.eye(4)), path)
    return path


@pytest.fixture
def image(tmp_path):
    def write(i=0, shift=0.0, unit="sec", ending=".nii.gz", seconds=2.0):
        data = np.random.default_rng(i).normal(100, 5, size=(4, 4, 4, TIMES))
        affine = np.eye(4)
        affine[0, 3] = shift
        one = nibabel.Nifti1Image(data, affine)
        one.header.set_xyzt_units("mm", unit)
        one.header["pixdim"][4] = seconds
        path = tmp_path / f"scan{i}{ending}"
        nibabel.save(one, path)
        return path, data

    return write


def test_means_over_the_voxels_of_each_region(atlas, image):
    path, data = image()
    found = read_images([path], atlas)
    assert found.names == ("label 3", "label 7", "label 12")
    assert found.series[0] == pytest.approx(np.stack([data[k].mean(axis=(0, 1)) for k in range(3)]))
    assert found.repetition_time.tolist() == [2.0]
    assert found.remarks == ()


def test_a_region_that_an_image_does_not_cover_keeps_its_place(atlas, image):
    path, data = image(shift=1.0)  # begins where the second region does
    found = read_images([path], atlas)
    assert (found.series[0][0] == 0).all()
    assert found.series[0][1] == pytest.approx(data[0].mean(axis=(0, 1)))
    assert "brought to the grid of 1 of 1 images, scan0.nii.gz" in found.remarks[0]


@pytest.mark.parametrize(("unit", "value", "seconds"), [("msec", 2000.0, 2.0), ("unknown", 2.0, np.nan)])
def test_the_repetition_time_has_a_unit_or_is_not_known(atlas, image, unit, value, seconds):
    path, _ = image(unit=unit, seconds=value)
    assert read_images([path], atlas).repetition_time == pytest.approx([seconds], nan_ok=True)


def test_a_folder_of_images(atlas, image, tmp_path):
    files = [image(i)[0].name for i in range(4)]
    rows = [f"p{i}\t{file}\t{('TD', 'ADHD')[i % 2]}" for i, file in enumerate(files)]
    (tmp_path / "scans.tsv").write_text("\n".join(["person\tfile\tdiagnosis", *rows]))
    scans = read_folder(tmp_path, atlas=atlas, shortest=20.0)
    assert scans.X.shape == (4, 3, TIMES)
    assert scans.labels == ("TD", "ADHD")
    assert scans.repetition_time.tolist() == [2.0] * 4
    assert scans.derivative.endswith("regions of atlas.nii.gz")
    assert any("4 of 4 people were scanned for less than 20 s" in remark for remark in scans.remarks)
    with pytest.raises(RecipeError, match="is an image; say the atlas"):
        read_folder(tmp_path)


def test_damaged_images(atlas, image, tmp_path):
    path, data = image(ending=".nii")
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(RecordingError, match="cannot be read to its end"):
        read_images([path], atlas)
    path.write_bytes(b"no image")
    with pytest.raises(RecordingError, match="cannot be read as an image"):
        read_images([path], atlas)
    with pytest.raises(RecordingError, match="There is no image"):
        read_images([tmp_path / "none.nii"], atlas)
    nibabel.save(nibabel.Nifti1Image(data[..., 0], np.eye(4)), path)
    with pytest.raises(RecordingError, match="is 4 x 4 x 4; expected a 4-D image"):
        read_images([path], atlas)
    data[0, 0, 0, 0] = np.nan
    nibabel.save(nibabel.Nifti1Image(data, np.eye(4)), path)
    with pytest.raises(RecordingError, match="1 voxels that are no numbers"):
        read_images([path], atlas)


def test_an_atlas_that_is_none(atlas, image, tmp_path):
    path, _ = image()
    other = tmp_path / "other.nii"
    for values, said in ((np.full((4, 4, 4), 0.5), "whole numbers"), (np.zeros((4, 4, 4)), "no label but 0")):
        nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), other)
        with pytest.raises(RecordingError, match=said):
            read_images([path], other)
    with pytest.raises(RecordingError, match="expected a 3-D image"):
        read_images([path], path)
