"""Whatever a reader finds out reaches the error stream, the results, the report and the card."""

import html
import json
import logging
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.io import loadmat, savemat

from offline.base.remarks import Remark, lines_of, one_line, remarks_of, show
from offline.evaluation.evaluate import evaluate
from offline.recordings import read_recording
from offline.samples import reader as module
from offline.training.train import train
from realtime.sources.recording import Recording
from tests.offline.support import task_cohort, task_recipe

SAID = (
    "the file is damaged in 3 places, 1.20% of it was ignored: at byte 40 a length is no length",
    "the start has no time zone; taken as UTC",
    "columns ignored: <b>aux & more</b>",
    "2 measurements and 3 data blocks in the first",
)


@pytest.fixture
def fake_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every recording has the first remark, and each its own of the others."""
    count = iter(range(1000))

    def read(path: Path, **options: object) -> Recording:
        found = read_recording(path)
        own = [f"{SAID[1 + next(count) % 3]}", f"this stands in {path} only"]
        return replace(found, notes={**found.notes, "remarks": [SAID[0], *own]})

    monkeypatch.setattr(module, "read_recording", read)


def test_every_remark_of_a_reader_reaches_everybody(
    tmp_path: Path, fake_reader: None, caplog: pytest.LogCaptureFixture
) -> None:
    cohort = task_cohort(tmp_path, people=3, sessions=1)
    recipe = task_recipe(training={"epochs": 1}, evaluation={"permutations": 0})
    evaluate(cohort, recipe, tmp_path / "report", show=False)
    results = json.loads((tmp_path / "report/results.json").read_text())
    page = html.unescape((tmp_path / "report/report.html").read_text())
    shown = "\n".join(record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING)
    train(cohort, recipe, tmp_path / "bundle")
    card = "\n".join(json.loads((tmp_path / "bundle/card.json").read_text())["training"]["remarks"])
    for said in SAID:
        assert said in shown
        assert said in "\n".join(results["remarks"])
        assert said in page
        assert said in card
    assert f"3 recordings (p0s0.nirs, p1s0.nirs, p2s0.nirs): {SAID[0]}" in results["remarks"]  # once, grouped
    assert shown.count(SAID[0]) == 1
    for account in results["recordings"]:
        assert account["remarks"][0] == SAID[0]
        assert f"this stands in {account['recording']} only" in account["remarks"]
    assert str(tmp_path) not in json.dumps(results) + card + shown
    assert f"3 recordings: {SAID[0]}" in card
    assert "p0s0" not in card


def test_commands_show_them_on_the_error_stream(tmp_path: Path) -> None:
    cohort = task_cohort(tmp_path, people=2, sessions=1)
    path = tmp_path / "p0s0.nirs"
    content = loadmat(path)
    content["s"][np.flatnonzero(content["s"])[0]] = -1  # an onset that somebody rejected
    savemat(path.with_suffix(".mat"), {name: content[name] for name in ("d", "t", "s", "SD")})
    path.with_suffix(".mat").replace(path)
    train(cohort, task_recipe(training={"epochs": 1}), tmp_path / "bundle")
    command = [sys.executable, "-m", "tools.cli", "classify", str(path), "--model", str(tmp_path / "bundle")]
    command += ["--out", str(tmp_path / "out.jsonl")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[3], timeout=300)
    assert done.returncode == 0, done.stderr
    assert "recording p0s0.nirs: 1 onsets are marked as rejected" in done.stderr
    assert "p0s0.nirs: the model was trained on this recording" in done.stderr


@given(
    st.lists(st.tuples(st.sampled_from(["", "a.xdf", "b.xdf", "c", "d"]), st.text(min_size=1, max_size=9)))
)
def test_grouping_loses_no_remark_and_repeats_no_text(pairs: list[tuple[str, str]]) -> None:
    lines = lines_of([Remark(text, name) for name, text in pairs])
    for name, text in pairs:
        mine = [line for line in lines if line.endswith(text)]
        assert mine
        assert not name or any(name in line or "more" in line for line in mine)
    assert len(lines) <= len({text for _, text in pairs})


@given(st.text())
def test_what_a_file_says_moves_no_cursor(text: str) -> None:
    assert one_line(text).isprintable() or not text.isascii()
    assert not set(one_line(text)) & set("\x1b\n\r\t\x07\u202e\u200b\u2028")


def test_names_in_what_is_shown_move_no_cursor_either(caplog: pytest.LogCaptureFixture) -> None:
    show(lines_of([Remark("two are one", "a\x1b[31m.xdf", detail="'P\x9b1m' and b\n.xdf")]))
    (record,) = caplog.records
    assert record.getMessage() == ("recording a\\x1b[31m.xdf: two are one: 'P\\x9b1m' and b\\x0a.xdf")


def test_a_detail_stands_on_no_card() -> None:
    remark = Remark("two are near", detail="'P1' and 'P01'")
    assert lines_of([remark]) == ("two are near: 'P1' and 'P01'",)
    assert lines_of([remark], named=False) == ("two are near",)


def test_remarks_come_without_paths(tmp_path: Path) -> None:
    cohort = task_cohort(tmp_path, people=1, sessions=1)
    its = read_recording(cohort.parent / "p0s0.nirs")
    path = tmp_path / "p0s0.nirs"
    its = replace(its, notes={"remarks": [f"{path.resolve()} is odd", "line\nbreak"]})
    assert [each.text for each in remarks_of(its, "x", path)] == ["p0s0.nirs is odd", "line\\nbreak"]
