"""One set of words for "not known", and no number that becomes "not known" by itself."""

import math
import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import RecipeError, StreamError
from offline.base.cohort import read_cohort
from offline.scans.phenotype import read_phenotypes
from realtime.channels.text_values import ABSENT, code_in, is_absent, number_in
from realtime.devices import layout_of

WORDS = st.sampled_from(sorted(ABSENT)).flatmap(
    lambda word: st.sampled_from([word, word.upper(), word.title(), f" {word} "])
)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_itself(value):
    assert number_in(repr(value)) == value
    assert number_in(f" {value} ") == value


@given(WORDS)
def test_a_word_for_not_known_is_none(word):
    assert is_absent(word)
    assert number_in(word) is None


@given(st.text(max_size=8) | st.from_regex(r"[+-]?\d{1,4},\d{1,3}", fullmatch=True))
def test_anything_else_is_an_error_that_shows_it(text):
    try:
        value = float(text) if "_" not in text and text.isascii() else math.nan
    except ValueError:
        value = math.nan
    if is_absent(text):
        assert number_in(text) is None
    elif math.isfinite(value):
        assert number_in(text) == value
    else:
        with pytest.raises(ValueError, match=re.escape(repr(text.strip()))):
            number_in(text)


@pytest.mark.parametrize(
    "text", ["760,0", "1_000", "0x10", "1e400", "inf", "٣", "1.234,5", "12 kg", "1e", "--5"]
)
def test_what_python_or_a_locale_would_take_is_no_number(text):
    with pytest.raises(ValueError, match="expected a number"):
        number_in(text)


def test_codes_of_phenotype_tables():
    assert code_in("-9999") is code_in("-999.0") is code_in("n/a") is None
    assert number_in("-999") == -999.0
    assert code_in("-998") == -998.0


@pytest.mark.parametrize("word", sorted(ABSENT - {""}))
def test_every_table_knows_the_same_words(tmp_path, word):
    (tmp_path / "a.snirf").touch()
    (tmp_path / "cohort.tsv").write_text(
        f"recording\tperson\tage\tsex\tsite\na.snirf\tp1\t{word}\t{word}\t{word}\n"
    )
    row = read_cohort(tmp_path).rows[0]
    assert (row.age, row.sex, row.site) == (None, "", "")
    (tmp_path / "p.tsv").write_text(f"person\tage\tx\np1\t{word}\t1\n")
    table = read_phenotypes(tmp_path / "p.tsv")
    assert math.isnan(table.numbers("age")[0])
    assert table.texts("age").tolist() == [""]


def test_a_person_who_is_not_known_is_not_a_person(tmp_path):
    # Else all recordings of unknown people would be one person's.
    (tmp_path / "a.snirf").touch()
    (tmp_path / "cohort.tsv").write_text("recording\tperson\na.snirf\tn/a\n")
    with pytest.raises(RecipeError, match="line 2: person is empty, or says that it is not known"):
        read_cohort(tmp_path)


def described(**fields):
    info = ET.Element("info")
    for tag, text in {"name": "Cap", "type": "NIRS", "channel_count": "2", "nominal_srate": "10"}.items():
        ET.SubElement(info, tag).text = fields.get(tag, text)
    desc = ET.SubElement(info, "desc")
    channels, optodes = ET.SubElement(desc, "channels"), ET.SubElement(desc, "optodes")
    for wavelength in ("760", "850"):
        node = ET.SubElement(channels, "channel")
        answer = {
            "label": f"S1-D1 {wavelength}",
            "type": "Intensity",
            "unit": "V",
            "source": "S1",
            "detector": "D1",
        }
        for tag, text in {**answer, "wavelength": fields.get("wavelength", wavelength)}.items():
            ET.SubElement(node, tag).text = text
        if "measured" in fields:
            ET.SubElement(node, "wavelength_measured").text = str(float(wavelength) + fields["measured"])
    for function, label, x in (("Source", "S1", "0"), ("Detector", "D1", fields.get("X", "30"))):
        node = ET.SubElement(optodes, "optode")
        ET.SubElement(node, "function").text, ET.SubElement(node, "label").text = function, label
        place = ET.SubElement(node, "location")
        for axis, text in zip("XYZ", (x, "10", "0"), strict=True):
            ET.SubElement(place, axis).text = text
    return info


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"wavelength": "760,0"}, "wavelength is '760,0'; expected nanometres with a decimal point"),
        ({"X": "30,0"}, "Optode 'D1': location X is '30,0'"),
        ({"nominal_srate": "8,12"}, "nominal_srate is '8,12'"),
        ({"wavelength": "red"}, "wavelength is 'red'"),
    ],
)
def test_a_description_under_a_locale_with_commas_is_refused(fields, message):
    with pytest.raises(StreamError, match=message):
        layout_of(described(**fields))


def test_the_light_that_was_measured_is_used_and_called_by_its_nominal_wavelength():
    channels = layout_of(described(measured=-2.5)).spec.channels
    assert [(c.name, c.wavelength, c.colour) for c in channels] == [
        ("S1-D1 760", 757.5, 760.0),
        ("S1-D1 850", 847.5, 850.0),
    ]
    plain = layout_of(described(wavelength="760 nm")).spec.channels[0]
    assert (plain.wavelength, plain.nominal_wavelength) == (760.0, None)
