"""Folds on a real Dask cluster: the bits of one process, and refusals in words."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.errors import HemostreamError
from offline.evaluation import dask_cluster as cluster
from offline.evaluation.evaluate import evaluate
from tests.offline.support import task_cohort, task_recipe

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A scheduler and two workers of its own, on this machine only; the scheduler's address."""
    folder = tmp_path_factory.mktemp("dask")
    words = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
    running = []
    said = folder / "scheduler.log"
    try:
        with said.open("w") as file:
            boss = [sys.executable, "-m", "distributed.cli.dask_scheduler", *words]
            running.append(subprocess.Popen(boss, cwd=folder, stderr=file))
        deadline = time.monotonic() + 60
        while (found := re.search(r"Scheduler at:\s+(tcp://\S+)", said.read_text())) is None:
            assert time.monotonic() < deadline, said.read_text()
            time.sleep(0.05)
        address = found[1]
        for i in range(2):
            worker = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", "1"]
            own = [*worker, "--no-nanny", "--no-dashboard", "--host", "127.0.0.1", "--name", f"w{i}"]
            running.append(subprocess.Popen(own, cwd=ROOT, stderr=subprocess.DEVNULL))
        import distributed

        with distributed.Client(address, timeout=60, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
        yield address
    finally:
        for process in reversed(running):
            process.terminate()
        for process in running:
            try:
                process.wait(20)
            except (
                subprocess.TimeoutExpired
            ):  # a worker that cannot reach its scheduler waits longer than we do
                process.kill()
                process.wait(20)


def test_a_cluster_gives_the_bits_of_one_process(tmp_path: Path, scheduler: str) -> None:
    cohort = task_cohort(tmp_path, sessions=1)
    evaluate(cohort, task_recipe(), tmp_path / "one", show=False)
    evaluate(cohort, task_recipe(), tmp_path / "dask", cluster=scheduler, show=False)
    for name in ("results.json", "predictions.csv", "samples.csv"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "dask" / name).read_bytes()


def test_workers_with_other_versions_are_refused(
    tmp_path: Path, scheduler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = cluster._facts()
    monkeypatch.setattr(cluster, "versions", lambda: ours[0] | {"torch": "1.0"})
    with pytest.raises(HemostreamError, match=r"has torch 2\S* \(here 1\.0\)"):
        evaluate(task_cohort(tmp_path, sessions=1), task_recipe(), tmp_path / "out", cluster=scheduler)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("tcp://10.0.0.7:8786", "plain TCP to another machine"),
        ("tcp://example.org:8786", "plain TCP to another machine"),
        ("127.0.0.1:8786", "expected tcp://127.0.0.1:PORT"),
        ("http://127.0.0.1:8786", "expected tcp://127.0.0.1:PORT"),
        ("tcp://127.0.0.1", "expected tcp://127.0.0.1:PORT"),
        ("tcp://127.0.0.1:port", "expected tcp://127.0.0.1:PORT"),
    ],
)
def test_addresses_that_are_none_or_not_safe_are_refused(tmp_path: Path, address: str, said: str) -> None:
    with pytest.raises(HemostreamError, match=said):
        evaluate(tmp_path / "none.tsv", task_recipe(), tmp_path / "out", cluster=address)
    assert not (tmp_path / "out").exists()


def test_no_one_at_the_address_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "WAIT_S", 1)
    with pytest.raises(HemostreamError, match=r"No Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        evaluate(
            task_cohort(tmp_path, sessions=1), task_recipe(), tmp_path / "out", cluster="tcp://127.0.0.1:9"
        )
