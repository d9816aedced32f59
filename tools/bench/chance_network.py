"""What networks give where there is nothing to find: cohorts of noise, each with several permutations.

Twenty cohorts with ten permutations each are not two hundred cohorts: permutations of one share its people.
"""

import json
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np

from offline.base.predictions import Predictions
from offline.base.sample_table import SampleTable
from offline.base.splits import evaluation_folds
from offline.estimators.baselines import window_features
from offline.evaluation.fit_and_predict import fit_predict
from offline.evaluation.ridge_null import ridge_null
from offline.samples.novelty import FeatureSummary
from offline.samples.recipe import Recipe, parse_recipe
from offline.samples.samples import Samples
from offline.stats.intervals import around, bootstrap_sd, null_sd
from offline.stats.primary import METRICS, Pairs, person_scores
from offline.training.feature_table import FeatureTable
from realtime.signal import Channel, Kind, SignalSpec

PERMUTED = 10
WINDOWS, CHANNELS, TIMES = 20, 4, 35
RECIPE = {
    "name": "noise",
    "rate": 5.0,
    "pipeline": [{"stage": "resample"}],
    "labels": {"source": "column", "target": "person", "column": "group"},
    "model": {"kind": "cgrnn", "params": {"filters": 8, "hidden": 8}},
    "training": {"epochs": 6, "patience": 3, "batch_size": 64},
}


def of_networks(cohorts: int, permutations: int, workers: int) -> None:
    """Print means and coverage for 5+5 and 25+22 people."""
    from tools.bench.machine import describe_machine

    print("| people | figure | mean | its SE | covered: bootstrap alone | covered: as reported |")
    print("|---|---|---|---|---|---|")
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for sizes in ((5, 5), (25, 22)):
            jobs = [(sizes, seed, permutations) for seed in range(cohorts)]
            found = np.array(list(pool.map(_cohort, jobs)))  # (cohorts, permutations, metrics, 3)
            for k, metric in enumerate(METRICS):
                values = found[:, :, k, 0]
                # Permutations of one cohort share its people: the error is that of the cohorts' means.
                error = values.mean(axis=1).std(ddof=1) / np.sqrt(cohorts)
                covered = found[:, :, k, 1:].mean(axis=(0, 1))
                print(
                    f"| {sizes[0]}+{sizes[1]} | {metric} | {values.mean():.3f} | {error:.3f} "
                    f"| {covered[0]:.3f} | {covered[1]:.3f} |",
                    flush=True,
                )
    print(f"\n{cohorts} cohorts x {PERMUTED} permutations. {json.dumps(describe_machine())}")


def _cohort(job: tuple[tuple[int, int], int, int]) -> list[list[tuple[float, float, float]]]:
    """Figure, and whether the two intervals cover one half: for each permutation and metric."""
    (n_second, n_first), seed, permutations = job
    recipe = parse_recipe(RECIPE, "noise")
    n = n_second + n_first
    rng = np.random.default_rng([2020, n, seed])
    out = []
    X = _people(rng, n)
    for _ in range(PERMUTED):
        y = rng.permutation(np.arange(n) < n_second).astype(np.int64)
        out.append(_permuted(_samples(X, y), recipe, permutations))
    return out


def _people(rng: np.random.Generator, n: int) -> np.ndarray:
    """Windows of people who differ: in level and size of each channel, and in how fast it changes."""
    own = rng.normal(size=(n, 1, CHANNELS, 1))
    size = np.exp(0.3 * rng.normal(size=(n, 1, CHANNELS, 1)))
    noise = rng.normal(size=(n, WINDOWS, CHANNELS, TIMES)).cumsum(axis=3) * size / np.sqrt(TIMES)
    return np.asarray(own + noise, dtype=np.float32).reshape(n * WINDOWS, CHANNELS, TIMES)


def _samples(X: np.ndarray, y: np.ndarray) -> Samples:
    whose = np.repeat(np.arange(len(y)), WINDOWS)
    person = np.array([f"p{i:03d}" for i in whose])
    start = np.tile(np.arange(WINDOWS, dtype=float), len(y))
    table = SampleTable(person, person, person, np.full(len(whose), ""), start, start + 7.0, y[whose])
    channels = tuple(Channel(name=f"c{i}", kind=Kind.HBO, unit="mol/L") for i in range(CHANNELS))
    nothing = FeatureSummary(
        np.zeros((0, CHANNELS, 4)), np.zeros((0, CHANNELS), bool), person[:0], person[:0]
    )
    spec = SignalSpec(channels, 5.0)
    return Samples(table, X, ("A", "B"), spec, spec, nothing, 0.0, (), ())


def _permuted(samples: Samples, recipe: Recipe, permutations: int) -> list[tuple[float, float, float]]:
    table = samples.table
    parts = []
    for fold in evaluation_folds(table.person, table.target, seed=0):
        scores, _ = fit_predict(samples, recipe, fold, "cgrnn")
        n = len(fold.test)
        parts.append(
            Predictions(
                labels=samples.labels,
                fold=np.full(n, fold.name),
                condition=np.full(n, "cgrnn"),
                sample=fold.test.astype(np.int64),
                person=table.person[fold.test],
                y=table.target[fold.test],
                scores=scores,
                repeat=np.zeros(n, dtype=np.int64),
            )
        )
    scores_of = person_scores(Predictions.concatenate(parts))
    pairs = Pairs.of(scores_of)
    null = ridge_null(FeatureTable(window_features(samples.X), table, True), permutations=permutations)
    out = []
    for metric in METRICS:
        value = float(pairs.figure(metric, scores_of.positive)[0])
        spreads = (bootstrap_sd(pairs, scores_of.positive, metric, seed=0), null_sd(null.figures[metric]))
        ends = [around(value, sd) for sd in spreads if sd is not None]
        covered = [float(low <= 0.5 <= high) for low, high in ends]
        out.append((value, covered[0], covered[1]))
    return out
