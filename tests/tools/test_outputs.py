"""No command replaces what a person would miss."""

from pathlib import Path

import numpy as np
import pytest

from models.errors import HemostreamError
from realtime.sources.recording import Recording
from tests.realtime.support import intensity_spec
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
    for overwrite in (False, True):
        with pytest.raises(HemostreamError, match="is the journal itself"):
            export(journal, journal, overwrite=overwrite)
    assert journal.read_bytes() == b"SQLite format 3\0 a whole morning"


def test_an_export_replaces_only_when_asked(tmp_path: Path) -> None:
    (tmp_path / "bed_001.snirf").write_bytes(b"an earlier export of several stretches")
    with pytest.raises(HemostreamError, match=r"bed_001\.snirf is there already"):
        export(tmp_path / "bed.hemostream", tmp_path / "bed.snirf")
    check_new_file(tmp_path / "bed_001.snirf", "A recording", overwrite=True)


@pytest.mark.parametrize("gap", [False, True])
def test_what_an_earlier_export_with_other_stretches_left_does_not_pass_for_one_of_these(
    tmp_path: Path, gap: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = np.arange(40) / 10.0
    times[20:] += 30.0 * gap
    data = np.random.default_rng(0).uniform(0.5, 1.0, (2, 40))
    spec = intensity_spec(pairs=1)
    whole = Recording("bed", spec, data, times, np.zeros(data.shape, dtype=bool))
    monkeypatch.setattr("offline.recordings.journal.read_journal", lambda *_, **__: whole)
    for name in ("bed.snirf", "bed_001.snirf", "bed_002.snirf", "bed_003.snirf", "bed_x.snirf", "bed.txt"):
        (tmp_path / name).write_bytes(b"earlier")
    export(tmp_path / "bed.hemostream", tmp_path / "bed.snirf", overwrite=True)
    left = {path.name for path in tmp_path.iterdir() if path.read_bytes() != b"earlier"}
    assert left == ({"bed_001.snirf", "bed_002.snirf"} if gap else {"bed.snirf"})
    assert {path.name for path in tmp_path.iterdir()} == left | {"bed_x.snirf", "bed.txt"}


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
