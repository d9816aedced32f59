"""``hemostream evaluate``: a recipe on people whom the model has never seen."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.errors import HemostreamError
from tools.messages import say
from tools.outputs import Out, check_report


def evaluate(
    cohort: Path,
    *,
    recipe: str,
    out: Out | None = None,
    compare: tuple[str, ...] = (),
    workers: int = 1,
    cluster: str | None = None,
    audit: bool = False,
    plan: bool = False,
    allow_damaged: bool = False,
    overwrite: bool = False,
) -> None:
    """Evaluate a recipe on people that the model has never seen.

    Writes report.html (the page to read), results.json (the figures), predictions.csv and samples.csv
    (what they are computed from) and run.json (times, versions, machine), and prints the figures by
    person, next to the majority rate and simple baselines. A run that was stopped goes on where it was when
    it is started again with the same --out: that is no overwriting.

    Parameters
    ----------
    cohort : Path
        Table of recordings (tabs between columns): recording, person; optional session, site, age, sex,
        and columns of labels.
    recipe : str
        One that ships with hemostream (lateralised, movement, nback, tapping, cortivision, bold, demo,
        xu2019, xu2020), or a TOML file.
    out : Path
        Report folder to write; only --plan does without.
    compare : tuple of str
        Evaluate a model of this kind too (ridge, linear, memory, likeness, cgrnn, lstm, cnn_lstm,
        virtual_probe, blend, best), with its defaults; may be given more than once. The recipe's own always
        is, and simple ones beside it.
    workers : int
        Processes that share the folds; 0 is one a core. The figures do not depend on it.
    cluster : str
        Let the workers of this Dask scheduler share the folds instead: tcp://127.0.0.1:PORT, or
        tls://HOST:PORT for other machines. The figures do not depend on it.
    audit : bool
        Also show what leakage protocols would have claimed (audit.json, audit.png).
    plan : bool
        Only print how many fits it would take and about how long; nothing is written.
    allow_damaged : bool
        Take what is left of recordings of which much cannot be read.
    overwrite : bool
        Replace a whole report that is there already.
    """
    if out is not None and not plan:
        check_report(out, overwrite=overwrite, page="results.json", unfinished="work")
    from offline.base.process_pool import how_many
    from offline.evaluation import evaluate as evaluation
    from offline.evaluation.planning import print_plan
    from offline.samples.recipe import load_recipe
    from realtime.inference import one_thread

    one_thread()
    workers = how_many(workers)
    its = load_recipe(recipe, allow_damaged=allow_damaged)
    if plan:
        costs = evaluation.plan_evaluation(cohort, its, compare=compare, audited=audit)
        print_plan(costs, workers)
        return
    if out is None:
        raise HemostreamError("--out is missing: the folder for the report. (Only --plan does without.)")
    results = evaluation.evaluate(
        cohort,
        its,
        out,
        compare=compare,
        workers=workers,
        cluster=cluster,
        audited=audit,
    )
    if summary := main_figure(results.figures):
        say(summary)
    if results.figures.get("served"):
        from offline.report.served import served_words

        say(f"hemostream train with --evaluation {out} puts this on the bundle's card:")
        for words in served_words(results.figures)[:2]:
            say(words)
    page = out / "report.html"
    say(f"Report: {page if page.exists() else out / 'results.json'}")


NAMES = {"auc": "AUC", "balanced_accuracy": "balanced accuracy"}


def main_figure(results: Mapping[str, Any]) -> str | None:
    """The figure that was fixed beforehand, of the first model, with its interval and the null.

    Parameters
    ----------
    results : mapping
        What results.json holds.

    Returns
    -------
    str or None
        None where a continuous target was evaluated: its table holds the figures.
    """
    from offline.report.order_words import fitting_null
    from offline.report.words import chance_words

    if "primary" not in results:
        return None
    metric = results["primary"]["metric"]
    model, its = next(iter(results["conditions"].items()))
    figure = its["by_person"][metric]
    if figure["value"] is None:
        return f"{model}: {NAMES[metric]} could not be computed for {results['people']} people."
    interval = figure["interval"]
    shown = (
        "no interval, too few people" if interval is None else f"95 % {interval[0]:.3f} to {interval[1]:.3f}"
    )
    null = fitting_null(results)
    chance = "no null was asked for"
    if null is not None:
        spread = "" if null["sd"][metric] is None else f" with SD {null['sd'][metric]:.3f}"
        chance = f"{null['of']}, {null['permutations']} times: {null['mean'][metric]:.3f}{spread}"
    return (
        f"{model} on {results['people']} unseen people: {NAMES[metric]} {figure['value']:.3f} ({shown}); "
        f"{chance}. {chance_words(results, model)}"
    )
