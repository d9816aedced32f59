"""`hemostream demo --headless` is the whole chain by itself."""

import json
import time

from tests.system.support import Commands, Report

WANTED = {
    "decisions",
    "abstained",
    "labelled",
    "latency_ms_p50",
    "latency_ms_p99",
    "accuracy",
    "majority_rate",
}


def test_the_demo_predicts_thirty_seconds_of_an_unseen_simulated_person(
    commands: Commands, report: Report
) -> None:
    started = time.monotonic()
    # An LSL session of its own is part of the demo: it sets one over whatever it is given.
    child = commands.succeed("demo", "--seconds", "30", "--headless", within_s=280)
    took = time.monotonic() - started
    summary = json.loads(child.stdout.splitlines()[-1])
    assert summary.keys() >= WANTED
    assert summary["decisions"] - summary["abstained"] >= 30
    assert 0 < summary["labelled"] <= summary["decisions"] - summary["abstained"]
    assert 0 < summary["latency_ms_p50"] <= summary["latency_ms_p99"]
    assert 0 <= summary["accuracy"] <= 1
    assert 1 / len(summary["windows_by_label"]) <= summary["majority_rate"] <= 1
    assert summary["phases_s"].keys() == {"simulate", "train", "live"}
    assert child.stderr == ""
    report(f"demo --seconds 30: {took:.0f} s in all (three minutes are promised); {json.dumps(summary)}")
