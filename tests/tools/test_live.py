"""What a person says to ``live``."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import aiomqtt
import pytest
import torch

from models.bundle import write_bundle
from models.cards.window_card import WindowCard
from models.networks.registry import make_model
from realtime.log import SessionStarted
from realtime.sinks.journal.journal import JournalWriter, journal_runs
from realtime.status import State, Status
from tests.realtime.support import FAST, RATE, intensity_spec
from tools.commands.live import predicate


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("Aurora", "name='Aurora'"),
        ("Photon Cap C20", "name='Photon Cap C20'"),
        ("name='Aurora'", "name='Aurora'"),
        ("starts-with(name,'Pho')", "starts-with(name,'Pho')"),
    ],
)
def test_a_plain_word_is_the_name_of_a_stream(given: str, meant: str) -> None:
    assert predicate(given) == meant


NO_BROKER = "mqtt://127.0.0.1:9"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    shape: dict[str, int] = {"n_chans": 4, "n_times": 70, "n_outputs": 2}
    card = WindowCard(
        model={"kind": "cgrnn", "params": {}, **shape},
        input=intensity_spec().to_json(),
        pipeline=[dict(stage) for stage in FAST],
        rate=RATE,
        window={"length_s": 7.0, "step_s": 1.0},
        labels=["rest", "task"],
        policy={"min_confidence": 0.0},
    )
    folder = tmp_path_factory.mktemp("bundle") / "b"
    write_bundle(folder, card, make_model("cgrnn", {}, **shape))
    return folder


def run_live(bundle: Path, folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """`live` where there is no stream."""
    session = ("--session", "bed-9", "--journal", str(folder / "bed-9.hemostream"), "--broker", NO_BROKER)
    absent = ("--stream", f"nobody-{uuid.uuid4().hex}", "--wait", "0.2", "--device", "cpu")
    return subprocess.run(
        [sys.executable, "-m", "tools.cli", "live", "--model", str(bundle), *session, *absent, *words],
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


@pytest.fixture
def outlet() -> Iterator[str]:
    """The name of a stream that the bundle can be used on."""
    name = f"device-{uuid.uuid4().hex[:8]}"
    words = {
        "name": name,
        "source_id": name,
        "rate": RATE,
        "channels": [0, 1, 2, 3],
        "burst": 0,
        "wait": False,
    }
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.realtime.sources.outlet_child", json.dumps(words)],
        stdout=subprocess.DEVNULL,
        cwd=Path(__file__).parents[2],
    )
    yield name
    child.kill()
    child.wait()


@pytest.mark.skipif(os.name != "posix", reason="there is no hang-up, and permissions are kept elsewhere")
@pytest.mark.parametrize("terminal", ["there", "gone"])
def test_a_terminal_that_is_closed_ends_a_session_with_a_goodbye_and_leaves_private_files(
    bundle: Path, tmp_path: Path, outlet: str, terminal: str
) -> None:
    """With a broker of its own: what it prints is enough to subscribe, for this account."""
    journal, out = tmp_path / "bed-9.hemostream", tmp_path / "decisions.jsonl"
    words = ["--model", str(bundle), "--session", "bed-9", "--journal", str(journal), "--out", str(out)]
    live = subprocess.Popen(
        [sys.executable, "-m", "tools.cli", "live", *words, "--stream", outlet, "--device", "cpu"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        umask=0,
    )
    assert live.stdout is not None
    assert live.stderr is not None
    lines = [live.stdout.readline() for _ in range(3)]
    assert "XDG_CONFIG_HOME=" in lines[1]
    assert "hemostream/bed-9/#" in lines[1]
    address = re.search(r"mqtt://127.0.0.1:(\d+) \(MQTT 3.1.1\)", lines[0])
    password = re.search(r"user hemostream, password in (\S+);", lines[2])
    assert address is not None
    assert password is not None

    async def hear_goodbye() -> Status:
        known = {"username": "hemostream", "password": Path(password[1]).read_text().strip()}
        async with aiomqtt.Client("127.0.0.1", int(address[1]), **known) as ear, asyncio.timeout(60):
            await ear.subscribe("hemostream/bed-9/status", qos=1)
            hung_up = False
            async for message in ear.messages:
                assert isinstance(message.payload, bytes)
                status = Status.from_json(message.payload)
                if status.stream and not hung_up:
                    hung_up = True
                    if terminal == "gone":
                        live.stdout.close()
                        live.stderr.close()
                    live.send_signal(signal.SIGHUP)
                if status.state is State.OFFLINE:
                    return status
        raise AssertionError("no goodbye")

    assert asyncio.run(hear_goodbye()).reason == "session ended"
    if terminal == "there":
        assert "windows decided" in live.communicate(timeout=30)[0]
        assert live.returncode == 0
    else:
        live.wait(30)
    assert not Path(password[1]).parent.exists()
    assert {found.name: found.stat().st_mode & 0o777 for found in tmp_path.iterdir()} == {
        "bed-9.hemostream": 0o600,
        "decisions.jsonl": 0o600,
    }
    assert [run.run for run in journal_runs(journal)] == [1]


@pytest.mark.skipif(os.name != "posix", reason="there is no such signal")
def test_one_who_is_ended_before_it_began_leaves_no_password_behind(bundle: Path, tmp_path: Path) -> None:
    words = ["--model", str(bundle), "--session", "bed-9", "--journal", str(tmp_path / "bed-9.hemostream")]
    live = subprocess.Popen(
        [sys.executable, "-m", "tools.cli", "live", *words, "--device", "cpu"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        env={name: value for name, value in os.environ.items() if name != "COLUMNS"},  # whole lines
    )
    assert live.stdout is not None
    lines = [live.stdout.readline() for _ in range(3)]
    password = re.search(r"password in (\S+);", lines[2])
    assert password is not None, lines
    live.send_signal(signal.SIGTERM)  # it still loads its model
    live.communicate(timeout=60)
    assert live.returncode in (0, 128 + signal.SIGTERM)
    assert not Path(password[1]).parent.exists()
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def fast(request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of a stream that sends 20 kHz and declares what is asked for."""
    name = f"fast-{uuid.uuid4().hex}"
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.realtime.sources.fast_child", name, str(request.param)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "open\n"
    yield name
    child.kill()
    child.communicate()


def start_live(bundle: Path, folder: Path, stream: str, before: str = "") -> "subprocess.Popen[str]":
    """`live` on a stream; ``before`` is run first."""
    code = f"import sys, tools.cli, realtime.sources.lsl.flow as flow\n{before}\ntools.cli.main(sys.argv[1:])"
    return subprocess.Popen(
        [
            *(sys.executable, "-c", code, "live", "--model", str(bundle), "--session", "bed-9"),
            *("--journal", str(folder / "bed-9.hemostream"), "--broker", NO_BROKER, "--stream", stream),
            *("--device", "cpu", "--quiet"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def wait_for(holds: Callable[[], bool], why: str, deadline_s: float = 60.0) -> None:
    deadline = time.monotonic() + deadline_s
    while not holds():
        assert time.monotonic() < deadline, f"waited in vain for {why}"
        time.sleep(0.05)


@pytest.mark.parametrize("fast", [10.0, 0.0], indirect=True)
def test_a_stream_of_20_khz_is_refused_by_what_it_sends(bundle: Path, tmp_path: Path, fast: str) -> None:
    child = start_live(bundle, tmp_path, fast)
    try:
        _, errors = child.communicate(timeout=120)
    finally:
        child.kill()
    assert child.returncode == 2
    assert f"{fast!r} (type NIRS) sends about" in errors
    assert "a haemodynamic stream never has more than 500" in errors


@pytest.mark.parametrize("fast", [10.0], indirect=True)
def test_a_session_that_is_flooded_obeys_signals(bundle: Path, tmp_path: Path, fast: str) -> None:
    """Without the bound, so that the flood goes on."""
    child = start_live(bundle, tmp_path, fast, before="flow.HELD_S = 1e12")
    path = tmp_path / "bed-9.hemostream"
    try:
        wait_for(lambda: path.exists() and path.stat().st_size > 200_000, "samples in the journal")
        child.send_signal(signal.SIGTERM)
        output, _ = child.communicate(timeout=60)
    finally:
        child.kill()
    assert child.returncode == 0
    assert "windows decided" in output
