"""What a folder holds is known by its files; where nothing is recognised, the message lists them."""

import numpy as np
import pytest

from models.errors import RecipeError, RecordingError
from offline.scans import layout_of, read_scans


def test_the_real_folders(data_dir):
    assert layout_of(data_dir / "abide") == "abide"
    assert layout_of(data_dir / "abide/ABIDE_pcp") == "abide"
    assert layout_of(data_dir / "adhd200") == "adhd200"
    assert layout_of(data_dir / "impac") == "impac"
    assert read_scans(data_dir / "adhd200", what="graphs", task="subtype").labels == (
        "combined",
        "inattentive",
    )
    with pytest.raises(
        RecordingError, match=r"holds nothing that is recognised.*Say which: .*abide, .*adhd200"
    ):
        read_scans(data_dir)


def test_a_small_abide(abide_folder):
    assert read_scans(abide_folder(), derivative="rois_cc200").derivative.startswith("ABIDE-I rois_cc200")


def test_a_table_or_the_folder_that_holds_it(tmp_path):
    lines = ["person\tfile\tdiagnosis"]
    for i in range(4):
        np.save(tmp_path / f"{i}.npy", np.random.default_rng(i).normal(size=(30, 4)))
        lines.append(f"p{i}\t{i}.npy\t{('TD', 'ASD')[i % 2]}")
    table = tmp_path / "phenotypes.tsv"
    table.write_text("\n".join(lines))
    assert len(read_scans(tmp_path)) == 4
    table.rename(tmp_path / "mine.tsv")
    assert len(read_scans(tmp_path / "mine.tsv")) == 4
    with pytest.raises(
        RecordingError, match=r"recognised: 0.npy, 1.npy, 2.npy, 3.npy, mine.tsv\. Expected one"
    ):
        read_scans(tmp_path)


def test_no_one(tmp_path):
    assert len(read_scans("simulated", n=8, n_times=20)) == 8
    with pytest.raises(RecordingError, match=r"There is no folder or table .*; or 'simulated'"):
        read_scans(tmp_path / "elsewhere")
    with pytest.raises(RecordingError, match="it is empty"):
        read_scans(tmp_path)
    (tmp_path / "x.bin").write_bytes(b"")
    with pytest.raises(RecordingError, match=r"x.bin is no table"):
        read_scans(tmp_path / "x.bin")


def test_an_option_that_the_layout_has_not(abide_folder):
    with pytest.raises(RecipeError, match=r"is read as abide: .*unexpected keyword argument 'task'"):
        read_scans(abide_folder(), task="subtype")
