"""Processes that share fits: they give what one process gives, and none outlives whoever started them."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from models.errors import HemostreamError
from offline.base.process_pool import Workers, how_many

POSIX = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
DEADLINE_S = 60.0
LARGE = 4 * 2**20
"""Bytes that no pipe holds: whoever writes them waits for a reader."""


def _sleep_and_divide(seconds: float, number: int) -> float:
    time.sleep(seconds)
    return 1 / number


def _end() -> None:
    os._exit(3)


def _note_and_wait(folder: str, large: bytes = b"") -> None:
    (Path(folder) / str(os.getpid())).touch()
    time.sleep(600.0)


def _large() -> bytes:
    return bytes(LARGE)


def _length(what: bytes) -> int:
    return len(what)


class _OddError(Exception):
    """An error that cannot be made again from what it says."""

    def __init__(self, one: int, other: int) -> None:
        super().__init__(f"{one} and {other}")


def _raise_odd() -> None:
    raise _OddError(1, 2)


def _raise_torn_file() -> None:
    raise EOFError("a torn file")


def _not_to_be_sent() -> object:
    return threading.Lock()


CALLS = [(number,) for number in range(7)]
STARTS_AND_WAITS = """
import os, sys, time
from offline.base.process_pool import Workers, how_many
from tests.offline.base.test_workers import _note_and_wait
if __name__ == "__main__":
    folder, when = sys.argv[1:]
    with Workers(2) as workers:
        if when == "between":
            list(workers.each(abs, [(1,), (2,)]))
            print(*(process.pid for process in workers.processes), flush=True)
            time.sleep(600.0)
        print("starting", flush=True)
        list(workers.each(_note_and_wait, [(folder,)] * 4))
"""


def test_results_are_those_of_one_process_whoever_makes_them() -> None:
    with Workers() as here, Workers(2) as apart:
        once = dict(here.each(abs, CALLS))
        assert once == {number: number for number in range(7)}
        assert dict(apart.each(abs, CALLS)) == dict(apart.each(abs, CALLS)) == once


def test_large_calls_and_results_pass() -> None:
    with Workers(2) as apart:
        assert [len(each) for _, each in apart.each(_large, [(), ()])] == [LARGE] * 2
        assert dict(apart.each(_length, [(bytes(LARGE),)] * 3)) == dict.fromkeys(range(3), LARGE)


def test_whoever_stops_does_not_wait_for_work_under_way() -> None:
    calls = [(0.0, 0), *[(600.0, 1)] * 5]
    with pytest.raises(ZeroDivisionError), Workers(2) as apart:
        list(apart.each(_sleep_and_divide, calls))


def test_work_that_is_given_up_does_not_answer_for_the_next() -> None:
    with Workers(2) as apart:
        for _ in apart.each(_sleep_and_divide, [(0.0, 1), (0.0, 2), (600.0, 4), (600.0, 5)]):
            break
        assert dict(apart.each(abs, CALLS)) == {number: number for number in range(7)}


@pytest.mark.parametrize(
    ("work", "error", "words"),
    [
        (_raise_odd, RuntimeError, "1 and 2"),
        (_raise_torn_file, EOFError, "a torn file"),
        (_not_to_be_sent, TypeError, "lock"),
    ],
)
def test_an_error_comes_back_whatever_it_is(
    work: Callable[[], None], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words), Workers(2) as apart:
        list(apart.each(work, [()]))


def _when(happened: Callable[[], list[int]], do: Callable[[int], None]) -> threading.Thread:
    """Do something to a process as soon as there is one."""

    def watch() -> None:
        until = time.monotonic() + DEADLINE_S
        while time.monotonic() < until:
            if pids := happened():
                do(pids[-1])
                return
            time.sleep(0.001)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    return thread


def _kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


@POSIX
@pytest.mark.parametrize("when", ["at start", "in a call"])
def test_a_process_that_is_killed_at_any_moment_is_reported_and_the_next_work_is_done(
    when: str, tmp_path: Path
) -> None:
    """Really killed; what it is given is more than a pipe holds."""
    apart = Workers(2)

    def started() -> list[int]:
        if when == "at start":
            return [process.pid for process in apart.processes if process.pid is not None]
        return [int(each.name) for each in tmp_path.iterdir()]

    with apart:
        watch = _when(started, _kill)
        with pytest.raises(HemostreamError, match=r"signal 9.*fewer --workers"):
            list(apart.each(_note_and_wait, [(str(tmp_path), bytes(LARGE))] * 4))
        watch.join()
        assert not apart.processes
        assert dict(apart.each(abs, CALLS)) == {number: number for number in range(7)}


@POSIX
def test_a_process_that_was_killed_between_calls_is_reported_and_the_next_work_is_done() -> None:
    with Workers(2) as apart:
        with pytest.raises(HemostreamError, match=r"exit code 3"):
            list(apart.each(_end, [(), (), ()]))
        for which in (slice(None), slice(0, 1), slice(1, 2)):
            assert dict(apart.each(abs, CALLS)) == {number: number for number in range(7)}
            for process in apart.processes[which]:
                process.kill()
                process.join()
            with pytest.raises(HemostreamError, match="fewer --workers"):
                list(apart.each(abs, CALLS))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not (state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z")


def _children(pid: int) -> list[int]:
    """Processes that run our work for another, by what the system knows of them."""
    found = []
    for each in Path("/proc").iterdir():
        try:
            parent = int((each / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == pid and b"spawn_main" in (each / "cmdline").read_bytes():
                found.append(int(each.name))
        except (OSError, ValueError, IndexError):
            continue
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("when", ["start", "call", "between"])
def test_a_run_that_is_stopped_ends_at_once_and_no_process_outlives_it(
    tmp_path: Path, when: str, number: signal.Signals
) -> None:
    script = tmp_path / "waits.py"
    script.write_text(STARTS_AND_WAITS)
    work = tmp_path / "work"
    work.mkdir()
    words = [sys.executable, str(script), str(work), when]
    path = str(Path(__file__).parents[3])
    with subprocess.Popen(
        words,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": path},
        start_new_session=True,
    ) as run:
        assert run.stdout is not None
        run.stdout.readline()  # started; if between calls, done with them
        until = time.monotonic() + DEADLINE_S
        wanted = {"start": 1, "call": 2, "between": 2}[when]
        while time.monotonic() < until:
            children = _children(run.pid)
            ready = when in ("start", "between") or len(list(work.iterdir())) == wanted
            if len(children) >= wanted and ready:
                break
            time.sleep(0.001)
        # Ctrl-C goes to the whole group of processes.
        (os.killpg if number == signal.SIGINT else os.kill)(run.pid, number)
        run.wait(DEADLINE_S)
    until = time.monotonic() + DEADLINE_S
    while any(map(_alive, children)) and time.monotonic() < until:
        time.sleep(0.01)
    assert len(children) >= wanted
    assert not any(map(_alive, children))


def test_how_many_are_meant() -> None:
    assert how_many(3) == 3
    assert how_many(0) == os.cpu_count()
    with pytest.raises(HemostreamError, match=r"--workers is -3; expected 0 \(one a core\) or more"):
        how_many(-3)
