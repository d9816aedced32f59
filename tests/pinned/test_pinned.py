"""Small runs of every command that computes give what they gave before."""

import json
import re
from pathlib import Path

from tests.pinned.__main__ import PINNED, figures_in
from tests.pinned.figures import differences
from tests.pinned.runs import RUNS, run_all

ENDS = {
    "cohort": r"4 people, 4 recordings of 90 s.*\nCohort: cohort/cohort.tsv\n",
    "proposed.toml": r"rest: \d+ windows of 4 people\n.*warming up.*first event.*\nRecipe: proposed",
    "evaluation": r"unseen people: AUC 0\.\d+ .*19 times.*\nReport: evaluation/report.html\n",
    "three": r"unseen people: AUC 0\.\d+ .*\nReport: three/report.html\n",
    "study": r"ridge: unseen site AUC 0\.\d+ \(95 % .*permutations .*\nReports: study/index.html\n",
    "amount": r"ridge: .*: r 0\.\d+ \(95 % .*, p .*\nReports: amount/burden/index.html\n",
    "sites": r"Report: sites/sites.html\n",
    "encoder.safetensors": r"Pre-trained on \d+ windows of 4 people.*loss .*\nEncoder: encoder.saf",
    "bundle": r"Trained on \d+ windows \(rest \d+, task \d+\).*people \(rest \d+, task \d+\); epoch .*loss .*"
    r"the linear model .*\nBundle: bundle \(",
    "decisions.jsonl": r"windows classified \(.*abstained \(.*file's events.* right .*\nDecisions: decisions",
    "own": r"minutes: \d+ windows of \d+ blocks \(rest \d+, task \d+\).*\nBundle: own \(model",
    "scan-bundle": r"Fitted to 48 people of \d sites.*\nBundle: scan-bundle \(",
    "scan.jsonl": r"1 scan classified \(.*\nDecisions: scan.jsonl\n",
    "structures": r"Segmented 1 of 1 images?: structures/volumes.tsv\n",
    "live.jsonl": r"0 windows classified, \d+ abstained \(.*undecided \d+.*never eval.*\nDecisions: live",
    "export": r"\d+ samples of \d+ channels over .* s and .*events, in .*file.*\nRecording: bed",
    "summary": r"run 1 of bed: 600 samples, 117 windows, 15 of them abstained\.\nPage: summary.html\n",
}
"""How each command ends: with the figures that matter, and where its page or file is."""


def test_nothing_comes_out_otherwise(tmp_path: Path) -> None:
    shown = run_all(tmp_path)
    assert differences(figures_in(tmp_path), json.loads(PINNED.read_text())) == []
    for run in RUNS:
        wide = [line for line in shown[run.name].splitlines() if len(line) > 80]
        assert not wide, f"{run.name}: wider than 80 columns"
        assert re.search(ENDS[run.name], re.sub(r"\n  ", " ", shown[run.name]), re.DOTALL), shown[run.name]


def test_a_difference_is_seen() -> None:
    pinned = {"a": [1, 2.0], "b": "x", "gone": 1, "hash": "1"}
    found = {"a": [1, 2.1], "b": "y", "new": 1, "hash": "2"}
    assert differences(found, pinned) == [
        "/gone: no longer there", "/new: new", "/a/1: 2.1, pinned 2.0", "/b: 'y', pinned 'x'",
    ]  # fmt: skip
    assert differences({"a": [1.0]}, {"a": [1.0, 2.0]}) == ["/a: [1.0], pinned [1.0, 2.0]"]
    assert differences(1.00001, 1.0) == []
    elsewhere = {"versions": {"torch": "2.13.0"}, "weights_sha256": "1", "signals": ["1"]}
    assert differences(elsewhere, dict.fromkeys(elsewhere, "another")) == []
