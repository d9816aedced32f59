"""What a person says to ``live``."""

import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
import torch

from models.bundle import write_bundle
from models.card import Card
from models.networks import make_network
from realtime.log import SessionStarted
from realtime.sinks.journal import JournalWriter, journal_runs
from tests.realtime.support import FAST, RATE, intensity_spec
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


NOBODY = "mqtt://127.0.0.1:9"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    shape: dict[str, int] = {"n_chans": 4, "n_times": 70, "n_outputs": 2}
    card = Card(
        network={"name": "cgrnn", "params": {}, **shape},
        input=intensity_spec().to_json(),
        pipeline=[dict(stage) for stage in FAST],
        rate=RATE,
        window={"length_s": 7.0, "step_s": 1.0},
        labels=["rest", "task"],
        policy={},
    )
    folder = tmp_path_factory.mktemp("bundle") / "b"
    write_bundle(folder, card, make_network("cgrnn", {}, **shape))
    return folder


def run_live(bundle: Path, folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """`live` where there is no stream."""
    session = ("--session", "bed-9", "--journal", str(folder / "bed-9.hemostream"), "--broker", NOBODY)
    nobody = ("--stream", f"nobody-{uuid.uuid4().hex}", "--wait", "0.2", "--device", "cpu")
    return subprocess.run(
        [sys.executable, "-m", "tools.cli", "live", "--model", str(bundle), *session, *nobody, *words],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        timeout=60,
        check=False,
    )


def test_where_no_stream_ever_came_no_journal_is_left(bundle: Path, tmp_path: Path) -> None:
    done = run_live(bundle, tmp_path)
    assert done.returncode != 0
    assert "No stream matches" in done.stderr
    assert "run" not in done.stdout.splitlines()[0]
    assert list(tmp_path.iterdir()) == []


def test_a_session_that_goes_on_says_so_and_keeps_its_journal(bundle: Path, tmp_path: Path) -> None:
    path = tmp_path / "bed-9.hemostream"
    with JournalWriter(path, on_trouble=print) as writer:
        writer.append(SessionStarted(0.0, "bed-9", 1, "0" * 64))
    done = run_live(bundle, tmp_path)
    assert "No stream matches" in done.stderr
    assert done.stdout.startswith("session bed-9 (its journal goes on: run 2)")
    assert [run.run for run in journal_runs(path)] == [1, 2]


def test_decisions_replace_no_other_file(bundle: Path, tmp_path: Path) -> None:
    out = tmp_path / "recording.snirf"
    out.write_bytes(b"\x89HDF")
    done = run_live(bundle, tmp_path, "--out", str(out))
    assert done.returncode != 0
    assert "does not hold decisions" in done.stderr
    assert out.read_bytes() == b"\x89HDF"
    assert list(tmp_path.iterdir()) == [out]
