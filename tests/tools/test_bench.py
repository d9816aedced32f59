"""The bench measures what it says it does; how fast anything is, no test asserts."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tools.bench.conditions import CONDITIONS, Arrived
from tools.bench.latency import STEP, check, sample_of
from tools.bench.processes import HOUSE, BenchError
from tools.bench.stream import LENGTH, RATE, bench_spec, warmup_s
from tools.bench.table import markdown, rows_of

RUNS = {
    "latency": ("--windows", "6", "--no-control"),
    "cpu": ("--seconds", "3"),
    "first": (),
    "throughput": ("--minutes", "0.5"),
}
Results = dict[str, tuple[dict[str, Any], str]]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Run each bench as a person does, all at once: no figure of these means anything.

    Each is in an LSL session of its own, so they do not meet.
    """
    folder = tmp_path_factory.mktemp("bench")
    environ = {**os.environ, "OMP_NUM_THREADS": "1"}
    environ.pop("LSLAPICFG", None)
    started = {
        name: subprocess.Popen(
            [sys.executable, "-m", "tools.bench", name, *words, "--quick", "--out", f"{folder}/{name}.json"],
            cwd=HOUSE,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name, words in RUNS.items()
    }
    results: Results = {}
    try:
        for name, process in started.items():
            shown, errors = process.communicate(timeout=240)
            assert process.returncode == 0, errors
            results[name] = json.loads((folder / f"{name}.json").read_text()), shown
    finally:
        for process in started.values():
            if process.poll() is None:
                process.terminate()
                process.communicate()
    return results


def test_every_run_says_on_what_it_was_measured(runs: Results) -> None:
    for results, shown in runs.values():
        assert results["machine"]["cores"] == os.cpu_count()
        assert results["broker"] in shown


def test_latency_of_every_condition_over_as_many_windows(runs: Results) -> None:
    results, shown = runs["latency"]
    measured = results["latency"]
    assert set(measured["conditions_ms"]) == set(CONDITIONS)
    assert all(len(values) == 6 and min(values) > 0 for values in measured["raw_ms"].values())
    for condition, parts in measured["parts_ms_p50"].items():
        assert all(value > 0 for value in parts.values()), (condition, parts)
        # The parts make up the whole, as far as medians add up.
        assert sum(parts.values()) < 2 * measured["conditions_ms"][condition]["max"]
    assert "against the plain loop" in shown


def test_cpu_time_is_that_of_conditions_which_predict(runs: Results) -> None:
    measured = runs["cpu"][0]["cpu"]
    assert all(value > 0 for value in measured["cpu_s_per_minute"].values())
    assert all(measured["predicted"].values())


def test_no_condition_decides_before_the_first_window_can_be_whole(runs: Results) -> None:
    results, shown = runs["first"]
    first = results["first"]
    assert first["warmup_s"] == warmup_s()
    assert all(excess > -1 / RATE for excess in first["excess_s"].values())
    assert "first decision" in shown


def test_throughput_counts_every_window(runs: Results) -> None:
    results, shown = runs["throughput"]
    measured = results["throughput"]
    assert measured["windows"] == 30 - 7 + 1
    assert measured["rows"] == len(bench_spec())
    assert all(value > 0 for value in measured["times_real_time"].values())
    assert "real time" in shown


def arrived(stamp: float, predicted: bool = True) -> Arrived:
    return Arrived("plain", stamp + 0.01, stamp, predicted, stamp + 0.001, stamp + 0.005)


def test_a_window_is_matched_to_the_sample_that_completed_it() -> None:
    assert sample_of(arrived(1000.0 + 72 / RATE + 3e-4), 1000.0) == 72
    with pytest.raises(BenchError, match="no sample's stamp"):
        sample_of(arrived(1000.0 + 72.4 / RATE), 1000.0)


def test_a_run_with_a_lost_abstaining_or_foreign_window_is_refused() -> None:
    turn = (LENGTH - 1 + CONDITIONS.index("plain")) % STEP
    indices = [turn + STEP * k for k in range(40, 50)]
    whole = [arrived(i / RATE) for i in indices]
    check("plain", indices, whole, 10)
    for broken in (indices[:4] + indices[5:], [i + 1 for i in indices]):
        with pytest.raises(BenchError, match="expected all"):
            check("plain", broken, whole[: len(broken)], len(broken))
    with pytest.raises(BenchError, match="9 of them predicted"):
        check("plain", indices, [arrived(0.0, predicted=False), *whole[1:]], 10)


def test_the_table_says_what_was_missed() -> None:
    conditions = {"hemostream": {"p50": 5.0, "p99": 6.0}, "plain": {"p50": 4.0, "p99": 5.0}}
    conditions["ideal"] = {"p50": 3.0, "p99": 4.0}
    ratios = {"plain": {"p50": 1.25, "p99": 1.2}, "ideal": {"p50": 1.67, "p99": 1.5}}
    table = markdown(rows_of({"latency": {"conditions_ms": conditions, "ratios": ratios}}))
    assert "at most 1.2: MISSED" in table
    assert "at most 1.5: reached" in table
    assert len({line.count("|") for line in table.splitlines()}) == 1
