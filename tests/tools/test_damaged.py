"""Every command refuses a recording of which much is lost, or takes it where that is allowed, and says so."""

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import offline.recordings as recordings
from models.errors import HemostreamError, RecordingError
from offline.recordings.damage import LOST_SHARE
from realtime.sources.recording import Recording
from tests.offline.support import series_cohort
from tools.commands.classify import classify
from tools.commands.evaluate import evaluate
from tools.commands.replay import replay
from tools.commands.study import run
from tools.commands.train import train

RECIPE = """
rate = 0.5
window = {length_s = 40.0, step_s = 8.0}
pipeline = [
    {stage = "resample", measure_s = 20.0},
    {stage = "normalise", memory_s = 120.0, warmup_s = 20.0},
]
labels = {source = "column", target = "person", column = "group"}
model = {kind = "lstm"}
training = {epochs = 1}
evaluation = {permutations = 0}

[input]
kind = "bold"
repetition_time = 2.0
"""
REMARK = "half of the file is not there"
REFUSED = f"50% of what it should hold.*{REMARK}.*--allow-damaged"


@pytest.fixture
def cohort(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Recordings of which half is lost, and a recipe beside them."""
    whole: Callable[..., Recording] = recordings.read_here

    def read(path: Path, **options: str | None) -> Recording:
        found = whole(path, **options)
        return replace(found, notes={**found.notes, "remarks": [REMARK], LOST_SHARE: 0.5})

    monkeypatch.setattr(recordings, "read_here", read)
    (tmp_path / "r.toml").write_text(RECIPE)
    for p in range(4):
        (tmp_path / f"p{p}.json").write_text('{"RepetitionTime": 2.0}')
    return series_cohort(tmp_path, ["a", "b", "a", "b"])


def test_all_that_read_recordings_refuse_it(cohort: Path, tmp_path: Path) -> None:
    recipe, out = str(tmp_path / "r.toml"), tmp_path / "out"
    for work in (
        lambda: train(cohort, recipe=recipe, out=out),
        lambda: evaluate(cohort, recipe=recipe, out=out),
        lambda: evaluate(cohort, recipe=recipe, plan=True),
        lambda: replay(tmp_path / "p1.1D"),
        lambda: run(["xu2020"], data=cohort, out=out),
    ):
        with pytest.raises(RecordingError, match=REFUSED):
            work()


def test_all_that_read_recordings_take_it_when_asked(
    cohort: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recipe, bundle, report = str(tmp_path / "r.toml"), tmp_path / "bundle", tmp_path / "report"
    train(cohort, recipe=recipe, out=bundle, allow_damaged=True)
    card = json.loads((bundle / "card.json").read_text())
    assert f"4 recordings: {REMARK}" in card["training"]["remarks"]
    evaluate(cohort, recipe=recipe, plan=True, allow_damaged=True)
    evaluate(cohort, recipe=recipe, out=report, workers=1, allow_damaged=True)
    results = json.loads((report / "results.json").read_text())
    assert any(REMARK in remark for remark in results["remarks"])
    with pytest.raises(RecordingError, match=REFUSED):
        classify(tmp_path / "p1.1D", model=bundle, out=tmp_path / "o.jsonl")
    caplog.clear()
    classify(tmp_path / "p1.1D", model=bundle, out=tmp_path / "o.jsonl", allow_damaged=True)
    shown = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert f"recording p1.1D: {REMARK}" in shown
    train(cohort, recipe=recipe, out=tmp_path / "b2", from_=bundle, allow_damaged=True)
    with pytest.raises(HemostreamError) as caught:  # of a recipe that wants light
        run(["xu2020"], data=cohort, out=tmp_path / "s", allow_damaged=True)
    assert "damaged" not in str(caught.value)
