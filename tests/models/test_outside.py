"""Text from outside: decoded whatever its bytes, printable whatever its characters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import HemostreamError
from models.outside import decoded, printable

ANY = st.text(st.characters(codec=None))
"""Surrogates too, which no terminal's encoding takes."""


@given(st.binary())
def test_all_bytes_are_text_and_none_is_lost(raw: bytes) -> None:
    text = decoded(raw)
    assert raw in (text.encode("utf-8", "surrogatepass"), text.encode("latin-1", "replace"))


@given(ANY, st.integers(5, 50))
def test_what_is_printable_holds_no_control_fits_and_stays_as_it_is(text: str, longest: int) -> None:
    shown = printable(text, longest)
    assert len(shown) <= longest
    assert all(character >= " " and not "\x7f" <= character <= "\x9f" for character in shown)
    shown.encode("utf-8")
    assert printable(shown, longest) == shown
    assert printable(text, None, lines=True).count("\n") == text.count("\n")


@pytest.mark.parametrize("text", ["Übung 1", "脳 🧠", "S1_D1 760", "[/red]", "a\u200db", "it's"])
def test_what_people_write_stays(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31m", "\\x1b[31m"),
        ("\x9b2J", "\\x9b2J"),
        ("a\nb", "a\\x0ab"),
        ("\u202eevil", "\\u202eevil"),
        ("\ud800", "\\ud800"),
        ("\x00", "\\x00"),
    ],
)
def test_what_a_terminal_obeys_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert str(HemostreamError(f"label {text}")).replace("\n", "\\x0a") == f"label {shown}"
