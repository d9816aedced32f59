"""The bench measures what it says it does; how fast anything is, no test asserts."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tools.bench.arms import ARMS, Arrived
from tools.bench.latency import STEP, check, sample_of
from tools.bench.processes import HOUSE, BenchError
from tools.bench.stream import LENGTH, RATE, bench_spec, warmup_s
from tools.bench.table import markdown, rows_of


def bench(out: Path, *words: str) -> tuple[dict[str, Any], str]:
    """Run the bench as a person does, in its own LSL session."""
    environ = {**os.environ, "OMP_NUM_THREADS": "1"}
    environ.pop("LSLAPICFG", None)
    done = subprocess.run(
        [sys.executable, "-m", "tools.bench", *words, "--quick", "--out", str(out)],
        cwd=HOUSE,
        env=environ,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    results: dict[str, Any] = json.loads(out.read_text())
    assert results["machine"]["cores"] == os.cpu_count()
    assert results["broker"]
    return results, done.stdout


def test_latency_of_every_arm_over_the_same_windows(tmp_path: Path) -> None:
    results, shown = bench(tmp_path / "r.json", "latency", "--windows", "6", "--no-control")
    measured = results["latency"]
    assert set(measured["arms_ms"]) == set(ARMS)
    assert all(len(values) == 6 and min(values) > 0 for values in measured["raw_ms"].values())
    for arm, parts in measured["parts_ms_p50"].items():
        assert all(value > 0 for value in parts.values()), (arm, parts)
    assert "against the plain loop" in shown
    assert "LSLAPICFG" not in shown


def test_cpu_time_and_first_decision(tmp_path: Path) -> None:
    results, shown = bench(tmp_path / "r.json", "cpu", "first", "--seconds", "3")
    assert all(value > 0 for value in results["cpu"]["cpu_s_per_minute"].values())
    assert all(results["cpu"]["judged"].values())
    first = results["first"]
    assert first["warmup_s"] == warmup_s()
    # Nobody decides before the first window can be whole.
    assert first["excess_s"]["hemostream"] > -1 / RATE
    assert first["excess_s"]["plain"] > -1 / RATE
    assert "first decision" in shown


def test_throughput_judges_every_window(tmp_path: Path) -> None:
    results, shown = bench(tmp_path / "r.json", "throughput", "--minutes", "0.5")
    measured = results["throughput"]
    assert measured["windows"] == 30 - 7 + 1
    assert measured["rows"] == len(bench_spec())
    assert all(value > 0 for value in measured["times_real_time"].values())
    assert "real time" in shown


def arrived(stamp: float, judged: bool = True) -> Arrived:
    return Arrived("plain", stamp + 0.01, stamp, judged, stamp + 0.001, stamp + 0.005)


def test_a_window_is_matched_to_the_sample_that_completed_it() -> None:
    assert sample_of(arrived(1000.0 + 72 / RATE + 3e-4), 1000.0) == 72
    with pytest.raises(BenchError, match="no sample's stamp"):
        sample_of(arrived(1000.0 + 72.4 / RATE), 1000.0)


def test_a_run_with_a_lost_unjudged_or_foreign_window_is_refused() -> None:
    turn = (LENGTH - 1 + ARMS.index("plain")) % STEP
    indices = [turn + STEP * k for k in range(40, 50)]
    whole = [arrived(i / RATE) for i in indices]
    check("plain", indices, whole, 10)
    for broken in (indices[:4] + indices[5:], [i + 1 for i in indices]):
        with pytest.raises(BenchError, match="expected all"):
            check("plain", broken, whole[: len(broken)], len(broken))
    with pytest.raises(BenchError, match="9 of them judged"):
        check("plain", indices, [arrived(0.0, judged=False), *whole[1:]], 10)


def test_the_table_says_what_was_missed() -> None:
    arms = {"hemostream": {"p50": 5.0, "p99": 6.0}, "plain": {"p50": 4.0, "p99": 5.0}}
    arms["ideal"] = {"p50": 3.0, "p99": 4.0}
    ratios = {"plain": {"p50": 1.25, "p99": 1.2}, "ideal": {"p50": 1.67, "p99": 1.5}}
    table = markdown(rows_of({"latency": {"arms_ms": arms, "ratios": ratios}}))
    assert "at most 1.2: MISSED" in table
    assert "at most 1.5: reached" in table
    assert len({line.count("|") for line in table.splitlines()}) == 1
