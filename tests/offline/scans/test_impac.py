"""IMPAC's anatomy, joined by person."""

import shutil

import numpy as np
import pytest

from models.errors import RecipeError, RecordingError
from offline.scans.groups import refuse_confounded, site_by_label
from offline.scans.impac import read_impac


@pytest.fixture
def small(tmp_path):
    (tmp_path / "anatomy.csv").write_text("subject_id,area,volume\n11,1.0,5\n12,2.0,6\n13,3.0,7\n")
    (tmp_path / "participants.csv").write_text(
        "subject_id,site,sex,age,asd\n13,2,F,9.0,1\n11,1,M,8.0,0\n12,1,M,10.0,1\n"
    )
    (tmp_path / "anatomy_qc.csv").write_text("subject_id,select\n11,1\n12,0\n13,2\n")
    return tmp_path


def test_the_real_tables(data_dir):
    scans = read_impac(data_dir / "impac")
    assert scans.X.shape == (956, 207)
    assert np.bincount(scans.y).tolist() == [509, 447]
    assert len(site_by_label(scans)) == 27
    assert np.isfinite(scans.repetition_time).all()
    assert any("shares people with ABIDE: never train on one" in remark for remark in scans.remarks)
    refuse_confounded(scans)


def test_rows_are_joined_by_person(small):
    scans = read_impac(small)
    assert scans.table.person.tolist() == ["11", "13"]
    assert scans.y.tolist() == [0, 1]
    assert scans.sex.tolist() == ["M", "F"]
    assert scans.X.tolist() == [[1, 5], [3, 7]]
    assert "1 people whose segmentation failed are left out" in scans.remarks


def test_damaged_tables(small):
    whole = (small / "participants.csv").read_text()
    (small / "participants.csv").write_text(whole.replace("12,1,M,10.0,1\n", ""))
    with pytest.raises(RecordingError, match="no row for 1 of 3 people: 12"):
        read_impac(small)
    (small / "participants.csv").write_text(whole.replace("12,1,M,10.0,1", "12,1,M,10.0,2"))
    with pytest.raises(RecipeError, match="line 4: asd is '2'"):
        read_impac(small)
    (small / "participants.csv").write_text(whole.replace("12,", "11,"))
    with pytest.raises(RecipeError, match="'11' stands in line 3 too"):
        read_impac(small)
    (small / "participants.csv").write_text(whole)
    (small / "anatomy.csv").write_text("subject_id,area,volume\n11,1.0,n/a\n")
    with pytest.raises(RecordingError, match="line 2: volume is not known"):
        read_impac(small)
    shutil.move(small / "anatomy.csv", small / "other.csv")
    with pytest.raises(RecipeError, match="There is no phenotype table"):
        read_impac(small)
