"""``classify`` says on the error stream what of a journal it does not predict."""

import pytest

from tools.commands.classify import tell


def test_what_is_left_out_is_written_apart_from_what_is_predicted(capsys: pytest.CaptureFixture[str]) -> None:
    tell("bed.hemostream lacks 3 entries.")
    written = capsys.readouterr()
    assert written.err == "hemostream: bed.hemostream lacks 3 entries.\n"
    assert written.out == ""
