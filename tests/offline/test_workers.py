"""Processes that share fits: they give what one process gives, and none outlives whoever started them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from models.errors import HemostreamError
from offline.workers import Workers


def _sleep_and_divide(seconds: float, number: int) -> float:
    time.sleep(seconds)
    return 1 / number


def _end() -> None:
    os._exit(3)


CALLS = [(number,) for number in range(7)]
STARTS_AND_WAITS = """
import os, sys, time
from offline.workers import Workers
if __name__ == "__main__":
    with Workers(2) as workers:
        for number, _ in workers.each(time.sleep, [(0.0,), (0.0,), (60.0,), (60.0,)]):
            if number == 1:
                print(*workers._pool._processes, flush=True)
"""


def test_results_are_those_of_one_process_whoever_makes_them() -> None:
    with Workers() as here, Workers(2) as apart:
        once = dict(here.each(abs, CALLS))
        assert once == {number: number for number in range(7)}
        assert dict(apart.each(abs, CALLS)) == dict(apart.each(abs, CALLS)) == once


def test_whoever_stops_does_not_wait_for_work_under_way() -> None:
    began = time.monotonic()
    calls = [(0.0, 0), *[(60.0, 1)] * 5]
    with pytest.raises(ZeroDivisionError), Workers(2) as apart:
        list(apart.each(_sleep_and_divide, calls))
    assert time.monotonic() - began < 50.0


def test_a_process_that_was_killed_is_told_and_the_next_work_is_done() -> None:
    with Workers(2) as apart:
        with pytest.raises(HemostreamError, match="fewer --workers"):
            list(apart.each(_end, [(), (), ()]))
        assert dict(apart.each(abs, CALLS)) == {number: number for number in range(7)}
        assert apart._pool is not None
        for process in list(apart._pool._processes.values()):  # between two pieces of work
            process.kill()
            process.join()
        with pytest.raises(HemostreamError, match="fewer --workers"):
            list(apart.each(abs, CALLS))
        assert dict(apart.each(abs, CALLS)) == {number: number for number in range(7)}


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not (state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z")


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_no_process_outlives_a_run_that_was_killed(tmp_path: Path) -> None:
    script = tmp_path / "waits.py"
    script.write_text(STARTS_AND_WAITS)
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        workers = [int(pid) for pid in run.stdout.readline().split()]
        run.send_signal(signal.SIGKILL)
    assert len(workers) == 2
    until = time.monotonic() + 20.0
    while any(map(_alive, workers)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(map(_alive, workers))
