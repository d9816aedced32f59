"""An image is read in its own space, and everything that can be wrong with it is said."""

import gzip
from pathlib import Path

import nibabel
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nibabel.orientations import axcodes2ornt, inv_ornt_aff, ornt_transform

from models.errors import RecordingError
from offline.volumes.image import check_same_space, read_image, read_labels, write_labels

RAS = axcodes2ornt("RAS")
AFFINE = np.array([[1.5, 0, 0, -10], [0, 2.0, 0, -20], [0, 0, 3.0, -30], [0, 0, 0, 1]])


def save(path: Path, data: np.ndarray, affine: np.ndarray | None = None, **header: float) -> Path:
    image = nibabel.Nifti1Image(data, AFFINE if affine is None else affine)
    for name, value in header.items():
        image.header[name] = value
    nibabel.save(image, path)
    return path


def labels(shape: tuple[int, int, int] = (4, 5, 6)) -> np.ndarray:
    values = np.zeros(shape, np.uint8)
    values[0, 1, 2], values[3, 1, 2] = 1, 2
    return values


@given(axes=st.permutations([0, 1, 2]), signs=st.tuples(*[st.sampled_from([-1, 1])] * 3))
def test_however_the_axes_lie_left_stays_left_and_labels_come_back(tmp_path_factory, axes, signs) -> None:
    folder = tmp_path_factory.mktemp("turned")
    turn = ornt_transform(RAS, np.array([[axis, sign] for axis, sign in zip(axes, signs, strict=True)]))
    data = labels()
    turned = nibabel.orientations.apply_orientation(data, turn)
    path = save(folder / "a.nii.gz", turned, AFFINE @ inv_ornt_aff(turn, data.shape))
    image = read_labels(path, (0, 1, 2))
    np.testing.assert_array_equal(image.data, data)
    np.testing.assert_allclose(image.affine_mm, AFFINE, atol=1e-5)
    np.testing.assert_allclose(image.voxel_mm, (1.5, 2, 3), rtol=1e-6)
    write_labels(folder / "back.nii.gz", image.data.astype(np.uint8), image)
    back = nibabel.load(folder / "back.nii.gz")
    np.testing.assert_array_equal(np.asarray(back.dataobj), turned)
    np.testing.assert_allclose(back.affine, nibabel.load(path).affine, atol=1e-6)


def test_whole_numbers_are_scaled_as_the_header_says(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(np.arange(24, dtype=np.int16).reshape(2, 3, 4), AFFINE)
    image.header.set_slope_inter(0.5, 10)
    raw = tmp_path / "scaled.nii"
    nibabel.save(image, raw)
    stored = nibabel.load(raw)
    np.testing.assert_allclose(read_image(raw).data, np.asarray(stored.dataobj), rtol=1e-6)


@pytest.mark.parametrize(
    ("data", "affine", "said"),
    [
        (np.zeros((3, 3, 3, 2), np.float32), None, "4 axes"),
        (np.full((3, 3, 3), np.nan, np.float32), None, "27 of 27 voxels"),
        (np.zeros((3, 3, 3), np.float32), np.diag([90.0, 90, 90, 1]), "voxels of 90 x 90 x 90 mm"),
        (np.zeros((3, 3, 3), np.float32), np.diag([0.001, 0.001, 0.001, 1]), "expected"),
    ],
)
def test_what_is_no_image_of_a_head_is_refused(tmp_path: Path, data, affine, said: str) -> None:
    with pytest.raises(RecordingError, match=said):
        read_image(save(tmp_path / "a.nii.gz", data, affine))


@pytest.mark.parametrize("kept", [10, 200, 0.9])
def test_a_file_that_is_cut_off_is_refused(tmp_path: Path, kept: float) -> None:
    noise = np.random.default_rng(0).normal(size=(20, 20, 20)).astype(np.float32)
    path = save(tmp_path / "a.nii.gz", noise)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept if kept >= 1 else kept * len(content))])
    with pytest.raises(RecordingError, match="cannot be read"):
        read_image(path)


def test_damaged_gzip_and_other_files_are_refused(tmp_path: Path) -> None:
    other = tmp_path / "b.nii.gz"
    other.write_bytes(gzip.compress(b"something else" * 100))
    with pytest.raises(RecordingError, match="cannot be read as an image"):
        read_image(other)
    with pytest.raises(RecordingError, match="no image"):
        read_image(tmp_path / "absent.nii")
    with pytest.raises(RecordingError, match="named as no NIfTI"):
        read_image(tmp_path / "a.mgz")


def test_labels_must_be_whole_expected_and_there(tmp_path: Path) -> None:
    half = labels().astype(np.float32)
    half[1, 1, 1] = 0.5
    with pytest.raises(RecordingError, match=r"holds 0\.5"):
        read_labels(save(tmp_path / "half.nii.gz", half))
    with pytest.raises(RecordingError, match="the label 2; expected 0, 1"):
        read_labels(save(tmp_path / "other.nii.gz", labels()), (0, 1))
    with pytest.raises(RecordingError, match="no label but 0"):
        read_labels(save(tmp_path / "none.nii.gz", np.zeros((3, 3, 3), np.uint8)))


def test_labels_of_another_space_are_refused(tmp_path: Path) -> None:
    image = read_image(save(tmp_path / "image.nii.gz", labels().astype(np.float32)))
    flipped = AFFINE.copy()
    flipped[0] *= -1
    with pytest.raises(RecordingError, match="mm off"):
        check_same_space(image, read_labels(save(tmp_path / "flipped.nii.gz", labels(), flipped)))
    with pytest.raises(RecordingError, match="4 x 5 x 7"):
        check_same_space(image, read_labels(save(tmp_path / "larger.nii.gz", labels((4, 5, 7)))))
