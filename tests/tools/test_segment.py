"""``hemostream segment`` writes labels in each image's own space, and a table."""

import csv
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch

from models.segmentation.bundle import SegmentationCard, UNetSettings, VolumeInput, write_segmentation_bundle
from tests.offline.segmentation.support import VALUES, write_case
from tools.cli import main

SMALL = UNetSettings(width=4, levels=2, dilations=(1,))


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    card = SegmentationCard(
        labels=("background", "ball", "box"),
        values=VALUES,
        network=SMALL,
        input=VolumeInput(voxel_mm=(1.0, 1.0, 1.0), patch=(16, 16, 16)),
        flips=(0,),
    )
    write_segmentation_bundle(tmp_path / "bundle", card, SMALL.network(3))
    return tmp_path / "bundle"


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(each) for each in ("segment", *arguments)])
    return int(ended.value.code or 0)


def test_labels_lie_on_the_image_and_volumes_are_theirs(bundle: Path, tmp_path: Path) -> None:
    write_case(tmp_path / "data", "a", 0, size=18, voxel=1.5)
    image = tmp_path / "data" / "images" / "a.nii.gz"
    assert run(image, "--model", bundle, "--out", tmp_path / "out") == 0
    found = nibabel.load(tmp_path / "out" / "a_labels.nii.gz")
    values = np.asarray(found.dataobj)
    assert values.shape == (18, 18, 18)
    assert set(np.unique(values)) <= set(VALUES)
    np.testing.assert_allclose(found.affine, nibabel.load(image).affine)
    with (tmp_path / "out" / "volumes.tsv").open() as file:
        (row,) = csv.DictReader(file, delimiter="\t")
    for value, name in ((1, "ball"), (2, "box")):
        counted = np.count_nonzero(values == value) * 1.5**3
        assert float(row[f"{name} (mm3)"]) == pytest.approx(counted, abs=0.06)


def test_an_image_that_cannot_be_read_stops_no_other(bundle: Path, tmp_path: Path, capsys) -> None:
    write_case(tmp_path / "data", "a", 0)
    images = tmp_path / "data" / "images"
    (images / "broken.nii.gz").write_bytes(b"nothing")
    assert run(images, "--model", bundle, "--out", tmp_path / "out") == 0
    printed = capsys.readouterr()
    assert "broken.nii.gz cannot be read" in " ".join(printed.err.split())
    assert "Segmented 1 of 2" in " ".join((printed.out + printed.err).split())


def test_a_bundle_of_windows_is_refused(tmp_path: Path, capsys) -> None:
    write_case(tmp_path / "data", "a", 0)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "card.json").write_text('{"format": 3}')
    assert run(tmp_path / "data" / "images", "--model", tmp_path / "other", "--out", tmp_path / "out") != 0
    assert "expected one that segments images" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out").exists()
