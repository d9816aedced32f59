"""One person, one spelling: what looks alike is one, and what a person would take for one is refused."""

import hashlib
import hmac
import unicodedata
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.errors import RecipeError
from offline.base.cohort import read_cohort
from offline.base.people_hash import is_among, person_hash
from offline.base.spelling import canonical, identity, nearly
from realtime.channels.text_values import is_absent

HIDDEN = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u202e\u2066\u034f\ufe0f\u3164\x00\x07"
BLANKS = "\u00a0\u2003\u202f\u3000 "
names = st.text(st.sampled_from("abzPQ019-_. éßZäñıΩд한"), min_size=1, max_size=8).filter(
    lambda name: not is_absent(canonical(name))
)


def table(folder: Path, *people: str, column: str = "", cells: tuple[str, ...] = ()) -> Path:
    for i in range(len(people)):
        (folder / f"{i}.snirf").touch()
    head = ["recording", "person", *([column] if column else [])]
    rows = [[f"{i}.snirf", person, *cells[i : i + 1]] for i, person in enumerate(people)]
    path = folder / "cohort.tsv"
    path.write_bytes("\n".join("\t".join(row) for row in [head, *rows]).encode())
    return path


@given(names, st.data())
def test_what_shows_nothing_makes_no_difference(name: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(name)))
    hidden = data.draw(st.sampled_from(HIDDEN))
    blank = data.draw(st.sampled_from(BLANKS))
    assert canonical(canonical(name)) == canonical(name)
    for other in (
        unicodedata.normalize("NFD", name),
        unicodedata.normalize("NFC", name),
        f"{hidden}{name}",
        f"{name}{hidden}",
        f"{blank}{name}{blank}",
    ):
        assert canonical(other) == canonical(name), ascii(other)
    inside = name[:at] + hidden + name[at:]
    assert canonical(inside) == canonical(name) or unicodedata.normalize("NFC", inside) != inside


@given(names)
def test_what_a_person_takes_for_one_has_one_identity(name: str) -> None:
    assert identity(identity(name)) == identity(name)
    for other in (name.upper(), name.lower(), name.replace("-", "\u2013"), name.replace(" ", "\u00a0")):
        if other.replace("\u2013", "-").replace("\u00a0", " ").casefold() == name.casefold():
            assert identity(other) == identity(name)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("P01", "p01"),
        ("P01", "\u0420" + "01"),  # a Cyrillic letter
        ("P01", "P\u0660\u0661"),  # Arabic digits
        ("P01", "\uff3001"),  # a full-width letter
        ("P-01", "P\u201301"),
        ("P 01", "P01"),
        ("Zo\u00eb", "zoe\u0308"),
        ("stra\u00dfe", "STRASSE"),
        ("I1", "\u01301"),  # with the Turkish dot
    ],
)
@pytest.mark.parametrize("column", ["person", "site"])
def test_two_spellings_of_one_are_refused_and_both_are_named(
    tmp_path: Path, one: str, other: str, column: str
) -> None:
    people = (one, other, "x") if column == "person" else ("a", "b", "c")
    path = table(tmp_path, *people, column="site", cells=(one, other, "x") if column == "site" else ())
    with pytest.raises(RecipeError, match="Spell them alike") as caught:
        read_cohort(path)
    for said in (canonical(one), canonical(other), "line 2", "line 3"):
        assert said in str(caught.value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(names, st.sampled_from(HIDDEN), st.sampled_from(BLANKS), st.sampled_from(["NFC", "NFD", "NFKC"]))
def test_one_person_never_becomes_two(tmp_path: Path, name: str, hidden: str, blank: str, form: str) -> None:
    others = [name + hidden, blank + name, unicodedata.normalize(form, name), name.upper(), name.swapcase()]
    others = [other for other in others if not set(other) & set("\t\n\r\x00\x0b\x0c\x1c\x1d\x1e\x85")]
    path = table(tmp_path, name, *others)
    if len({canonical(other) for other in (name, *others)}) > 1:
        with pytest.raises(RecipeError, match="Spell them alike"):
            read_cohort(path)
        return
    cohort = read_cohort(path)
    assert len(cohort.people) == 1
    if any(canonical(other) != other.strip() for other in (name, *others)):
        assert "were composed (NFC)" in " ".join(remark.text for remark in cohort.remarks)


def test_what_was_put_right_and_what_may_be_one_is_reported_without_names_on_a_card(tmp_path: Path) -> None:
    cohort = read_cohort(table(tmp_path, "P1\u200b", "P1", "P01", "Q"))
    assert cohort.people == ("P1", "P01", "Q")
    changed, near = cohort.remarks
    assert "1 cells" in changed.text
    assert "line 2, person 'P1\\u200b'" in changed.detail
    assert "'P1' (line 2) and 'P01' (line 4)" in near.detail
    assert "P1" not in changed.text + near.text


def test_sites_that_may_be_one_are_reported(tmp_path: Path) -> None:
    cohort = read_cohort(
        table(tmp_path, "A", "B", "C", "D", column="site", cells=("NYU 1", "NYU_01", "", "X"))
    )
    (remark,) = cohort.remarks
    assert remark.text.startswith("sites' names differ only in zeros")
    assert remark.detail == "'NYU 1' (line 2) and 'NYU_01' (line 3)"


def test_two_people_under_one_code_are_reported(tmp_path: Path) -> None:
    one = read_cohort(table(tmp_path, "A", "A", "B", "B", column="sex", cells=("M", "F", "F", "")))
    assert [remark.detail for remark in one.remarks] == ["'A': sex M (line 2) and F (line 3)"]
    other = read_cohort(table(tmp_path, "A", "A", "B", "B", column="age", cells=("8", "9.5", "8", "61")))
    assert [remark.detail for remark in other.remarks] == ["'B': age 8 (line 4) and 61 (line 5)"]
    assert not any("B" in remark.text for remark in other.remarks)


def test_a_file_is_found_however_its_name_is_composed(tmp_path: Path) -> None:
    (tmp_path / unicodedata.normalize("NFD", "Zo\u00eb.snirf")).touch()
    path = tmp_path / "cohort.tsv"
    path.write_text("recording\tperson\nZo\u00eb.snirf\tp\n", encoding="utf-8")
    assert read_cohort(path).rows[0].recording.exists()


def test_codes_that_differ_in_zeros_and_signs_are_near() -> None:
    assert nearly("P01") == nearly("p1") == nearly("P-001") == nearly("P_1")
    assert nearly("1") == nearly("1.0") == nearly("01,00")
    assert nearly("sub-P01") == nearly("P1")
    assert len({nearly(name) for name in ("P1", "P10", "P11", "Q1", "P1a", "1", "1.05", "10")}) == 8


def test_cards_of_both_kinds_know_a_person_in_any_spelling() -> None:
    for spelt in ("P01", "p01", "P01\u200b", " p01"):
        assert is_among("salt", spelt, {person_hash("salt", "P01")})
    old = hmac.new(b"salt", b"P01", hashlib.sha256).hexdigest()[:32]  # as earlier versions hashed
    assert is_among("salt", "P01", {old})
    assert is_among("salt", "p01", {old})
    assert not is_among("salt", "P02", {old, person_hash("salt", "P01")})
