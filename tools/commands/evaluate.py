"""``hemostream evaluate``: a recipe on people whom the model has never seen."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from models.errors import HemostreamError

if TYPE_CHECKING:
    pass


def evaluate(
    cohort: Path,
    *,
    recipe: str,
    out: Annotated[Path | None, Parameter(name=["--out", "-o"])] = None,
    network: tuple[str, ...] = (),
    workers: int = 1,
    cluster: str | None = None,
    audit: bool = False,
    plan: Annotated[bool, Parameter(negative="")] = False,
    allow_damaged: bool = False,
) -> None:
    """Evaluate a recipe on people that the model has never seen.

    Writes report.html (the page to read), results.json (the figures), predictions.csv and samples.csv
    (what they are computed from) and run.json (times, versions, machine), and prints the figures by
    person, beside the majority rate and simple baselines. A run that was stopped goes on where it was when
    it is started again with the same --out.

    Parameters
    ----------
    cohort : Path
        Table of recordings (tabs between columns): recording, person; optional session, site, age, sex,
        and columns of labels.
    recipe : str
        One that ships with hemostream (tapping, cortivision, bold, demo, xu2019, xu2020), or a TOML file.
    out : Path
        Report folder to write; only --plan does without.
    network : tuple of str
        Judge this network (cgrnn, lstm, cnn_lstm) with its defaults; may be given more than once.
        Default: the recipe's.
    workers : int
        Processes that share the folds; 0 is one a core. The figures do not depend on it.
    cluster : str
        Let the workers of this Dask scheduler share the folds instead: tcp://127.0.0.1:PORT, or
        tls://HOST:PORT for other machines. The figures do not depend on it.
    audit : bool
        Also show what leakage protocols would have claimed (audit.json, audit.png).
    plan : bool
        Only print how many fits it would take and about how many hours; nothing is written.
    allow_damaged : bool
        Take what is left of recordings of which much cannot be read.
    """
    from offline.base.process_pool import how_many
    from offline.evaluation import evaluate as evaluation
    from offline.evaluation.planning import print_plan
    from offline.samples.recipe import load_recipe
    from realtime.inference import one_thread

    one_thread()
    workers = how_many(workers)
    its = load_recipe(recipe, allow_damaged=allow_damaged)
    if plan:
        costs = evaluation.plan_evaluation(cohort, its, networks=network, audited=audit)
        print_plan(costs, workers)
        return
    if out is None:
        raise HemostreamError("--out is missing: the folder for the report. (Only --plan does without.)")
    evaluation.evaluate(
        cohort,
        its,
        out,
        networks=network,
        workers=workers,
        cluster=cluster,
        audited=audit,
    )
