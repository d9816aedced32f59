"""Reading in a separate process: what a library dies of is an error that names the file."""

import io
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from models.errors import JournalError, RecordingError
from offline.recordings import isolated, read_here, read_recording, wire
from offline.recordings.snirf_writer import write_snirf
from realtime.signal import Channel, Kind, SignalSpec
from realtime.sources.recording import Event, Recording

HOUSE = Path(__file__).resolve().parents[3]
posix = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a pipe with a name keeps a reader waiting")
linux = pytest.mark.skipif(sys.platform != "linux", reason="where a process stands is shown by Linux")


def recording(n=5):
    channel = Channel(
        name="a", kind=Kind.HBO, unit="mol/L", source=1, detector=1, position=(0.1, np.nan, 0.0)
    )
    missing = np.zeros((1, n), dtype=bool)
    missing[0, : n // 2] = True
    data = np.where(missing, np.nan, np.arange(float(n)))
    events = (Event(0.5, "tap", 2.0), Event(1.0, "rést"))
    return Recording(
        "x", SignalSpec((channel,), 10.0), data, np.arange(n) / 10, missing, events, 1e9, {"a": [1]}
    )


def same(a, b):
    assert repr(a.spec) == repr(b.spec)  # by text: NaN is not NaN
    assert (a.name, a.events, a.start_utc, a.notes) == (b.name, b.events, b.start_utc, b.notes)
    for field in ("data", "times", "missing"):
        one, other = getattr(a, field), getattr(b, field)
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype
        assert other.flags.writeable


@pytest.mark.parametrize("n", [0, 1, 5, 100_000])
def test_a_recording_comes_through_a_pipe_as_it_was(n):
    out = io.BytesIO()
    wire.send(recording(n), out)
    same(recording(n), wire.receive(io.BytesIO(out.getvalue())))
    for cut in {0, 1, len(out.getvalue()) // 2, len(out.getvalue()) - 1} if n else {0, 1}:
        with pytest.raises(EOFError):
            wire.receive(io.BytesIO(out.getvalue()[:cut]))


@pytest.fixture
def file(tmp_path):
    whole = recording()
    return write_snirf(whole, tmp_path / "x.snirf")


def test_apart_is_as_here(file, monkeypatch):
    same(read_here(file), read_recording(file))
    monkeypatch.chdir(file.parent)
    same(read_here(file), read_recording("x.snirf"))
    with pytest.raises(RecordingError, match="--length-unit is 'ft'") as raised:
        read_recording(file, length_unit="ft")
    assert type(raised.value) is RecordingError


def died(process):
    deadline = time.monotonic() + 20
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert process.poll() is not None


@linux
def test_a_reader_that_is_killed_names_the_file_and_the_next_file_is_read(file, tmp_path, monkeypatch):
    read_recording(file)
    running = isolated._reader._process
    # No one writes into the pipe, so whoever opens it to read it waits.
    waiting = tmp_path / "waiting.snirf"
    os.mkfifo(waiting)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    def kill():
        # It goes where the question comes from before it reads what is asked for.
        deadline = time.monotonic() + 20
        where = Path(f"/proc/{running.pid}/cwd")
        while where.readlink().name != "here" and time.monotonic() < deadline:
            time.sleep(0.01)
        running.send_signal(signal.SIGSEGV)

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(RecordingError, match=r"waiting\.snirf is damaged: the library .* \(exit code -11\)"):
        isolated.read_isolated(waiting)  # as of a disk that does not answer
    killer.join()
    same(read_here(file), read_recording(file))
    assert isolated._reader._process is not running


@posix
def test_a_file_that_is_never_read_is_given_up(file, tmp_path, monkeypatch):
    waiting = tmp_path / "waiting.snirf"
    os.mkfifo(waiting)
    with monkeypatch.context() as impatient:  # only here: a process may take longer to start
        impatient.setattr(isolated, "PATIENCE_S", 1.0)
        with pytest.raises(RecordingError, match=r"waiting\.snirf could not be read within 1 s"):
            isolated.read_isolated(waiting)  # as of a disk that does not answer
    same(read_here(file), read_recording(file))


def test_a_reader_that_had_been_idle_for_too_long_is_replaced(file):
    read_recording(file)
    before = isolated._reader._process
    before.stdin.close()
    died(before)
    assert before.returncode == 0
    same(read_here(file), read_recording(file))
    assert isolated._reader._process is not before


def test_a_fault_of_ours_is_no_damage(file, monkeypatch):
    isolated._reader.end()
    monkeypatch.setattr(isolated, "_BEGIN", "raise SystemExit('a fault of ours')")
    with pytest.raises(RuntimeError, match=r"ended with 1 on .*x\.snirf:\na fault of ours"):
        read_recording(file)
    monkeypatch.undo()
    same(read_here(file), read_recording(file))


def test_errors_keep_their_kind():
    assert isinstance(isolated._error("JournalError", "x"), JournalError)
    for name in ("NoSuchError", "near_match", "Iterable", "LONGEST"):
        assert type(isolated._error(name, "x")) is RecordingError


def test_nothing_is_left_when_the_process_ends(file):
    code = (
        "import sys; from offline.recordings import isolated, read_recording\n"
        "read_recording(sys.argv[1]); print(isolated._reader._process.pid)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, str(file)],
        cwd=HOUSE,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    if os.name == "posix":
        with pytest.raises(ProcessLookupError):
            os.kill(int(done.stdout), 0)
