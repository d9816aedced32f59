"""``python -m tools.bench.leakage``: what leakage protocols claim of people at rest, who have no groups.

The floor is chance: the people of ``fnirs/rest`` were never divided into groups, so whatever a protocol
finds between groups drawn at random is its own doing.
"""

import json
import os
import tempfile
from pathlib import Path

from cyclopts import App

from models.errors import RecipeError
from offline.base.cohort import read_cohort
from offline.base.progress import shown
from offline.estimators.baselines import window_features
from offline.evaluation.leakage.window_audits import audit_ridge
from offline.evaluation.results_folder import write_audit
from offline.report.leakage import conditions
from offline.samples.recipe import parse_recipe
from offline.samples.samples import collect
from offline.samples.twice import refuse_shared
from offline.training.feature_table import FeatureTable

app = App(name="leakage", help="Leakage protocols on people without groups.", help_format="plaintext")

RECIPE = {
    "name": "rest",
    "rate": 3.9,
    "window": {"length_s": 20 / 3.9, "step_s": 4 / 3.9},
    "pipeline": [
        {"stage": "optical_density", "baseline_s": 5.0},
        {"stage": "resample", "measure_s": 5.0},
        {"stage": "beer_lambert"},
        {"stage": "bandpass", "low": 0.02, "high": 0.3, "order": 1},
        {"stage": "normalise", "memory_s": 60.0, "warmup_s": 10.0},
    ],
    "labels": {"source": "column", "target": "person", "column": "group"},
    "model": {"kind": "cgrnn"},
}
"""A recording lasts 62 s: short windows, and a short warm-up."""


@app.default
def leakage(*, data: Path | None = None, groupings: int = 100, out: Path | None = None) -> None:
    """Audit groups drawn at random of the people of ``fnirs/rest``.

    Parameters
    ----------
    data : Path
        The folder of recordings; default HEMOSTREAM_DATA.
    groupings : int
        Groups drawn at random.
    out : Path
        Where audit.json and audit.png go.
    """
    from tools.bench.machine import describe_machine

    folder = data or Path(os.environ.get("HEMOSTREAM_DATA", ""))
    files = sorted((folder / "fnirs/rest").glob("*.snirf"))
    if not files:
        raise RecipeError(f"There is no fnirs/rest/*.snirf in {folder}; give --data, or set HEMOSTREAM_DATA.")
    with tempfile.TemporaryDirectory() as place, shown() as tell:
        lines = [f"{path}\t{path.name[:6]}\t{'ab'[i % 2]}" for i, path in enumerate(files)]
        cohort = Path(place) / "cohort.tsv"
        cohort.write_text("recording\tperson\tgroup\n" + "\n".join(lines) + "\n", encoding="utf-8")
        samples = collect(read_cohort(cohort), parse_recipe(RECIPE, "rest"), progress=tell)
        refuse_shared(samples.shared)
        found = audit_ridge(
            FeatureTable(window_features(samples.X), samples.table, by_person=True),
            permutations=groupings,
            divisions=1,  # the groups of the table are drawn at random like all others
            tell=tell,
        )
    print("| protocol | AUC by person, mean of groupings | 95 % of that mean | more than honest |")
    print("|---|---|---|---|")
    for name, figures, difference in conditions(found):
        null = figures["auc"]["permuted"]
        low, high = null["interval"]
        more = "" if difference is None else f"{difference['auc']['permuted']['mean']:+.3f}"
        print(f"| {name} | {null['mean']:.3f} | {low:.3f} to {high:.3f} | {more} |")
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        write_audit(out, found)
    print(f"\n{len(samples)} windows of {len(files)} people. {json.dumps(describe_machine())}")


if __name__ == "__main__":
    app()
