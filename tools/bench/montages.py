"""``python -m tools.bench.montages``: a network trained on one montage, on unseen people with another.

Simulated people of left and right hand blocks, all under one dense probe, of which two montages without a
common channel are kept: a chessboard's black fields (A) and white ones (B, a row fewer).  Unseen people with
B are predicted by what was trained on people with A alone, with B itself, and with both.  The peers are a
ridge and a logistic regression on the mean of each kind and side, by the same people; the floor is chance.
"""

import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from cyclopts import App

from models.networks import VIRTUAL_PROBE
from offline.base.cohort import read_cohort
from offline.base.splits import Fold
from offline.evaluation.fit_and_predict import fit_predict
from offline.recordings.snirf_writer import write_snirf
from offline.samples.recipe import Recipe, parse_recipe
from offline.samples.samples import Samples, collect
from offline.simulation import Simulation, TaskBlocks, simulate_person
from offline.stats.intervals import around, bootstrap_mean_sd
from offline.stats.person_accuracy import person_accuracy
from realtime.sources.recording import Recording
from tools.bench.machine import describe_machine

app = App(name="montages", help="One network over montages, on simulated people.", help_format="plaintext")
PAIRS, A_ROW = 40, 5
MODELS = (VIRTUAL_PROBE, "ridge", "linear", "majority")
HANDS = ("left", "right")


@app.default
def montages(*, people: int = 16, seeds: tuple[int, ...] = (0, 1), epochs: int = 20) -> None:
    """Simulate people with both montages, train on some, evaluate others.

    Parameters
    ----------
    people : int
        Of each: trained on with A, trained on with B, and predicted with B.
    seeds : tuple of int
        A cohort each, and all chance of its trainings.
    epochs : int
        Most of a training.
    """
    print("| cohort | trained on people with | predicts B by | balanced accuracy by unseen person (95 %) |")
    print("|---|---|---|---|")
    for seed in seeds:
        began = time.perf_counter()
        recipe = recipe_of(epochs, seed)
        with tempfile.TemporaryDirectory(prefix="hemostream-bench-") as folder:
            samples = collect(read_cohort(write_people(Path(folder), people, seed)), recipe)
        role = np.array([name.split("-")[0] for name in samples.table.person])
        test = np.flatnonzero(role == "unseen")
        for name, roles in (("A alone", ["a"]), ("B itself", ["b"]), ("A and B", ["a", "b"])):
            train = np.flatnonzero(np.isin(role, roles))
            held_out = tuple(np.unique(samples.table.person[test]).tolist())
            fold = Fold(held_out, train, test, f"{name}, seed {seed}")
            for model in MODELS:
                shown = _shown(samples, recipe, fold, model)
                print(f"| {seed} | {name} | {model} | {shown} |", flush=True)
        print(f"cohort {seed}: {time.perf_counter() - began:.0f} s", flush=True)
    print(f"\n{people} people of each sort a cohort. {json.dumps(describe_machine())}")


def _shown(samples: Samples, recipe: Recipe, fold: Fold, model: str) -> str:
    """Mean balanced accuracy of the people who are predicted, and its interval between people."""
    scores, _ = fit_predict(samples, recipe, fold, model)
    own = samples.table.rows(fold.test)
    each = np.array(
        [
            person_accuracy(scores[mine], own.target[mine], own.person[mine])
            for person in fold.held_out
            for mine in [own.person == person]
        ]
    )
    low, high = around(float(each.mean()), bootstrap_mean_sd(each, seed=0) or 0.0)
    return f"{each.mean():.3f} ({low:.3f} to {high:.3f})"


def recipe_of(epochs: int, seed: int) -> Recipe:
    """Left against right, each recording's own channels; fixed before anything was computed."""
    return parse_recipe(
        {
            "name": "montages",
            "rate": 2.0,
            "input": {"min_distance": 0.02, "montage": "own"},
            "window": {"length_s": 7.0, "step_s": 1.0},
            "pipeline": [
                {"stage": "optical_density", "baseline_s": 10.0},
                {"stage": "beer_lambert"},
                {"stage": "resample"},
                {"stage": "bandpass", "high": 0.2},
                {"stage": "cue_reference", "before_s": 5.0},
                {"stage": "normalise", "memory_s": 600.0, "warmup_s": 20.0},
            ],
            "labels": {
                "source": "events",
                "target": "event",
                "mirror": [list(HANDS)],
                "intervals": {hand: {"events": [hand], "delay_s": 4.0, "duration_s": 12.0} for hand in HANDS},
            },
            "model": {"kind": VIRTUAL_PROBE},
            "training": {
                "epochs": epochs,
                "batch_size": 32,
                "learning_rate": 3e-3,
                "augmentation": {"mirror": True},
                "seed": seed,
            },
        },
        "bench",
    )


def write_people(folder: Path, people: int, seed: int) -> Path:
    """Recordings of three sorts of people; the table's path."""
    task = TaskBlocks(block_s=10.0, rest_s=12.0, jitter_s=3.0, size=1.0e-6, lateral=0.6)
    settings = Simulation(seconds=300.0, rate=4.0, n_pairs=PAIRS, n_short=0, task=task)
    lines = ["recording\tperson\tsite"]
    for sort, (role, black) in enumerate((("a", True), ("b", False), ("unseen", False))):
        for i in range(people):
            recording, _ = simulate_person(settings, (1000 + seed, sort, i), 0)
            name = f"{role}-{i:03d}"
            kept = with_pairs(recording, fields(black=black, rows=4 if black else 3))
            write_snirf(replace(kept, name=name), folder / f"{name}.snirf")
            lines.append(f"{name}.snirf\t{name}\t{'A' if black else 'B'}")
    table = folder / "cohort.tsv"
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return table


def fields(*, black: bool, rows: int) -> list[int]:
    """Numbers of the pairs on one colour of a chessboard on either side, in the first rows of each."""
    half = PAIRS // 2
    one = [k for k in range(A_ROW * rows) if (k // A_ROW + k % A_ROW) % 2 == (0 if black else 1)]
    return [*one, *(half + k for k in one)]


def with_pairs(recording: Recording, pairs: Sequence[int]) -> Recording:
    """The recording with these pairs only, both wavelengths of each."""
    rows = [2 * pair + colour for pair in pairs for colour in (0, 1)]
    return replace(
        recording,
        spec=recording.spec.pick(rows),
        data=recording.data[rows],
        missing=recording.missing[rows],
    )


if __name__ == "__main__":
    app()
