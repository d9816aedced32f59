"""No command replaces what a person would miss."""

from pathlib import Path

import pytest

from models.errors import HemostreamError
from tools.commands.classify import classify
from tools.commands.export import export
from tools.out_file import may_hold_decisions, must_be_new


def test_a_file_of_decisions_may_be_replaced_and_nothing_else(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    may_hold_decisions(out)
    out.write_bytes(b"")
    may_hold_decisions(out)
    out.write_bytes(b'{"schema":1,"session":"s"}\n')
    may_hold_decisions(out)
    out.write_bytes(b"SQLite format 3\0 a whole morning's journal")
    with pytest.raises(HemostreamError, match="does not hold decisions"):
        may_hold_decisions(out)
    with pytest.raises(HemostreamError, match="is a folder"):
        may_hold_decisions(tmp_path)


def test_a_journal_given_as_its_own_output_stays(tmp_path: Path) -> None:
    journal = tmp_path / "bed.hemostream"
    journal.write_bytes(b"SQLite format 3\0 a whole morning")
    with pytest.raises(HemostreamError, match="does not hold decisions"):
        classify(journal, model=tmp_path / "bundle", out=journal)
    with pytest.raises(HemostreamError, match="exists"):
        export(journal, journal)
    assert journal.read_bytes() == b"SQLite format 3\0 a whole morning"


def test_an_export_replaces_only_when_told(tmp_path: Path) -> None:
    (tmp_path / "bed_001.snirf").write_bytes(b"an earlier export of several stretches")
    with pytest.raises(HemostreamError, match=r"bed_001\.snirf exists"):
        export(tmp_path / "bed.hemostream", tmp_path / "bed.snirf")
    must_be_new(tmp_path / "bed_001.snirf", overwrite=True)
