"""``python -m tools.bench.classifier``: which classifier is worth streaming.

Its protocol is docs/evidence/classifier_protocol.md.  Every row is a whole evaluation by unseen person; its
baselines (ridge, linear, the clock) are its peers in the same run.  A run that was killed goes on where it
stopped when it is started again with the same folder.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from cyclopts import App
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from models.arrays import Floats
from offline.base.cohort import read_cohort
from offline.evaluation.evaluate import evaluate
from offline.samples.samples import Samples, collect
from offline.stats.intervals import bootstrap_mean_sd
from tools.bench.classifier_sets import KEPT, MODELS, SETS, cohort_of, models_of, recipe_of
from tools.bench.machine import describe_machine

BASELINES = ("ridge", "linear", "time")
BLOCK_MEANS = "kept filters, LDA on block means"

app = App(name="classifier", help="Which classifier is worth streaming.", help_format="plaintext")


@app.default
def classifier(
    work: Path,
    *,
    sets: tuple[str, ...] = tuple(SETS),
    models: tuple[str, ...] = tuple(MODELS),
    permutations: int = 100,
) -> None:
    """Evaluate every model on every set and write table.md.

    Parameters
    ----------
    work : Path
        Folder of the evaluations and of the table; what is there already is not computed again.
    sets, models : tuple of str
        Some of them.
    permutations : int
        Of the ridge model's null: its spread gives every interval, its p is ridge's alone.
    """
    rows = ["| set | model | window: balanced accuracy | AUC | block: balanced accuracy | AUC | p by block |"]
    rows.append("|---|---|---|---|---|---|---|")
    for name in sets:
        folder = work / name.replace(" ", "_").replace("/", "-").replace(",", "")
        cohort = cohort_of(name, folder / "cohort")
        figures: dict[str, dict[str, Any]] = {}
        for model in models_of(name):
            if model not in models:
                continue
            recipe = recipe_of(name, model, permutations=permutations)
            out = folder / model.replace(" ", "_").replace(":", "").replace(",", "")
            results = evaluate(cohort, recipe, out, show=False).figures
            own = next(iter(results["conditions"]))
            figures[model] = row_of(results, own)
            for each in [name for name in BASELINES if name != own] if model == KEPT else ():
                figures[f"kept filters, {each}"] = row_of(results, each)
            print(name, model, figures[model], flush=True)
        if KEPT in figures:
            samples = collect(read_cohort(cohort), recipe_of(name, KEPT, permutations=0))
            figures[BLOCK_MEANS] = _block_means(samples)
        rows += [line_of(name, model, its) for model, its in figures.items()]
        work.mkdir(parents=True, exist_ok=True)
        (work / "table.md").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (work / "machine.json").write_text(json.dumps(describe_machine(), indent=1), encoding="utf-8")
    print("\n".join(rows))


def row_of(results: Mapping[str, Any], model: str) -> dict[str, Any]:
    """Figures of one condition: by window and by block, mean over people with its interval."""
    windows, blocks = (
        results["conditions"][model]["mean_over_people"],
        results["by_block"]["conditions"][model],
    )
    found = {"window": (windows["balanced_accuracy"], windows["auc"])}
    for metric in ("balanced_accuracy", "auc"):
        found[metric] = (blocks[metric]["value"], blocks[metric]["interval"])
    found["p"] = blocks[results["by_block"]["primary"]].get("p")
    return found


def line_of(name: str, model: str, its: Mapping[str, Any]) -> str:
    window = [_number(value) for value in its["window"]]
    blocks = [
        _number(value) + ("" if ends is None else f" ({_number(ends[0])} to {_number(ends[1])})")
        for value, ends in (its["balanced_accuracy"], its["auc"])
    ]
    p = "" if its["p"] is None else f"{its['p']:.3f}"
    return f"| {' | '.join((name, model, *window, *blocks, p))} |"


def _number(value: Any) -> str:
    value = value["value"] if isinstance(value, Mapping) else value
    return "" if value is None else f"{value:.3f}"


def _block_means(samples: Samples) -> dict[str, Any]:
    """Shrinkage LDA on the means of whole blocks, by unseen person: what a laboratory would take."""
    table = samples.table
    assert table.block is not None  # labels come from events
    keys = np.array([f"{r}/{b}" for r, b in zip(table.recording, table.block, strict=True)])
    _, first, whose = np.unique(keys, return_index=True, return_inverse=True)
    means = np.asarray(samples.X[:], dtype=np.float64).mean(axis=2)
    X: Floats = np.stack([means[whose == k].mean(axis=0) for k in range(len(first))])
    y, person = table.target[first], table.person[first]
    found: list[float] = []
    for one in np.unique(person):
        train, test = person != one, person == one
        if not train.any() or set(y[test]) != set(y[train]):
            continue
        fitted = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(X[train], y[train])
        right = fitted.predict(X[test]) == y[test]
        found.append(float(np.mean([right[y[test] == label].mean() for label in np.unique(y[test])])))
    value = float(np.mean(found)) if found else None
    sd = bootstrap_mean_sd(np.array(found), seed=0)
    ends = None if value is None or sd is None else (value - 1.96 * sd, value + 1.96 * sd)
    return {"window": (None, None), "balanced_accuracy": (value, ends), "auc": (None, None), "p": None}


if __name__ == "__main__":
    app()
