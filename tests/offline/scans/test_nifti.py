"""4-D images and an atlas: means over regions, by nilearn, with regions kept in the atlas's order."""

import nibabel
import numpy as np
import pytest
from scipy.stats import rankdata

from models.errors import RecipeError, RecordingError
from offline.scans.folder import read_folder
from offline.scans.nifti import read_images
from offline.scans.reho import regional_homogeneity
from tools.cli import main

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
    assert "brought to the grid of 1 of 1 images; they must be in the same space: scan0" in found.remarks[0]


@pytest.mark.parametrize(("unit", "value", "seconds"), [("msec", 2000.0, 2.0), ("unknown", 2.0, np.nan)])
def test_the_repetition_time_has_a_unit_or_is_not_known(atlas, image, unit, value, seconds):
    path, _ = image(unit=unit, seconds=value)
    assert read_images([path], atlas).repetition_time == pytest.approx([seconds], nan_ok=True)


def test_a_folder_of_images(atlas, image, tmp_path):
    files = [image(i)[0].name for i in range(4)]
    rows = [f"p{i}\t{file}\t{('TD', 'ADHD')[i % 2]}" for i, file in enumerate(files)]
    (tmp_path / "scans.tsv").write_text("\n".join(["person\tfile\tdiagnosis", *rows]))
    scans = read_folder(tmp_path, atlas=atlas)
    assert scans.X.shape == (4, 3, TIMES)
    assert scans.labels == ("TD", "ADHD")
    assert scans.repetition_time.tolist() == [2.0] * 4
    assert scans.derivative.endswith("regions of atlas.nii.gz")
    assert any("4 of 4 people were scanned for less than 240 s" in remark for remark in scans.remarks)
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


def test_homogeneity_is_kendalls_w_of_a_voxel_and_its_neighbours():
    rng = np.random.default_rng(0)
    data = rng.normal(size=(5, 5, 5, 30)) + rng.normal(size=30)
    data[0] = 7.0  # outside the brain
    found = regional_homogeneity(data)
    assert np.isnan(found[0]).all()
    for voxel in [(2, 2, 2), (1, 1, 1), (4, 4, 4)]:
        x, y, z = (slice(max(k - 1, 0), k + 2) for k in voxel)
        near = data[x, y, z].reshape(-1, 30)
        near = near[np.ptp(near, axis=1) > 0]
        ranks = rankdata(near, axis=1)
        # The textbook form: W from the sums of ranks, m raters and n objects.
        m, n = near.shape
        S = np.square(ranks.sum(axis=0) - m * (n + 1) / 2).sum()
        assert found[voxel] == pytest.approx(12 * S / (m**2 * (n**3 - n)))
    # What is the same everywhere has 1, what has nothing in common about one over the voxels.
    same = np.broadcast_to(rng.normal(size=30), (5, 5, 5, 30))
    assert regional_homogeneity(same) == pytest.approx(np.ones((5, 5, 5)))
    nothing = regional_homogeneity(rng.normal(size=(9, 9, 9, 200)))
    assert np.nanmean(nothing[1:-1, 1:-1, 1:-1]) == pytest.approx(1 / 27, rel=0.1)


def test_a_scan_too_thin_for_neighbourhoods_has_no_homogeneity():
    assert np.isnan(regional_homogeneity(np.random.default_rng(0).normal(size=(1, 1, 5, 20)))).all()


def test_a_folder_of_images_gives_a_table_of_homogeneity(atlas, image, tmp_path):
    paths = [image(i) for i in range(4)]
    rows = [f"p{i}\t{path.name}\t{('TD', 'ADHD')[i % 2]}" for i, (path, _) in enumerate(paths)]
    (tmp_path / "scans.tsv").write_text("\n".join(["person\tfile\tdiagnosis", *rows]))
    scans = read_folder(tmp_path, atlas=atlas, measure="reho")
    assert not scans.is_series
    assert "regional homogeneity" in scans.derivative
    expected = [regional_homogeneity(paths[0][1])[k].mean() for k in range(3)]
    assert scans.X[0] == pytest.approx(expected)
    with pytest.raises(RecordingError, match="expected one of series, reho"):
        read_folder(tmp_path, atlas=atlas, measure="alff")


def test_homogeneity_is_run_from_the_command_line(atlas, image, tmp_path, capsys):
    rows = [f"p{i}\t{image(i)[0].name}\t{('TD', 'ADHD')[i % 2]}\t{'ab'[i // 2 % 2]}" for i in range(8)]
    (tmp_path / "scans.tsv").write_text("\n".join(["person\tfile\tdiagnosis\tsite", *rows]))
    run = [
        "study",
        "run",
        "ridge-table",
        "--data",
        str(tmp_path),
        "--out",
        str(tmp_path / "out"),
        "--no-audit",
    ]
    with pytest.raises(SystemExit) as end:
        main([*run, "--measure", "reho"])
    assert end.value.code
    assert "give the atlas of regions" in capsys.readouterr().err
    with pytest.raises(SystemExit) as end:
        main([*run, "--measure", "reho", "--atlas", str(atlas), "--workers", "1"])
    assert not end.value.code
    assert "regional homogeneity" in (tmp_path / "out/ridge-table/results.json").read_text()
