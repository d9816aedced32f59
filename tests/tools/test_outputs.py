"""No command replaces what a person would miss."""

from pathlib import Path

import pytest

from models.errors import HemostreamError
from tools.commands.classify import classify
from tools.commands.export import export
from tools.outputs import check_decisions, check_new_file, whole_file


def test_a_file_of_decisions_may_be_overwritten_and_nothing_else(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    check_decisions(out, overwrite=False)
    out.write_bytes(b"")
    check_decisions(out, overwrite=False)
    out.write_bytes(b'{"schema":1,"session":"s"}\n')
    with pytest.raises(HemostreamError, match="--overwrite"):
        check_decisions(out, overwrite=False)
    check_decisions(out, overwrite=True)
    out.write_bytes(b"SQLite format 3\0 a whole morning's journal")
    with pytest.raises(HemostreamError, match="does not hold decisions"):
        check_decisions(out, overwrite=True)
    with pytest.raises(HemostreamError, match="is a folder"):
        check_decisions(tmp_path, overwrite=True)


def test_a_journal_given_as_its_own_output_stays(tmp_path: Path) -> None:
    journal = tmp_path / "bed.hemostream"
    journal.write_bytes(b"SQLite format 3\0 a whole morning")
    with pytest.raises(HemostreamError, match="does not hold decisions"):
        classify(journal, model=tmp_path / "bundle", out=journal)
    with pytest.raises(HemostreamError, match="there already"):
        export(journal, journal)
    assert journal.read_bytes() == b"SQLite format 3\0 a whole morning"


def test_an_export_replaces_only_when_told(tmp_path: Path) -> None:
    (tmp_path / "bed_001.snirf").write_bytes(b"an earlier export of several stretches")
    with pytest.raises(HemostreamError, match=r"bed_001\.snirf is there already"):
        export(tmp_path / "bed.hemostream", tmp_path / "bed.snirf")
    check_new_file(tmp_path / "bed_001.snirf", "A recording", overwrite=True)


def test_a_file_that_is_not_whole_does_not_appear(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    out.write_text("earlier")
    with pytest.raises(TypeError), whole_file(out) as part:
        part.write_bytes(part.write_text("half"))  # type: ignore[arg-type]
    assert [each.name for each in tmp_path.iterdir()] == ["out.jsonl"]
    assert out.read_text() == "earlier"
    with whole_file(out) as part:
        part.write_text("whole")
    assert [each.name for each in tmp_path.iterdir()] == ["out.jsonl"]
    assert out.read_text() == "whole"
