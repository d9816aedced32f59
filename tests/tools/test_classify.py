"""``classify`` says on the error stream what of a journal it does not judge."""

import pytest

from tools.commands.classify import tell


def test_what_is_left_out_is_told_apart_from_what_is_judged(capsys: pytest.CaptureFixture[str]) -> None:
    tell("bed.hemostream lacks 3 entries.")
    said = capsys.readouterr()
    assert said.err == "hemostream: bed.hemostream lacks 3 entries.\n"
    assert said.out == ""
