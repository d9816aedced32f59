"""``python -m tools.bench.chance``: what evaluation gives where there is nothing to find, and its intervals.

Pure noise: people with features of their own, windows around them, labels by turns.  The floor is chance
itself: mean AUC and balanced accuracy must be one half, and an interval of 95 % must cover it in 95 of
100 cohorts.  Beside it is the bootstrap that most papers report, on the same cohorts.
"""

import json
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
from cyclopts import App

from offline.base.predictions import Predictions
from offline.base.sample_table import SampleTable
from offline.evaluation.ridge_null import ridge_null, ridge_rounds
from offline.stats.intervals import around, bootstrap_sd, null_sd
from offline.stats.primary import METRICS, Pairs, person_scores
from offline.training.feature_table import FeatureTable
from tools.bench.chance_network import PERMUTED, of_networks

app = App(name="chance", help="Chance, and how often intervals cover it.", help_format="plaintext")

WINDOWS = 20
FEATURES = 12


@app.default
def chance(
    *,
    seeds: int = 300,
    covered: int = 200,
    permutations: int = 200,
    repeats: int = 3,
    workers: int = 2,
    network: bool = False,
) -> None:
    """Evaluate noise cohorts of 5+5 and of 25+22 people.

    Parameters
    ----------
    seeds : int
        Cohorts of each size, for the means.
    covered : int
        Of those so many with intervals.
    permutations : int
        Permutations of each null.
    repeats : int
        Divisions into folds of each evaluation.
    workers : int
        Processes.
    network : bool
        A CGRNN instead of the ridge model: a tenth of the cohorts, each with ten permutations of its people,
        for its fits take a thousand times as long.
    """
    from tools.bench.machine import describe_machine

    if network:
        of_networks(seeds // PERMUTED, permutations, workers)
        return
    print("| people | figure | mean | its SE | SD | covered: bootstrap alone | covered: as reported |")
    print("|---|---|---|---|---|---|---|")
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for sizes in ((5, 5), (25, 22)):
            jobs = [(sizes, seed, permutations if seed < covered else 0, repeats) for seed in range(seeds)]
            found = list(pool.map(_cohort, jobs, chunksize=1))
            for k, metric in enumerate(METRICS):
                values = np.array([each[k][0] for each in found])
                plain, wide = (
                    np.array([each[k][i] for each in found if each[k][i] is not None]) for i in (1, 2)
                )
                print(
                    f"| {sizes[0]}+{sizes[1]} | {metric} | {values.mean():.3f} "
                    f"| {values.std(ddof=1) / np.sqrt(len(values)):.3f} | {values.std(ddof=1):.3f} "
                    f"| {plain.mean():.3f} | {wide.mean():.3f} |",
                    flush=True,
                )
    print(f"\n{seeds} cohorts, {covered} with intervals. {json.dumps(describe_machine())}")


def _cohort(
    job: tuple[tuple[int, int], int, int, int],
) -> list[tuple[float, bool | None, bool | None]]:
    """Figure, and whether the two intervals cover one half, of one cohort; for each metric."""
    (n_second, n_first), seed, permutations, repeats = job
    n = n_second + n_first
    rng = np.random.default_rng([2019, n, seed])
    whose = np.repeat(np.arange(n), WINDOWS)
    features = rng.normal(size=(n, FEATURES))[whose] + rng.normal(size=(len(whose), FEATURES))
    y = (whose < n_second).astype(np.int64)
    person = np.array([f"p{i:03d}" for i in whose])
    start = np.tile(np.arange(WINDOWS, dtype=float), n)
    table = SampleTable(person, person, person, np.full(len(y), ""), start, start + 7.0, y)
    data = FeatureTable(features, table, by_person=True)
    rounds = ridge_rounds(data, repeats=repeats, seed=seed)
    scores = person_scores(Predictions.concatenate(rounds))
    pairs = Pairs.of(scores)
    null = None
    if permutations:
        null = ridge_null(data, permutations=permutations, repeats=repeats, seed=seed)
    out: list[tuple[float, bool | None, bool | None]] = []
    for metric in METRICS:
        value = float(pairs.figure(metric, scores.positive)[0])
        sd = bootstrap_sd(pairs, scores.positive, metric, seed=seed)
        reported = None if null is None else null_sd(null.figures[metric])
        if sd is None or reported is None:
            out.append((value, None, None))
            continue
        inside = [(low <= 0.5 <= high) for low, high in (around(value, sd), around(value, reported))]
        out.append((value, inside[0], inside[1]))
    return out


if __name__ == "__main__":
    app()
