"""What a person says to ``live``."""

import pytest

from tools.live import predicate


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("Aurora", "name='Aurora'"),
        ("Photon Cap C20", "name='Photon Cap C20'"),
        ("name='Aurora'", "name='Aurora'"),
        ("starts-with(name,'Pho')", "starts-with(name,'Pho')"),
    ],
)
def test_a_plain_word_is_the_name_of_a_stream(said: str, meant: str) -> None:
    assert predicate(said) == meant
