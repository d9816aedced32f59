"""An atlas on a scanner's grid: nearest neighbour, one matrix product, and what lies outside is named."""

from pathlib import Path

import nibabel
import numpy as np
import pytest

from models.errors import VolumeError
from realtime.sources.scanner.reading import read_images
from realtime.volumes.atlas import Atlas, RegionMeans, labels_on
from realtime.volumes.atlas_file import atlas_of_nilearn, read_atlas, read_names
from realtime.volumes.volume import VoxelGrid
from tools.emulators.scanner.phantom import REGIONS, ellipsoid_atlas, head_grid
from tools.emulators.scanner.written_atlas import save_atlas


def boxes(shape: tuple[int, int, int] = (8, 6, 4), scale: float = 2.0) -> Atlas:
    """Two boxes side by side along x, the first to the left."""
    labels = np.zeros(shape, np.int32)
    labels[1:4, 1:5, 1:3], labels[4:7, 1:5, 1:3] = 3, 7
    return Atlas(
        labels, VoxelGrid(shape, np.diag([scale, scale, scale, 1.0])), {3: "left", 7: "right"}, "boxes"
    )


def test_means_are_those_of_the_voxels() -> None:
    atlas = boxes()
    data = np.random.default_rng(0).normal(1000, 50, atlas.grid.shape).astype(np.float32)
    expected = [data[atlas.labels == number].astype(float).mean() for number in (3, 7)]
    np.testing.assert_allclose(RegionMeans(atlas, atlas.grid).of(data), expected, rtol=1e-12)


def test_the_left_half_of_the_head_is_left_however_the_scanner_counts() -> None:
    """Values are the millimetres to the right at which they stand, so every mean is known by its place."""
    atlas = ellipsoid_atlas(head_grid((40, 40, 20), 5.0))
    plain = head_grid()
    for flip in ((1, 1, 1), (-1, 1, 1), (1, -1, 1), (1, 1, -1), (-1, -1, -1)):
        turned = plain.affine_mm @ np.diag([*flip, 1.0])
        turned[:3, 3] = -turned[:3, :3] @ ((np.array(plain.shape) - 1) / 2)
        grid = VoxelGrid(plain.shape, turned)
        index = np.stack(np.meshgrid(*map(np.arange, grid.shape), indexing="ij"), -1)
        right = (index @ turned[:3, :3].T + turned[:3, 3])[..., 0]
        means = dict(zip(REGIONS, RegionMeans(atlas, grid).of(right.astype(np.float32)), strict=True))
        for name, value in means.items():
            assert (value < -10) == name.startswith("left"), (flip, name, value)
            assert (value > 10) == name.startswith("right"), (flip, name, value)


def test_each_voxel_has_the_label_of_the_nearest_of_the_atlas() -> None:
    atlas = boxes()
    rng = np.random.default_rng(1)
    affine = np.diag([1.3, 0.9, 1.7, 1.0])
    affine[:3, :3] = np.linalg.qr(rng.normal(size=(3, 3)))[0] @ affine[:3, :3]
    affine[:3, 3] = [3.0, 5.0, 2.0]
    grid = VoxelGrid((7, 8, 5), affine)
    found = labels_on(atlas, grid)
    for index in np.ndindex(*grid.shape):
        place = np.linalg.inv(atlas.grid.affine_mm) @ affine @ [*index, 1]
        near = np.floor(place[:3] + 0.5).astype(int)
        inside = (near >= 0).all() and (near < atlas.grid.shape).all()
        assert found[index] == (atlas.labels[tuple(near)] if inside else 0)


def test_a_region_outside_the_image_is_missing_and_named_and_one_at_its_edge_is_cut_off() -> None:
    atlas = boxes()
    half = VoxelGrid((4, 6, 4), atlas.grid.affine_mm)  # all of the left box, nothing of the right one
    means = RegionMeans(atlas, half)
    values = means.of(np.ones(half.shape, np.float32))
    assert values[0] == pytest.approx(1.0)
    assert np.isnan(values[1])
    assert means.outside() == ["right"]
    assert means.cut_off() == {}
    part = RegionMeans(atlas, VoxelGrid((5, 6, 4), atlas.grid.affine_mm))
    assert part.outside() == []
    assert part.cut_off() == {"right": pytest.approx(1 / 3)}


def test_an_atlas_of_another_space_is_refused() -> None:
    far = np.diag([2.0, 2, 2, 1])
    far[:3, 3] = 500
    with pytest.raises(VolumeError, match="own space"):
        RegionMeans(boxes(), VoxelGrid((4, 4, 4), far))


def test_voxels_without_a_value_are_left_out_and_a_region_needs_half_of_its_own() -> None:
    atlas = boxes()
    data = np.full(atlas.grid.shape, 5.0, np.float32)
    data[1] = np.nan  # a third of the left box
    data[4:6] = np.nan  # two thirds of the right one
    values = RegionMeans(atlas, atlas.grid).of(data)
    assert values[0] == pytest.approx(5.0)
    assert np.isnan(values[1])


def test_region_means_equal_nilearns_on_the_real_volumes(data_dir: Path) -> None:
    from nilearn.maskers import NiftiLabelsMasker

    folder = data_dir / "fmri_dicom" / "siemens_mosaic_74"
    images = [read_images(folder / f"001_000007_{n:06d}.dcm")[0] for n in range(1, 46, 4)]
    atlas = ellipsoid_atlas(images[0].grid)
    means = RegionMeans(atlas, images[0].grid)
    ours = np.stack([means.of(image.data) for image in images])
    affine = images[0].grid.affine_mm
    masker = NiftiLabelsMasker(nibabel.Nifti1Image(atlas.labels, affine), standardize=None)
    run = nibabel.Nifti1Image(np.stack([image.data for image in images], axis=-1), affine)
    np.testing.assert_allclose(ours, masker.fit_transform(run), rtol=1e-5)
    assert ours.std() > 1


def test_the_hash_is_of_labels_place_and_names() -> None:
    one = boxes()
    moved = np.array(one.grid.affine_mm)
    moved[0, 3] = 1
    others = [
        Atlas(one.labels, one.grid, {3: "right", 7: "left"}, "boxes"),
        Atlas(one.labels, VoxelGrid(one.grid.shape, moved), one.names, "boxes"),
        Atlas(np.where(one.labels == 3, 0, one.labels), one.grid, one.names, "boxes"),
    ]
    assert len({atlas.sha256 for atlas in [one, *others]}) == 4
    assert Atlas(one.labels.copy(), one.grid, dict(one.names), "other").sha256 == one.sha256


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.tsv", "index\tname\tr\n3\tleft\t1\n7\tright\t1\n"),
        ("a.csv", "name,index\nleft,3\nright,7\n"),
        ("a.txt", "# FreeSurfer\n0 Unknown 0 0 0 0\n3 left 10 20 30 0\n7 right 1 2 3 0\n"),
        ("a.lut", "3 left\n7 right\n"),
    ],
)
def test_names_stand_beside_the_atlas(tmp_path: Path, name: str, text: str) -> None:
    atlas = boxes()
    path = tmp_path / "a.nii.gz"
    nibabel.save(nibabel.Nifti1Image(atlas.labels.astype(np.int16), atlas.grid.affine_mm), path)
    assert read_atlas(path).names == {3: "region 3", 7: "region 7"}
    (tmp_path / name).write_text(text)
    assert read_atlas(path).names == {3: "left", 7: "right"}
    np.testing.assert_array_equal(read_atlas(path).labels, atlas.labels)


def test_a_written_atlas_reads_back(tmp_path: Path) -> None:
    atlas = ellipsoid_atlas(head_grid())
    save_atlas(atlas, tmp_path / "e.nii.gz")
    back = read_atlas(tmp_path / "e.nii.gz")
    assert back.names == atlas.names
    assert back.grid.same_as(atlas.grid)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (np.full((3, 3, 3), 0.5), "no whole numbers"),
        (np.full((3, 3, 3), -1.0), "from 0 on"),
        (np.zeros((3, 3, 3)), "0 regions"),
        (np.ones((3, 3, 3, 2)), "three dimensions"),
    ],
)
def test_what_is_no_label_image_is_refused(tmp_path: Path, values: np.ndarray, why: str) -> None:
    path = tmp_path / "a.nii"
    nibabel.save(nibabel.Nifti1Image(values.astype(np.float32), np.eye(4)), path)
    with pytest.raises(VolumeError, match=why):
        read_atlas(path)


def test_names_that_do_not_belong_to_the_atlas_are_refused(tmp_path: Path) -> None:
    path, names = tmp_path / "a.nii", tmp_path / "names.tsv"
    nibabel.save(nibabel.Nifti1Image(boxes().labels.astype(np.int16), np.eye(4)), path)
    names.write_text("index\tname\n1\tx\n2\ty\n")
    with pytest.raises(VolumeError, match="3, 7"):
        read_atlas(path, names)
    names.write_text("index\tname\n3\tx\n3\ty\n")
    with pytest.raises(VolumeError, match="each number once"):
        read_names(names)
    with pytest.raises(VolumeError, match="not there"):
        read_atlas(tmp_path / "none.nii")


def test_an_atlas_of_nilearn_is_taken_with_its_names() -> None:
    atlas = boxes()
    image = nibabel.Nifti1Image(atlas.labels.astype(np.int16), atlas.grid.affine_mm)
    assert atlas_of_nilearn({"maps": image, "labels": ["Background", "left", "right"]}).names == atlas.names
    assert atlas_of_nilearn({"maps": image, "labels": [b"left", b"right"]}).names == atlas.names
    lut = {"index": [0, 3, 7], "name": ["Background", "left", "right"]}
    assert atlas_of_nilearn({"maps": image, "labels": [], "lut": lut}).names == atlas.names
