"""``hemostream summary``: a journal's figures, counted right, on a page that says what is not known."""

import re
from html import unescape
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from models.errors import BundleError, JournalError
from offline.report.session import _denoised, session_page
from offline.report.session_data import SessionData, furthest, read_session
from realtime.channels.lsl_description import describe
from realtime.core import Core, Plan
from realtime.log import (
    ClockMeasured,
    EventReceived,
    Origin,
    Produced,
    Received,
    SessionStarted,
    SourceTrouble,
    StreamLost,
    StreamOpened,
    StreamReset,
)
from realtime.quality.policy import Policy
from realtime.signal import Kind, SignalSpec, motion_channels
from realtime.sinks.journal.journal import JournalWriter
from tests.realtime.support import bold_spec
from tools.commands.summary import summary

TR = 2.0
PINNED = Path(__file__).parents[1] / "pinned" / "live"
STREAM = SignalSpec((*bold_spec(3).channels, *motion_channels()), 1 / TR)
PIPELINE = [
    {"stage": "resample", "rate": 0.5, "measure_s": 8.0},
    {"stage": "despike", "window_s": 60.0, "warmup_s": 10.0},
    {"stage": "regress", "confounds": ["head_translation", "head_rotation", "framewise_displacement"]},
]
LOST, MOVED, N = (40, 41), 60, 90
"""Volumes that never came, one at which the head had moved, and how many there would have been."""


def write_run(path: Path) -> None:
    """A run of regions and motion: two volumes missing, one moved, one cell not measured."""
    plan = Plan(
        STREAM, PIPELINE, length_s=8.0, step_s=2.0, labels=("rest", "task"), model_hash="ab" * 32,
        policy=Policy(max_gap_s=5.0),
    )  # fmt: skip
    rng = np.random.default_rng(0)
    declared = describe(STREAM, Origin())
    scanner = declared.find("hemostream").makeelement("scanner", {})  # type: ignore[union-attr]
    for name, text in (("atlas", "toy atlas"), ("motion", "rigid, to the first volume")):
        child = scanner.makeelement(name, {})
        child.text = text
        scanner.append(child)
    declared.find("hemostream").append(scanner)  # type: ignore[union-attr]
    xml = f"<info><name>scanner</name>{ET.tostring(declared, encoding='unicode')}</info>"
    core = Core(plan)
    with JournalWriter(path, on_trouble=lambda message: pytest.fail(message)) as journal:
        for entry in (
            SessionStarted(0.0, "bed-3", 1, plan.model_hash),
            StreamOpened(0.0, STREAM, Origin(), "scanner", "s-1", declared=xml, measured=True),
            ClockMeasured(0.0, 0.0, 1.7e9),
            ClockMeasured(1.0, 0.002, 1.7e9),
            EventReceived(50.0, 50.0, "cue"),
            SourceTrouble(60.0, "markers", "no stream", 3),
        ):
            journal.append(entry)
            core.feed(entry)
        for i in range(N):
            if i in LOST:
                continue
            sample = np.concatenate([1000 + rng.normal(size=3), [1e-3, 0, -2e-3, 0.01, 0, 0, 1e-4]])
            sample[9] = 7e-4 if i == MOVED else 1e-4
            sample[1] = np.nan if i == 70 else sample[1]
            stamp = 100 + TR * i
            received = Received(stamp, np.array([stamp]), sample[:, None])
            journal.append(received)
            for window in core.feed(received):
                produced = Produced(stamp + 0.01, window.sequence, 1)
                journal.append(produced)
                logits = None if window.data is None else np.array([0.0, 2.0], dtype=np.float32)
                journal.decide(core.decide(window, logits, produced), lambda _: None)
        for entry in (StreamReset(999.0, "gap"), StreamLost(1000.0, "the outlet closed")):
            journal.append(entry)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("summary") / "bed.hemostream"
    write_run(path)
    return path


def text_of(html: str) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<(style|svg).*?</\1>|<[^>]+>", " ", html, flags=re.S)))


def test_a_run_is_counted_right(run: Path) -> None:
    data = read_session(run)
    assert (data.started.session, len(data.stamps), data.period) == ("bed-3", N - 2, TR)
    assert data.gaps == [(3 * TR, 2)]
    assert (data.missing_cells, data.cells) == (1, 3 * (N - 2))
    assert data.offsets == [0.0, 0.002]
    assert (data.events, data.resets) == ({"cue": 1}, {"gap": 1})
    assert (data.lost, data.troubles) == ({"the outlet closed": 1}, {"markers: no stream": 3})
    assert furthest(data.motion[Kind.TRANSLATION]) == pytest.approx(2e-3)
    assert furthest(data.motion[Kind.ROTATION]) == pytest.approx(0.01)
    assert np.count_nonzero(data.motion[Kind.DISPLACEMENT] > 5e-4) == 1
    assert data.scanner == {"atlas": "toy atlas", "motion": "rigid, to the first volume"}
    assert (
        data.windows == len(data.decisions) == data.labels.total() + sum(d.abstained for d in data.decisions)
    )
    assert data.reasons["moved"] == 4  # windows of four volumes, one a volume
    assert data.labels["task"] > 0


def test_the_page_fills_in_what_was_corrected_and_how(run: Path) -> None:
    text = text_of(session_page(read_session(run), None).html())
    for expected in (
        "Session bed-3, run 1",
        "3 bold, 3 head translation, 3 head rotation, 1 framewise displacement",
        "1, the longest 6.0 s; about 2 samples missing",
        "repetition time 2 s declared, 2 s measured",
        f"volumes received {N - 2} volumes missing 2 regions 3 atlas toy atlas",
        "motion correction rigid, to the first volume",
        "largest translation 2 mm largest rotation 0.573 degrees",
        "largest 0.7 mm volumes above 0.5 mm 1 of 88 windows that abstained as moved 4",
        "stages, window, delay not stated: give the bundle with --model",
        "Connection lost: the outlet closed (1)",
        "Research use only",
    ):
        assert expected in text, expected


def test_a_bundle_adds_its_stages(tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    summary(PINNED / "bed.hemostream", out=out, model=PINNED / "bundle")
    text = text_of(out.read_text())
    assert "window 4 s, every 1 s" in text
    assert "optical_density baseline_s = 5 0 5 resample measure_s = 2, rate = 5 0 0" in text
    assert "COBIDAS" not in text


def test_stages_that_denoise_are_named_and_those_that_are_not_there_too(run: Path) -> None:
    assert dict(_denoised({"resample", "despike", "regress"})) == {
        "drift removed": "regress",
        "motion regressed out": "regress",
        "spikes": "despike",
        "filtered in time": "no",
        "scaled": "no",
    }


def test_another_bundle_or_no_such_run_is_refused(run: Path, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="predicted by model abababababab, this bundle is"):
        summary(run, out=tmp_path / "x.html", model=PINNED / "bundle")
    with pytest.raises(JournalError, match="has no run 7"):
        read_session(run, 7)
    assert not list(tmp_path.iterdir())


def test_a_session_in_which_nothing_came_has_a_page() -> None:
    empty = SessionData(SessionStarted(0.0, "bed-4", 1, ""))
    text = text_of(session_page(empty, None).html())
    assert "No window was decided." in text
    assert "samples 0" in text
    assert "Nothing was lost, reset or refused." in text
