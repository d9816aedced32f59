"""Small cohorts on disk: Homer files of a few pairs with a response after each cue, and region series."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import savemat

from offline.samples.recipe import Recipe, parse_recipe

RATE = 5.0


def write_homer(
    path: Path,
    *,
    seed: int,
    seconds: float = 120.0,
    effect: float = 0.02,
    order: Sequence[int] = (),
    pairs: int = 2,
) -> Path:
    """One recording: intensities whose first wavelength falls and second rises for 10 s after each cue.

    ``order`` permutes the channels of the file, as another vendor's export would.
    """
    rng = np.random.default_rng(seed)
    n = int(seconds * RATE)
    times = np.arange(n) / RATE
    cues = np.arange(20.0, seconds - 5.0, 20.0)
    active = ((times[:, None] - cues > 2) & (times[:, None] - cues < 12)).any(axis=1)
    measured = [[s, 1, 1, w] for w in (1, 2) for s in range(1, pairs + 1)]
    columns = [
        1000 * np.exp(rng.normal(0, 0.004, n) + (effect if w == 1 else -effect) * active)
        for _, _, _, w in measured
    ]
    keep = list(order) or list(range(len(measured)))
    onsets = np.zeros((n, 1))
    onsets[np.round(cues * RATE).astype(int)] = 1
    probe = {
        "Lambda": [690.0, 830.0],
        "SrcPos": [[60.0 * s, 0, 0] for s in range(pairs)],
        "DetPos": [[30.0, 0, 0]],
        "MeasList": [measured[i] for i in keep],
        "SpatialUnit": "mm",
    }
    savemat(
        path.with_suffix(".mat"),
        {"d": np.stack([columns[i] for i in keep], axis=1), "t": times[:, None], "s": onsets, "SD": probe},
    )
    path.with_suffix(".mat").rename(path)
    return path


def write_table(folder: Path, rows: Sequence[Sequence[str]], *columns: str) -> Path:
    """The cohort's table."""
    lines = ["\t".join(("recording", "person", *columns)), *("\t".join(row) for row in rows)]
    path = folder / "cohort.tsv"
    path.write_text("\n".join(lines) + "\n")
    return path


def task_cohort(folder: Path, people: int = 3, sessions: int = 2, **options: Any) -> Path:
    """People with sessions of a task; the table's path."""
    rows = []
    for p in range(people):
        for s in range(sessions):
            name = f"p{p}s{s}.nirs"
            write_homer(folder / name, seed=10 * p + s, **options)
            rows.append((name, f"person-{p}", str(s + 1)))
    return write_table(folder, rows, "session")


def series_cohort(folder: Path, groups: Sequence[str], volumes: int = 120) -> Path:
    """One region series a person, TR 2 s; region 3 of the first person never changes."""
    rows = []
    for p, group in enumerate(groups):
        rng = np.random.default_rng(p)
        data = rng.normal(size=(volumes, 3))
        if group == "b":
            data[:, 1] = data[:, 0] + 0.3 * data[:, 1]  # the groups differ in how two regions go together
        if p == 0:
            data[:, 2] = 1.0
        np.savetxt(folder / f"p{p}.1D", data)
        rows.append((f"p{p}.1D", f"person-{p}", group))
    return write_table(folder, rows, "group")


def task_recipe(**changes: Any) -> Recipe:
    """Task against rest of `task_cohort`, small and quick."""
    values: dict[str, Any] = {
        "name": "small",
        "rate": RATE,
        "window": {"length_s": 4.0, "step_s": 1.0},
        "pipeline": [
            {"stage": "optical_density", "baseline_s": 5.0},
            {"stage": "resample", "measure_s": 2.0},
            {"stage": "beer_lambert"},
            {"stage": "normalise", "memory_s": 60.0, "warmup_s": 10.0},
        ],
        "labels": {
            "source": "events",
            "target": "event",
            "intervals": {
                "rest": {"events": ["1"], "delay_s": 13.0, "duration_s": 7.0},
                "task": {"events": ["1"], "delay_s": 3.0, "duration_s": 9.0},
            },
        },
        "model": {"kind": "cgrnn", "params": {"filters": 4, "hidden": 4}},
        "training": {"epochs": 6, "learning_rate": 0.01, "batch_size": 16},
        "policy": {"min_confidence": 0.0},
        "evaluation": {"permutations": 39},
    }
    return parse_recipe(values | changes, "small")


def group_recipe(**changes: Any) -> Recipe:
    """Group of `series_cohort`."""
    values: dict[str, Any] = {
        "name": "groups",
        "rate": 0.5,
        "input": {"kind": "bold", "repetition_time": 2.0},
        "window": {"length_s": 40.0, "step_s": 8.0},
        "pipeline": [
            {"stage": "resample", "measure_s": 20.0},
            {"stage": "normalise", "memory_s": 120.0, "warmup_s": 20.0},
        ],
        "labels": {"source": "column", "target": "person", "column": "group"},
        "model": {"kind": "lstm"},
        "training": {"epochs": 2},
        "policy": {"min_confidence": 0.0},
        "evaluation": {"permutations": 39},
    }
    return parse_recipe(values | changes, "groups")
