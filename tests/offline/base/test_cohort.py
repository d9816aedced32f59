"""A cohort's table: what is read, and what is reported of what is wrong."""

from pathlib import Path

import pytest

from models.errors import RecipeError
from offline.base.cohort import Cohort, CohortRow, read_cohort


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    for name in ("a.snirf", "b.snirf", "c.snirf"):
        (tmp_path / "data" / name).write_bytes(name.encode())
    return tmp_path


def table(folder: Path, *lines: str, name: str = "cohort.tsv") -> Path:
    path = folder / name
    path.write_text("".join(line.replace("|", "\t") + "\n" for line in lines), encoding="utf-8")
    return path


def test_reads_what_stands_there(folder: Path) -> None:
    path = table(
        folder,
        "recording|person|session|site|age|sex|group",
        "data/a.snirf|p1|1|NYU|8.5|F|TD",
        "",
        " data/b.snirf | p1 |2|NYU||F|TD",
        '"data/c.snirf"|"p2"|||10||ASD',
    )
    cohort = read_cohort(path)
    assert cohort.rows == (
        CohortRow(folder / "data/a.snirf", "p1", "1", "NYU", 8.5, "F", {"group": "TD"}),
        CohortRow(folder / "data/b.snirf", "p1", "2", "NYU", None, "F", {"group": "TD"}),
        CohortRow(folder / "data/c.snirf", "p2", "", "", 10.0, "", {"group": "ASD"}),
    )
    assert cohort.people == ("p1", "p2")
    assert read_cohort(folder) == cohort


def test_words_for_a_sex_are_one(folder: Path) -> None:
    """As in folders of scans: `m` and `Male` were two sexes, and what age and sex give was wrong."""
    rows = [f"data/{name}.snirf|{name}|{word}" for name, word in zip("abc", ("m", "Male", "x"), strict=True)]
    cohort = read_cohort(table(folder, "recording|person|sex", *rows))
    assert [row.sex for row in cohort.rows] == ["M", "M", "x"]


def test_reads_what_excel_saves(folder: Path) -> None:
    path = folder / "cohort.tsv"
    path.write_bytes(b"\xef\xbb\xbfrecording\tperson\r\ndata/a.snirf\tp1\r\n")
    assert read_cohort(path).rows == (CohortRow(folder / "data/a.snirf", "p1"),)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ((), "nothing; expected 'recording' and 'person'"),
        (("recording|person",), "has no rows"),
        (("recording,person", "data/a.snirf,p1"), "separated by tabs"),
        (("recording|persona", "data/a.snirf|p1"), "columns recording, persona; expected"),
        (("recording|person|group|group", "data/a.snirf|p1|A|B"), "'group' twice"),
        (
            ("recording|person", "data/a.snirf|p1", "data/x.snirf|p1"),
            r"line 3: there is no recording .*x\.snirf",
        ),
        (("recording|person", "data/a.snirf|"), "line 2: person is empty"),
        (("recording|person", "data/a.snirf"), "line 2: person is empty"),
        (("recording|person", "data/a.snirf|p1|x"), "line 2: 3 cells, but 2 columns"),
        (
            ("recording|person", "data/a.snirf|p1", "data/b.snirf|p1", "", "data/../data/a.snirf|p2"),
            "line 5: recording a.snirf stands in line 2 too",
        ),
        (("recording|person|age", "data/a.snirf|p1|old"), "line 2: age is 'old'"),
        (
            ("recording|person|age", "data/a.snirf|p1|34,5"),
            "line 2: age is '34,5'; expected .* point",
        ),
        (("recording|person|age", "data/a.snirf|p1|-3"), "line 2: age is '-3'"),
        (("recording|person", '"data/a.snirf|p1'), "cannot be read as a table"),
    ],
)
def test_says_what_is_wrong_and_where(folder: Path, lines: tuple[str, ...], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        read_cohort(table(folder, *lines))


@pytest.mark.parametrize(
    "column",
    ["name", "Name", "date_of_birth", "birthday", "DOB", "last_name", "patient name", "Email", "MRN"],
)
def test_personal_data_is_refused(folder: Path, column: str) -> None:
    with pytest.raises(RecipeError, match="promises personal data"):
        read_cohort(table(folder, f"recording|person|{column}", "data/a.snirf|p1|x"))


@pytest.mark.parametrize("column", ["task_name", "group", "diagnosis", "handedness", "filename"])
def test_other_columns_are_labels(folder: Path, column: str) -> None:
    cohort = read_cohort(table(folder, f"recording|person|{column}", "data/a.snirf|p1|x"))
    assert cohort.rows[0].values == {column: "x"}


def test_other_encodings_and_no_file_are_reported(folder: Path) -> None:
    path = folder / "cohort.tsv"
    path.write_bytes("recording\tperson\ndata/a.snirf\tMärz\n".encode("latin-1"))
    with pytest.raises(RecipeError, match="save it as UTF-8"):
        read_cohort(path)
    with pytest.raises(RecipeError, match=r"no cohort table .*other\.tsv"):
        read_cohort(folder / "other.tsv")


def test_the_hash_is_of_the_content_and_not_of_the_place(folder: Path) -> None:
    lines = ("recording|person|group", "data/a.snirf|p1|A", "data/b.snirf|p2|B")
    here = read_cohort(table(folder, *lines))
    elsewhere = folder.with_name("moved")
    folder.rename(elsewhere)
    moved = read_cohort(elsewhere)
    first = moved.content_hash()
    elsewhere.rename(folder)
    assert here.content_hash() == first

    def hash_with(*other: str) -> str:
        return read_cohort(table(folder, *other)).content_hash()

    assert hash_with(lines[0], lines[1], "data/b.snirf|p3|B") != first
    assert hash_with(lines[0], lines[1], "data/b.snirf|p2|A") != first
    assert hash_with(lines[0], lines[1], "data/c.snirf|p2|B") != first
    (folder / "data/b.snirf").write_bytes(b"another measurement")
    assert hash_with(*lines) != first


def test_people_keep_the_tables_order() -> None:
    rows = tuple(CohortRow(Path(f"{i}"), person) for i, person in enumerate(["z", "a", "z", "b"]))
    assert Cohort(Path("t.tsv"), rows).people == ("z", "a", "b")
