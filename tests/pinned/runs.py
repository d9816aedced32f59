"""The runs: words of the command line, in the order in which they need each other, and what each writes."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.pinned.inputs import write_images, write_scans

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LIMIT_S = 300.0
IN_ONE_PROCESS = """
import contextlib, io, json, sys
from tools.cli import main

shown = {}
for name, words in json.load(sys.stdin).items():
    with io.StringIO() as text, contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
        try:
            main(words.split())
        except SystemExit as ended:
            code = ended.code
        shown[name] = text.getvalue()
    if code:
        sys.exit(f"{name}: hemostream {words} ended with {code}:\\n{shown[name]}")
json.dump(shown, sys.stdout)
"""
"""All commands, one after the other: a process of its own for each would import everything again."""


@dataclass(frozen=True)
class Run:
    """One command.

    Parameters
    ----------
    name : str
        Of the run, and of the folder or file that it writes.
    words : str
        What follows ``hemostream``; relative to the folder of all runs.
    pinned : tuple of str
        Which of its files are pinned, as patterns within the folder of all runs.
    """

    name: str
    words: str
    pinned: tuple[str, ...]


RUNS = (
    Run(
        "cohort",
        "simulate cohort --people 4 --seconds 90 --pairs 2 --short-pairs 0 --rate 5 --group-effect 2 "
        "--block 10 --rest 10",
        ("cohort/cohort.tsv", "cohort/*.snirf"),
    ),
    Run("proposed.toml", "init cohort --out proposed.toml", ("proposed.toml",)),
    Run(
        "evaluation",
        f"evaluate cohort --recipe {HERE}/task.toml --out evaluation --audit",
        ("evaluation/results.json", "evaluation/audit*.json", "evaluation/*.csv"),
    ),
    Run(
        "three",
        f"evaluate cohort --recipe {HERE}/three.toml --out three",
        ("three/results.json", "three/*.csv"),
    ),
    Run(
        "study",
        "study run ridge svm --data scans --out study --workers 1",
        ("study/studies.json", "study/*/results.json", "study/*/predictions.csv"),
    ),
    Run(
        "amount",
        "study run ridge --data scans --out amount --target burden --workers 1",
        ("amount/burden/studies.json", "amount/burden/*/results.json", "amount/burden/*/predictions.csv"),
    ),
    Run("sites", "study sites --data scans --out sites", ("sites/sites.json",)),
    Run(
        "encoder.safetensors",
        f"pretrain cohort --recipe {HERE}/probe.toml --out encoder.safetensors",
        ("encoder.safetensors",),
    ),
    Run(
        "bundle",
        f"train cohort --recipe {HERE}/task.toml --exclude-person person-001 --out bundle",
        ("bundle/*",),
    ),
    Run(
        "decisions.jsonl",
        "classify cohort/person-001_session-1.snirf --model bundle --out decisions.jsonl",
        ("decisions.jsonl",),
    ),
    Run(
        "own",
        "calibrate --model bundle --recording cohort/person-001_session-1.snirf --out own",
        ("own/weights.safetensors",),
    ),
    Run("scan-bundle", "study export ridge --data scans --out scan-bundle", ("scan-bundle/*",)),
    Run(
        "scan.jsonl",
        "classify scans/p0.csv --model scan-bundle --repetition-time 2 --out scan.jsonl",
        ("scan.jsonl",),
    ),
    Run(
        "structures",
        "segment images/a.nii.gz --model images/bundle --out structures",
        ("structures/volumes.tsv",),
    ),
    Run(
        "live.jsonl",
        f"classify {HERE}/live/bed.hemostream --model {HERE}/live/bundle --out live.jsonl",
        ("live.jsonl",),
    ),
    Run("export", f"export {HERE}/live/bed.hemostream bed.snirf", ("bed*.snirf",)),
    Run(
        "summary",
        f"summary {HERE}/live/bed.hemostream --model {HERE}/live/bundle --out summary.html",
        (),  # the page says when it was made
    ),
)  # fmt: skip


def run_all(folder: Path) -> dict[str, str]:
    """Run all commands in an empty folder.

    Returns
    -------
    dict of str to str
        What each wrote (80 columns wide), by the name of the run.

    Raises
    ------
    RuntimeError
        One of them failed; with what it wrote.
    """
    write_scans(folder / "scans")
    write_images(folder / "images")
    done = subprocess.run(
        [sys.executable, "-c", IN_ONE_PROCESS],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "COLUMNS": "80"},
        input=json.dumps({run.name: run.words for run in RUNS}),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    shown: dict[str, str] = json.loads(done.stdout)
    return shown


def pinned_files(folder: Path, run: Run) -> list[Path]:
    """Of a run, in order."""
    return [path for pattern in run.pinned for path in sorted(folder.glob(pattern))]
