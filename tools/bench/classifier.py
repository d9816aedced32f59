"""``python -m tools.bench.classifier``: which classifier is worth streaming.

Its protocol is docs/evidence/classifier_protocol.md.  Every row is predicted by unseen person in the folds of
``hemostream evaluate``.  A run that was killed goes on where it stopped when it is started again with the
same folder; several may share a folder where their sets differ.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from cyclopts import App

from offline.base.json_files import write_json
from offline.evaluation.evaluate import evaluate
from offline.stats.metrics import FEWEST_FOR_OTHERS, Figure
from offline.stats.primary import METRICS, Metric
from tools.bench.classifier_encoder import encoder_of
from tools.bench.classifier_fits import SampleCache, block_means, block_means_p, fit_row
from tools.bench.classifier_rows import (
    ALIGNED_RIDGE_ROW,
    ALIGNED_ROW,
    BEFORE,
    BEST_ROW,
    BLEND_ROW,
    BLOCK_MEANS,
    KEPT,
    KEPT_ALIGNED_ROW,
    LINEAR_ROW,
    MODELS,
    NETWORK_ROW,
    SIMPLE,
)
from tools.bench.classifier_sets import SETS, cohort_of, models_of, recipe_of
from tools.bench.classifier_table import BA, Apart, Ends, RowFigures, drawn, ends_of, less_best, mean_apart
from tools.bench.machine import describe_machine

AGAINST_BEST = (KEPT, NETWORK_ROW, BEST_ROW, BLEND_ROW, ALIGNED_ROW, KEPT_ALIGNED_ROW)
"""Rows that are compared with the best simple one."""
ORDERED = ("n-back 0/2",)
"""Sets in one order for everybody, whose aligned ridge has a null too."""
Spread = Mapping[Metric, float | None]
"""Half of an interval of 95 %, from the ridge model's null; None where people are few."""

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
        Folder of the predictions and of the table; what is there already is not computed again.
    sets, models : tuple of str
        Some of them.
    permutations : int
        Of the null of the recipe that ships (ridge) and of LDA on block means; of orders common to all there
        are no more than there are.
    """
    lines = [
        "| set | model | window: balanced accuracy | AUC | block: balanced accuracy | AUC | p by block |"
    ]
    lines.append("|---|---|---|---|---|---|---|")
    found: dict[str, dict[str, RowFigures]] = {}
    for name in sets:
        folder = work / slug(name)
        cohort = cohort_of(name, folder / "cohort")
        cache, rows = SampleCache(cohort), found.setdefault(name, {})
        spread: Spread = dict.fromkeys(METRICS)
        for model in models_of(name):
            if model not in models:
                continue
            encoder = str(encoder_of(name, work / "encoders")) if MODELS[model].pretrained else ""
            recipe = recipe_of(name, model, permutations=0, encoder=encoder)
            table = fit_row(cache, recipe, folder / slug(model), condition=MODELS[model].condition)
            p: Mapping[Metric, Figure] = {}
            if model == KEPT:
                p, spread = null_of(name, model, cohort, folder / "null", permutations)
            elif model == ALIGNED_RIDGE_ROW and name in ORDERED:
                p, _ = null_of(name, model, cohort, folder / "null aligned", permutations)
            rows[model] = RowFigures.of(table, p)
            if model == KEPT:
                samples = cache.of(recipe)
                lda = block_means(samples, recipe)
                kept = folder / f"block means, p of {permutations}.json"
                if not kept.exists():
                    write_json(kept, block_means_p(samples, recipe, permutations))
                p = json.loads(kept.read_text(encoding="utf-8"))
                rows[BLOCK_MEANS] = RowFigures({}, lda, p)
            print(name, model, rows[model].value(BA), flush=True)
        lines += [line_of(name, model, its, spread) for model, its in rows.items()]
        work.mkdir(parents=True, exist_ok=True)
        (work / "table.md").write_text("\n".join([*lines, "", *compared(found)]) + "\n", encoding="utf-8")
    write_json(work / "machine.json", describe_machine())
    print((work / "table.md").read_text(encoding="utf-8"))


def slug(name: str) -> str:
    """What a set's or a row's folder is called."""
    return name.replace(" ", "_").replace("/", "-").replace(":", "").replace(",", "")


def null_of(
    name: str, model: str, cohort: Path, folder: Path, permutations: int
) -> tuple[Mapping[Metric, Figure], Spread]:
    """The p by block of a row that is ridge, and the half interval that its ridge null gives."""
    recipe = recipe_of(name, model, permutations=permutations)
    kept = folder / "results.json"
    figures = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    if figures.get("recipe", {}).get("hash") != recipe.hash:
        figures = evaluate(cohort, recipe, folder, show=False).figures
    own = figures["by_block"]["conditions"][recipe.model.condition]
    half: dict[Metric, float | None] = {}
    for metric in METRICS:
        ends, value = own[metric].get("interval"), own[metric]["value"]
        few = ends is None or figures["people"] < FEWEST_FOR_OTHERS
        half[metric] = None if few else max(value - ends[0], ends[1] - value)
    return {metric: own[metric].get("p") for metric in METRICS}, half


def line_of(name: str, model: str, its: RowFigures, spread: Spread) -> str:
    """A row of the table: p is of balanced accuracy and of AUC."""
    window = [_number(its.window.get(metric)) for metric in (BA, "auc")]
    blocks = []
    for metric in (BA, "auc"):
        value = its.value(metric)
        ends = interval_of(its, metric, spread[metric])
        blocks.append(_number(value) + ("" if ends is None else f" ({ends[0]:.3f} to {ends[1]:.3f})"))
    p = " / ".join(f"{its.p[m]:.3f}" for m in (BA, "auc") if its.p.get(m) is not None)
    return f"| {' | '.join((name, model, *window, *blocks, p))} |"


def interval_of(its: RowFigures, metric: Metric, half: float | None) -> Ends | None:
    """From the null's spread where people are enough, else of blocks drawn within these people."""
    value = its.value(metric)
    if value is None:
        return None
    if half is None:
        return ends_of(drawn([its], metric)[0])
    return max(value - half, 0.0), min(value + half, 1.0)


def _number(value: Figure) -> str:
    return "" if value is None else f"{value:.3f}"


def compared(found: Mapping[str, Mapping[str, RowFigures]]) -> list[str]:
    """Rows less the best simple one, and additions less what there was before, by set and on average."""
    lines = ["| row | less | set | difference by block |", "|---|---|---|---|"]
    pairs: list[tuple[str, Sequence[str]]] = [(row, SIMPLE) for row in AGAINST_BEST]
    pairs += [(row, (LINEAR_ROW,)) for row in AGAINST_BEST]
    pairs += [(row, (BEFORE,)) for row in MODELS if row.startswith("+") or row in AGAINST_BEST]
    for row, others in pairs:
        each: dict[str, Apart] = {}
        for name, rows in found.items():
            if (apart := less_best(rows, row, others)) is not None:
                each[name] = apart
                low, high = ends_of(apart.draws)
                value = f"{apart.value:+.3f} ({low:+.3f} to {high:+.3f})"
                lines.append(f"| {row} | {apart.other} | {name} | {value} |")
        if each:
            mean, (low, high) = mean_apart(list(each.values()))
            what = "the best simple" if others == SIMPLE else others[0]
            lines.append(
                f"| {row} | {what} | **mean of {len(each)}** | **{mean:+.3f}** ({low:+.3f} to {high:+.3f}) |"
            )
    return lines


if __name__ == "__main__":
    app()
