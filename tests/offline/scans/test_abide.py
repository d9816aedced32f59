"""ABIDE: what nilearn reads, without a network; and what is wrong is said where it is."""

import socket
from pathlib import Path

import numpy as np
import pytest

from models.errors import RecipeError, RecordingError
from offline.scans.abide import read_abide
from offline.scans.abide_sites import BY_FILE, REPETITION_TIME, repetition_times
from offline.scans.groups import refuse_confounded, site_by_label
from offline.scans.phenotype import read_phenotypes

PEOPLE = 843


@pytest.fixture(scope="module")
def abide(data_dir):
    return read_abide(data_dir / "abide")


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a network was asked for")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def test_everybody_of_the_real_folder(abide):
    assert len(abide) == PEOPLE
    assert abide.X.shape == (PEOPLE, 200, 316)
    assert abide.X.dtype == np.float32
    assert abide.labels == ("TD", "ASD")
    assert np.bincount(abide.y).tolist() == [438, 405]
    counts = site_by_label(abide)
    assert len(counts) == 16
    assert counts["NYU"] == {"TD": 100, "ASD": 75}
    assert np.isfinite(abide.age).all()
    assert 6 < abide.age.min() < abide.age.max() < 65
    assert set(abide.sex.tolist()) == {"M", "F"}
    assert np.isfinite(abide.repetition_time).all()
    assert np.nanmin(abide.scores["ADOS_TOTAL"]) >= 0  # no -9999
    assert "no band-pass filter, no global signal regression" in abide.derivative
    refuse_confounded(abide)


def test_after_a_scans_end_there_are_no_numbers_and_before_it_only_numbers(abide):
    for i in range(0, PEOPLE, 40):
        n = abide.n_times[i]
        assert np.isfinite(abide.X[i, :, :n]).all()
        assert np.isnan(abide.X[i, :, n:]).all()
    assert abide.table.stop == pytest.approx(abide.n_times * abide.repetition_time)


def test_constant_and_short_series_are_declared(abide):
    said = "\n".join(abide.remarks)
    constant = (np.nanmax(abide.X, axis=2) == np.nanmin(abide.X, axis=2)).sum(axis=1)
    assert f"{np.count_nonzero(constant)} of 843 people have regions that never change" in said
    assert np.count_nonzero(constant) == 44
    assert "Caltech_0051478 (118: #1, #2, #4, #5 and 114 more)" in said
    worst = abide.X[abide.table.person == "Caltech_0051478"][0]
    assert (worst[0][np.isfinite(worst[0])] == 0).all()
    assert "26 of 843 people were scanned for less than 240 s: OHSU_0050142 (195 s)" in said


@pytest.mark.parametrize("site", ["OHSU", "CMU"])
def test_as_nilearn_reads_it_and_neither_asks_a_network(data_dir, no_network, site):
    from nilearn.datasets import fetch_abide_pcp

    theirs = fetch_abide_pcp(
        data_dir=data_dir / "abide",
        band_pass_filtering=False,
        global_signal_regression=False,
        derivatives=["rois_cc200"],
        quality_checked=False,
        SITE_ID=[site],
        n_subjects=6,
        verbose=0,
    )
    people = theirs.phenotypic["FILE_ID"].tolist()
    everybody = read_abide(data_dir / "abide")
    ours = everybody.rows(np.isin(everybody.table.person, people))
    assert ours.table.person.tolist() == people
    assert ours.age.tolist() == theirs.phenotypic["AGE_AT_SCAN"].tolist()
    assert (ours.y == (theirs.phenotypic["DX_GROUP"] == 1)).all()
    for i, data in enumerate(theirs.rois_cc200):
        np.testing.assert_allclose(ours.X[i, :, : len(data)], data.T.astype(np.float32))
        assert ours.n_times[i] == len(data)


def test_repetition_times_are_those_of_the_headers_of_people_it_shares_with_impac(data_dir):
    """Who is in both is recognised by age, sex and diagnosis; a site counts where all of it is found."""
    people = read_phenotypes(data_dir / "impac/participants.csv")
    headers = read_phenotypes(data_dir / "impac/fmri_repetition_time.csv")
    by_id = dict(zip(headers.texts("subject_id"), headers.numbers("repetition_time"), strict=True))
    who = list(zip(people.numbers("age").round(2), people.texts("sex"), people.numbers("asd"), strict=True))
    table = read_phenotypes(data_dir / "abide/ABIDE_pcp/Phenotypic_V1_0b_preprocessed1.csv")
    diagnosis, sex = table.numbers("DX_GROUP") == 1, table.coded("SEX", {"1": "M", "2": "F"})
    ours = list(zip(table.numbers("AGE_AT_SCAN").round(2), sex, diagnosis, strict=True))
    seconds = repetition_times(table.texts("SITE_ID"), table.texts("FILE_ID"))
    checked = set()
    for theirs in np.unique(people.texts("site")):
        for own in np.unique(table.texts("SITE_ID")):
            known: dict = {}
            for i in np.flatnonzero(table.texts("SITE_ID") == own):
                known.setdefault(ours[i], set()).add(seconds[i])
            rows = np.flatnonzero(people.texts("site") == theirs)
            if not all(who[i] in known for i in rows):
                continue  # another site
            checked.add(str(own))
            for i in rows:
                header = by_id[people.texts("subject_id")[i]]
                if own == "TRINITY":
                    assert header == 1.0  # which cannot be true, see abide_sites
                else:
                    assert any(abs(header - each) < 0.01 for each in known[who[i]]), (own, header)
    assert checked == {
        "CALTECH", "CMU", "LEUVEN_1", "MAX_MUN", "NYU", "OHSU", "OLIN", "SBL", "SDSU", "TRINITY",
        "UCLA_2", "UM_1", "UM_2",
    }  # fmt: skip


def test_a_small_folder(abide_folder):
    scans = read_abide(abide_folder())
    assert scans.X.shape == (6, 4, 176)
    assert scans.n_times.tolist() == [176, 176, 80, 176, 176, 80]
    assert scans.y.tolist() == [1, 1, 1, 0, 0, 0]
    assert scans.sex.tolist() == ["M", "F"] * 3
    assert scans.repetition_time.tolist() == [REPETITION_TIME["NYU"], BY_FILE["CMU_b"], 2.5] * 2
    assert scans.scores["ADOS_TOTAL"] == pytest.approx([12, np.nan] * 3, nan_ok=True)
    assert np.isnan(scans.scores["SRS_RAW_TOTAL"][:2]).all()
    assert scans.remarks[0] == "1 people of the phenotype table have no series, by that table"
    assert "OHSU_0050002 (200 s), OHSU_0050005 (200 s)" in "\n".join(scans.remarks)


def test_a_column_says_the_repetition_time_better(abide_folder):
    folder = abide_folder({0: {"repetition_time": "1.25"}}, columns=["repetition_time"])
    assert read_abide(folder).repetition_time.tolist() == [1.25, 1.5, 2.5, 2.0, 1.5, 2.5]


def test_a_site_of_which_nothing_is_known(abide_folder):
    scans = read_abide(abide_folder({0: {"SITE_ID": "MOON"}}))
    assert np.isnan(scans.repetition_time[0])
    assert np.isnan(scans.table.stop[0])
    assert "repetition time unknown at MOON" in scans.remarks


def test_whose_file_is_not_there_is_named(abide_folder):
    folder = abide_folder()
    (folder / "ABIDE_pcp/cpac/nofilt_noglobal/NYU_0050003_rois_cc200.1D").unlink()
    scans = read_abide(folder)
    assert len(scans) == 5
    assert any("NYU_0050003" in remark and "left out" in remark for remark in scans.remarks)


def test_a_file_whose_person_is_unknown_is_named(abide_folder):
    folder = abide_folder()
    place = folder / "ABIDE_pcp/cpac/nofilt_noglobal"
    (place / "X_1_rois_cc200.1D").write_bytes((place / "NYU_0050003_rois_cc200.1D").read_bytes())
    assert any("not in the phenotype table: X_1" in remark for remark in read_abide(folder).remarks)


def test_without_a_diagnosis_one_is_left_out(abide_folder):
    scans = read_abide(abide_folder({1: {"DX_GROUP": "-9999"}}))
    assert len(scans) == 5
    assert any("no diagnosis: CMU_b_0050001" in remark for remark in scans.remarks)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"DX_GROUP": "3"}, r"line 3: DX_GROUP is '3'; expected one of 1 \(ASD\), 2 \(TD\)"),
        ({"SEX": "x"}, r"line 3: SEX is 'x'; expected one of 1 \(M\), 2 \(F\)"),
        ({"AGE_AT_SCAN": "ten"}, "line 3: AGE_AT_SCAN is 'ten'; expected a number"),
        ({"AGE_AT_SCAN": "inf"}, "line 3: AGE_AT_SCAN is 'inf'; expected a number"),
        ({"FILE_ID": "NYU_0050000"}, "line 3: FILE_ID 'NYU_0050000' stands in line 2 too"),
    ],
)
def test_a_wrong_phenotype_is_reported_by_line(abide_folder, row, said):
    with pytest.raises(RecipeError, match=said):
        read_abide(abide_folder({1: row}))


def damage(kind: str, file: Path) -> None:
    lines = file.read_text().splitlines()
    if kind == "cut off":
        file.write_text("\n".join(lines)[:-9])
    elif kind == "a region less":
        file.write_text("\n".join(line.rpartition("\t")[0] for line in lines))
    elif kind == "not a number":
        file.write_text("\n".join([*lines[:5], "1\t2\tnan\t4", *lines[6:]]))
    elif kind == "a word":
        file.write_text("\n".join([*lines[:5], "1\t2\toops\t4", *lines[6:]]))
    elif kind == "only a header":
        file.write_text(lines[0] + "\n")
    elif kind == "empty":
        file.write_text("")
    elif kind == "no text":
        file.write_bytes(b"\xff\xfe\x00" * 50)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("cut off", "line 177 has 3 columns; expected 4"),
        ("a region less", "has 3 columns, #1, #2, #3; expected 4 as NYU_0050000_rois_cc200.1D has"),
        ("not a number", "NYU_0050003, region #3, volume 5 is nan; expected a number"),
        ("a word", "line 6, column 3 is 'oops'; expected a number"),
        ("only a header", "holds no volumes"),
        ("empty", "holds no volumes"),
        ("no text", "is no text"),
    ],
)
def test_a_damaged_file_is_reported_by_name(abide_folder, kind, said):
    folder = abide_folder()
    damage(kind, folder / "ABIDE_pcp/cpac/nofilt_noglobal/NYU_0050003_rois_cc200.1D")
    with pytest.raises(RecordingError, match=said) as error:
        read_abide(folder)
    assert "NYU_0050003" in str(error.value)


def test_other_folders_are_reported_by_what_they_hold(abide_folder, tmp_path):
    folder = abide_folder()
    with pytest.raises(RecordingError, match=r"holds cpac/nofilt_noglobal"):
        read_abide(folder, strategy="filt_global")
    with pytest.raises(RecordingError, match=r"no files \*_rois_aal.1D; found CMU_b_0050001_rois_cc200.1D"):
        read_abide(folder, derivative="rois_aal")
    with pytest.raises(RecordingError, match="found no such folder"):
        read_abide(tmp_path / "elsewhere")
    with pytest.raises(RecordingError, match="found nofilt_noglobal"):
        read_abide(tmp_path / "ABIDE_pcp/cpac")
