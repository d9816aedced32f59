"""Lines that fit the terminal, and stay whole in a file."""

import logging

import pytest

from tools.messages import Remarks, say, wrapped


def test_lines_break_at_blanks_and_paths_stay_whole() -> None:
    text = "a message that is rather long and names /a/path/longer-than/the-terminal/is-wide.json at its end"
    lines = wrapped(text, 40, indent=2).splitlines()
    assert all(len(line) <= 40 or "/a/path" in line for line in lines)
    assert all(line.startswith("  ") for line in lines[1:])
    assert " ".join(line.strip() for line in lines) == text
    assert wrapped(text, None) == text
    assert wrapped("one\n  two", 40) == "one\n  two"


def test_a_file_gets_whole_lines_unless_columns_says_otherwise(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    say("word " * 40)
    assert capsys.readouterr().out.count("\n") == 1
    monkeypatch.setenv("COLUMNS", "60")
    say("word " * 40, error=True)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert max(map(len, shown.err.splitlines())) <= 60


def test_remarks_are_shown_as_messages_are(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    record = logging.LogRecord("x", logging.WARNING, "", 0, "%s", ("remark " * 20,), None)
    Remarks().emit(record)
    assert max(map(len, capsys.readouterr().err.splitlines())) <= 40
