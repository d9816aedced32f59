"""``python -m tools.bench.permutations``: permuted labels of one fold, fitted together and one by one.

What looks at no label (standardising, seeing matrices from their mean, products and their decomposition) is
done once where permutations share it.  Each fitted by itself is the peer, in the same run; scores must be the
same to the last bit.
"""

import json
import time
from dataclasses import replace

import numpy as np
from cyclopts import App

app = App(
    name="permutations", help="Permuted labels of one fold, together and one by one.", help_format="plaintext"
)


@app.default
def permutations(*names: str, people: int = 300, regions: int = 60, each: int = 19, alone: int = 3) -> None:
    """Time the null of a fold.

    Parameters
    ----------
    names : str
        Studies that read before they fit; default: all that take series.
    people, regions : int
        Of the simulated scans.
    each : int
        Permutations that are fitted together.
    alone : int
        Of these, fitted by themselves too.
    """
    from offline.evaluation.runner import perform
    from offline.scans.simulated import simulate_series
    from offline.studies import STUDIES
    from offline.studies.fitting import ScanProcedure
    from offline.studies.planning import null_tasks
    from offline.studies.profile import QUICK
    from offline.studies.tables import TABLES, can_take
    from tools.bench.machine import describe_machine

    scans = simulate_series(people, effect=1.0, n_regions=regions, n_times=120, seed=0).scans
    reading = [
        name
        for name, study in STUDIES.items()
        if hasattr(study.model(**study.settings[0], random_state=0), "read") and can_take(study.table, scans)
    ]
    print("| study | s a permutation, by itself | together | ratio |\n|---|---|---|---|")
    for name in names or reading:
        study = STUDIES[name]
        X = TABLES[study.table](scans).astype(np.float32)
        procedure = ScanProcedure(study, X, scans.table)
        tasks = null_tasks(scans.table, replace(QUICK, permutations=each), 0)[:each]
        perform(procedure, tasks[:1])  # the first fit of a process loads libraries
        begin = time.perf_counter()
        together = perform(procedure, tasks)
        shared = (time.perf_counter() - begin) / each
        begin = time.perf_counter()
        by_itself = [perform(procedure, [task])[0] for task in tasks[:alone]]
        single = (time.perf_counter() - begin) / alone
        for one, other in zip(together, by_itself, strict=False):
            if not np.array_equal(one.scores, other.scores):
                raise SystemExit(f"{name}: scores together and alone differ.")
        print(f"| {study.title} | {single:.2f} | {shared:.2f} | {single / shared:.1f} |")
    print(
        f"\n{people} simulated people, {regions} regions, {each} permutations together, {alone} alone, one "
        f"thread. {json.dumps(describe_machine())}"
    )


if __name__ == "__main__":
    app()
