"""ADHD-200: whose the rows are is proven by what else the files tell; labels of graphs are no diagnoses."""

import shutil
import zipfile

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from models.errors import RecipeError, RecordingError
from offline.scans.adhd200 import read_adhd200
from offline.scans.adhd200_graphs import N_REGIONS, read_graph_file
from offline.scans.groups import refuse_confounded, site_by_label
from offline.scans.phenotype import read_phenotypes


@pytest.fixture(scope="module")
def source(data_dir):
    return data_dir / "adhd200"


@pytest.fixture
def copy(source, tmp_path):
    for file in source.iterdir():
        shutil.copyfile(file, tmp_path / file.name)
    return tmp_path


def test_alff_by_diagnosis(source):
    scans = read_adhd200(source)
    assert scans.X.shape == (384, 116)
    assert site_by_label(scans) == {
        "NYU": {"TD": 96, "ADHD": 116},
        "Peking_1": {"TD": 52, "ADHD": 21},
        "Peking_2/3": {"TD": 49, "ADHD": 50},
    }
    assert np.isfinite(scans.age).all()
    assert set(scans.sex.tolist()) == {"M", "F"}
    assert np.isnan(scans.motion).all()
    refuse_confounded(scans)


def test_alff_rows_are_those_of_the_people_they_are_given_to(source):
    """The file's own score stands beside each row; the ids are those of the table."""
    scans = read_adhd200(source, sites=["NYU"])
    theirs = loadmat(source / "NYU_alff_ds.mat")
    np.testing.assert_array_equal(scans.scores["score"], theirs["score"].ravel())
    np.testing.assert_array_equal(scans.X, theirs["alff"])
    np.testing.assert_array_equal(scans.y, theirs["tag"].ravel() > 0)
    table = read_phenotypes(source / "NYU_phenotypic.csv")
    age = dict(zip(table.texts("ScanDir ID"), table.numbers("Age"), strict=True))
    assert scans.age.tolist() == [age[name] for name in scans.table.person]
    assert any("38 of 212 people of NYU_alff_ds.mat did not pass QC_Rest_1" in each for each in scans.remarks)


def test_subtypes(source):
    scans = read_adhd200(source, task="subtype")
    assert scans.labels == ("combined", "inattentive")
    assert np.bincount(scans.y).tolist() == [99, 86]
    assert "197 people left out: TD is not part of 'subtype'" in scans.remarks
    three = read_adhd200(source, task="three")
    assert np.bincount(three.y).tolist() == [197, 99, 86]
    assert "2 people left out: hyperactive is not part of 'three'" in three.remarks


def test_graphs_by_diagnosis(source):
    scans = read_adhd200(source, "graphs")
    assert scans.X.shape == (247, N_REGIONS * (N_REGIONS - 1) // 2)
    assert set(np.unique(scans.X)) == {0.0, 1.0}
    assert site_by_label(scans) == {
        "KKI": {"TD": 61, "ADHD": 22},
        "OHSU": {"TD": 42, "ADHD": 37},
        "Peking_1": {"TD": 61, "ADHD": 24},
    }


def test_a_graph_is_its_edge_list(source):
    """Counted another way: every line of the file is one direction of one edge."""
    X, labels = read_graph_file(source / "KKI.zip")
    with zipfile.ZipFile(source / "KKI.zip") as archive:
        lines = archive.read("KKI/KKI_A.txt").decode().split("\n")
        graph = [int(each) for each in archive.read("KKI/KKI_graph_indicator.txt").split()]
    pairs = {frozenset(map(int, line.split(", "))) for line in lines if line.strip()}
    edges = [0] * len(labels)
    for pair in pairs:
        edges[graph[min(pair) - 1] - 1] += 1
    assert X.sum(axis=1).tolist() == edges


def test_the_labels_of_the_graphs_are_no_diagnoses(source):
    scans = read_adhd200(source, "graphs")
    for site, agreed, of in (
        ("Peking_1", scans.sex == "M", 85),
        ("OHSU", scans.scores["hyperactive"] > 49, 79),
        ("KKI", scans.scores["score"] > 44, 82),
    ):
        _, labels = read_graph_file(source / f"{site}.zip")
        here = scans.site == site
        assert np.count_nonzero((labels == 1) == agreed[here]) == of
        assert np.count_nonzero((labels == 1) == (scans.y[here] == 1)) < 0.87 * len(labels)


def test_another_order_of_people_is_not_believed(copy):
    table = copy / "PU_phenotypic.csv"
    lines = table.read_text().splitlines()
    order = np.random.default_rng(0).permutation(85) + 1
    cells = [lines[i].split(",") for i in order]
    numbers = [line.split(",")[0] for line in lines[1:86]]
    mixed = [",".join([number, *own[1:]]) for number, own in zip(numbers, cells, strict=True)]
    table.write_text("\n".join([lines[0], *mixed, *lines[86:]]) + "\n")
    with pytest.raises(RecordingError, match=r"graphs disagree with 'Gender', on which they rest"):
        read_adhd200(copy, "graphs", sites=["Peking_1"])
    with pytest.raises(RecordingError, match="The files do not belong together"):
        read_adhd200(copy, sites=["Peking"])


def test_a_person_less_is_noticed(copy):
    table = copy / "NYU_phenotypic.csv"
    table.write_text("\n".join(table.read_text().splitlines()[:-1]))
    with pytest.raises(RecordingError, match="has 212 rows; expected 211"):
        read_adhd200(copy, sites=["NYU"])
    table = copy / "adhd200_preprocessed_phenotypics.tsv"
    lines = table.read_text().splitlines()
    table.write_text("\n".join([lines[0], *lines[2:]]))
    with pytest.raises(RecordingError, match="has 83 graphs; expected 82, the people of KKI"):
        read_adhd200(copy, "graphs", sites=["KKI"])


def test_an_unknown_diagnosis_code(copy):
    table = copy / "adhd200_preprocessed_phenotypics.tsv"
    lines = table.read_text().splitlines()
    cells = lines[1].split("\t")
    cells[5] = "7"
    table.write_text("\n".join([lines[0], "\t".join(cells), *lines[2:]]))
    with pytest.raises(RecipeError, match=r"line 2: DX is '7'; expected one of 0 \(TD\), 1 \(combined\)"):
        read_adhd200(copy, "graphs", sites=["KKI"])


def test_what_is_withheld_is_left_out(copy):
    table = copy / "adhd200_preprocessed_phenotypics.tsv"
    lines = table.read_text().splitlines()
    cells = lines[1].split("\t")
    cells[5] = "pending"
    table.write_text("\n".join([lines[0], "\t".join(cells), *lines[2:]]))
    scans = read_adhd200(copy, "graphs", sites=["KKI"])
    assert len(scans) == 82
    assert any("1 people left out: diagnosis withheld" in remark for remark in scans.remarks)


@pytest.mark.parametrize(
    ("part", "text", "said"),
    [
        ("A", "1, 2\n1, 9\n", "edges from 1 to 9; expected 1 to 3"),
        ("A", "1, 3\n", "1 edges between two people's graphs"),
        ("A", "1, x\n", "line 1 is '1, x'; expected 2 whole numbers"),
        ("A", "", "is empty"),
        ("node_labels", "0\n190\n1\n", "regions from 0 to 190; expected 0 to 189"),
        ("node_labels", "0\n0\n1\n", "a region twice in one graph"),
        ("node_labels", "0\n1\n", "labels 2 nodes; expected 3"),
        ("graph_indicator", "1\n1\n4\n", "graph numbers from 1 to 4; expected 1 to 2"),
        ("graph_labels", None, "holds no X/X_graph_labels.txt"),
    ],
)
def test_damaged_graphs(tmp_path, part, text, said):
    parts = {"A": "1, 2\n2, 1\n", "graph_indicator": "1\n1\n2\n", "graph_labels": "1\n-1\n",
             "node_labels": "5\n2\n5\n"}  # fmt: skip
    path = tmp_path / "X.zip"

    def write():
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in parts.items():
                if content is not None:
                    archive.writestr(f"X/X_{name}.txt", content)

    write()
    X, labels = read_graph_file(path)
    assert X.sum(axis=1).tolist() == [1, 0]
    assert labels.tolist() == [1, -1]
    parts[part] = text
    write()
    with pytest.raises(RecordingError, match=said):
        read_graph_file(path)
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(RecordingError, match="cannot be read as a zip"):
        read_graph_file(path)


@pytest.mark.parametrize(
    ("held", "said"),
    [
        ({"alff": np.ones((2, 116)), "tag": np.zeros((2, 1))}, "has no 'score'.* found alff, tag"),
        ({"alff": np.ones((2, 90)), "tag": [0, 0], "score": [1, 2]}, "alff is 2 x 90; expected people x 116"),
        ({"alff": np.ones((2, 116)), "tag": [0], "score": [1, 2]}, "2 rows of alff, 1 tags and 2 scores"),
        ({"alff": np.full((2, 116), np.nan), "tag": [0, 0], "score": [1, 2]}, "all of them finite"),
        ({"alff": "words", "tag": [0, 0], "score": [1, 2]}, "alff is <U5; expected numbers"),
    ],
)
def test_damaged_alff(copy, held, said):
    savemat(copy / "NYU_alff_ds.mat", held)
    with pytest.raises(RecordingError, match=said):
        read_adhd200(copy)


def test_files_cut_off_or_not_there(copy):
    file = copy / "NYU_alff_ds.mat"
    file.write_bytes(file.read_bytes()[:5000])
    with pytest.raises(RecordingError, match="cannot be read as a MATLAB file"):
        read_adhd200(copy)
    file.unlink()
    with pytest.raises(RecordingError, match=r"There is no file .*NYU_alff_ds.mat"):
        read_adhd200(copy)
    (copy / "KKI.zip").unlink()
    with pytest.raises(RecordingError, match=r"There is no file .*KKI.zip"):
        read_adhd200(copy, "graphs")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"what": "series"}, "what is 'series'; expected 'alff' or 'graphs'"),
        ({"task": "sex"}, "task is 'sex'; expected one of diagnosis, subtype, three"),
        ({"sites": ["KKI"]}, "sites are KKI; alff is there of NYU, Peking"),
        ({"sites": []}, "sites are none"),
    ],
)
def test_what_cannot_be_asked(tmp_path, options, said):
    with pytest.raises(RecipeError, match=said):
        read_adhd200(tmp_path, **options)
