"""What a person writes to choose a stream, and what is chosen."""

import unicodedata
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import StreamError
from realtime.sources.stream_choice import By, literal, matches, parse, predicate_of, wider


@dataclass(frozen=True)
class One:
    name: str
    source_id: str = ""
    uid: str = ""


CAPS = [
    One("Cap", "left", "u1"),
    One("Cap", "right", "u2"),
    One("Other", "right-2", "u3"),
    One("2", "x", "u4"),
]


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        ("Cap", "u1 u2"),
        ("cap", ""),
        ("Ca", ""),
        ("name=Cap", "u1 u2"),
        ("source_id=right", "u2"),
        ("source_id='right'", "u2"),
        ('source_id = "right"', "u2"),
        ("uid=u3", "u3"),
        ("#1", "u1"),
        ("#2", "u2"),
        ("1", "u1"),
        ("2", "u4"),  # its name
        ("name=2", "u4"),
        ("#9", ""),
    ],
)
def test_what_is_chosen(wanted: str, chosen: str) -> None:
    assert [one.uid for one in matches(wanted, CAPS)] == chosen.split()


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("field", ["", "name=", "source_id="])
def test_letters_that_look_alike_are_alike(form: str, field: str) -> None:
    """What a keyboard composes, and what a sender put together of pieces."""
    name = unicodedata.normalize({"NFC": "NFD", "NFD": "NFC"}[form], "Großmütze")
    wanted = parse(field + unicodedata.normalize(form, "Großmütze"))
    one = One(name, name)
    assert matches(wanted, [one]) == [one]
    assert matches(unicodedata.normalize(form, "MÜTZE"), [one], part=True) == [one]
    assert wider(wanted) == f"contains({field.strip('=') or 'name'},'Gro')"


def test_a_part_of_a_name_is_taken_only_where_that_is_asked_for() -> None:
    assert [one.uid for one in matches("oth", CAPS, part=True)] == ["u3"]
    assert matches("oth", CAPS) == []


@pytest.mark.parametrize(
    "name",
    [
        "Bob's cap",
        "a \"b\" 'c'",
        "A & B",
        "NIRS (bed 2)",
        "x < 3",
        "a=b",
        "cap(left)",
        "Häube 帽",
        "#x",
        "not",
    ],
)
def test_a_name_may_look_like_anything(name: str) -> None:
    assert parse(name).by is By.NAME
    assert matches(name, [One("other"), One(name)]) == [One(name)]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("name='O'Brien'", "O'Brien"),
        ("name = 'the boys' cap'", "the boys' cap"),
        ("name='O'Brien's cap'", "O'Brien's cap"),
        ('name="a "b" c"', 'a "b" c'),
        ("name='orchid'orchid'", "orchid'orchid"),
    ],
)
def test_a_quoted_name_may_hold_its_quotes(text: str, name: str) -> None:
    assert (parse(text).by, parse(text).value) == (By.NAME, name)
    assert predicate_of(text) == f"name={literal(name)}"


@pytest.mark.parametrize(
    "text",
    [
        "name='a'or name='b'",
        "name='a' = 'a'",
        "name='a'][type='b'",
        "name='a' or name='b'",
        "starts-with(name,'Pho')",
        "not(type='EEG') and channel_count>4",
        "(type='NIRS' and nominal_srate > 5)",
        "desc/manufacturer='NIRx'",
        "//manufacturer='NIRx'",
    ],
)
def test_predicates_are_known_by_their_form(text: str) -> None:
    assert parse(text).by is By.PREDICATE
    assert predicate_of(text) == text
    with pytest.raises(StreamError, match="only live streams"):
        matches(text, CAPS)


@pytest.mark.parametrize("text", ["", "  ", "#0", "0", "source_id=", "a\nb", "a\x1bb"])
def test_what_means_no_stream_says_what_is_expected(text: str) -> None:
    with pytest.raises(StreamError, match=r"expected|from 1"):
        parse(text)


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1))
def test_every_name_and_id_is_found_by_itself(text: str) -> None:
    assert matches(f"name={text}" if text[:1] not in "'\"" else f"name={literal_quotes(text)}", [One(text)])
    assert [one.uid for one in matches(parse("uid=u2"), [One(text, text, "u1"), One(text, text, "u2")])] == [
        "u2"
    ]


def literal_quotes(text: str) -> str:
    """Around a value that itself begins with a quote."""
    for quote in "'\"":
        if quote not in text:
            return quote + text + quote
    return text


@given(st.text(alphabet=st.sampled_from("ab'\" &<"), max_size=12))
def test_literals_are_xpath(text: str) -> None:
    """Read back by XPath's own grammar: no escape, pieces between quotes, joined by concat."""
    written = literal(text)
    if not written.startswith("concat("):
        assert written[0] == written[-1]
        assert written[0] not in text
        assert written[1:-1] == text
        return
    pieces, rest = [], written[len("concat(") : -1]
    while rest:
        end = rest.index(rest[0], 1)
        pieces.append(rest[1:end])
        rest = rest[end + 1 :].removeprefix(", ")
    assert "".join(pieces) == text
