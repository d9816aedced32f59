"""What an evaluation will cost, before it is paid: how many fits, and how many hours on this machine."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from rich.console import Console
from rich.table import Table

from models.networks import COMBINED_KINDS, SOLVED_KINDS
from offline.base.cohort import Cohort
from offline.base.progress import Tell
from offline.base.splits import Fold
from offline.base.terminal import PlainConsole
from offline.evaluation.evaluation_plan import CONDITIONS, EvaluationPlan
from offline.evaluation.figures import figures_of, predictions_of
from offline.evaluation.fit_and_predict import BASELINES
from offline.evaluation.leakage.window_audits import DIVISIONS, PERMUTATIONS, audit_ridge
from offline.evaluation.nulls import RidgeNulls, nulls_of
from offline.evaluation.own_minutes import OWN_MINUTES
from offline.evaluation.runner import perform
from offline.evaluation.tasks import FitResult
from offline.evaluation.windows import OUT_OF_DISTRIBUTION, WindowProcedure, WindowTask
from offline.samples.recipe import Recipe
from offline.samples.samples import Samples
from offline.training.choice import inner_folds
from offline.training.search import search_folds, searches
from offline.training.train import fit_settings, train_within

TRIED = 20
"""Permutations of the null by which the rest are predicted."""


@dataclass(frozen=True)
class Cost:
    """What one condition takes.

    Parameters
    ----------
    condition : str
        Its name, or "null".
    folds, fits : int
        How many there are, and how many models are fitted (trials and inner folds among them).
    epochs : int
        Most of all fits together; 0 where nothing is trained by epochs.
    hours : float
        About, by one process; of networks as if none stopped early.
    shared : bool
        Whether several processes share it.
    """

    condition: str
    folds: int
    fits: int
    epochs: int
    hours: float
    shared: bool = True


def costs_of(
    plan: EvaluationPlan, tasks: Sequence[WindowTask], cohort: Cohort, *, audited: bool, tell: Tell
) -> list[Cost]:
    """Measure one epoch of each network, one fold of each baseline and parts of all else, and count.

    Early stopping ends most trainings sooner, so hours of networks are the upper end; all others are measured
    and multiplied.
    """
    groups: dict[str, list[WindowTask]] = {}
    for task in tasks:
        groups.setdefault(task.condition if task.tag == CONDITIONS else task.tag, []).append(task)
    out = []
    for done, (name, own) in enumerate(groups.items()):
        tell("measure", done, len(groups), name)
        solved = own[0].fit.recipe.model.kind in BASELINES
        if own[0].fit.model in (*BASELINES, OUT_OF_DISTRIBUTION) or (name == OWN_MINUTES and solved):
            hours = len(own) * perform(WindowProcedure(plan.samples), own[:1])[0].seconds / 3600
            fits = 0 if name == OUT_OF_DISTRIBUTION else len(own)
            out.append(Cost(name, len(own), fits, 0, hours))
        else:
            combined = own[0].fit.recipe.model.kind in COMBINED_KINDS
            cost = _of_combined if combined else _of_network
            out.append(cost(plan.samples, name, own[0], len(own)))
    tell("measure", len(groups), len(groups), "")
    if audited:
        rounds = PERMUTATIONS + DIVISIONS
        two = partial(audit_ridge, plan.features, metric=plan.metric, permutations=1, divisions=1)
        out.append(Cost("audit", 0, rounds, 0, _hours_of(two) * rounds / 2, shared=False))
    if n := plan.permutations:
        tried = min(TRIED, n)
        out.append(Cost("null", n, n, 0, _hours_of(lambda: nulls_of(plan, tried)) * n / tried, shared=False))
    out.append(Cost("report", 0, 0, 0, _hours_of_report(plan, cohort, tasks), shared=False))
    return out


def _hours_of(run: Callable[[], object]) -> float:
    began = time.perf_counter()
    run()
    return (time.perf_counter() - began) / 3600


def _hours_of_report(plan: EvaluationPlan, cohort: Cohort, tasks: Sequence[WindowTask]) -> float:
    """How long figures, tables and pages take, of predictions drawn at random."""
    n, rng = len(plan.samples.labels), np.random.default_rng(0)
    results = [
        FitResult(task, rng.dirichlet(np.ones(n), len(task.fold.test)), {}, 0.0)
        for task in tasks
        if task.tag == CONDITIONS
    ]
    novel = [task for task in tasks if task.tag == OUT_OF_DISTRIBUTION]
    results += perform(WindowProcedure(plan.samples), novel[:1]) if novel else []
    return _hours_of(
        lambda: figures_of(
            plan, cohort, predictions_of(plan, results), results, nulls=RidgeNulls(None), where=None
        )
    )


def _of_combined(samples: Samples, name: str, task: WindowTask, n_folds: int) -> Cost:
    """Every member in every inner fold, and once more at most: it is not known which will be chosen."""
    recipe = task.fit.recipe
    inner = inner_folds(samples, recipe, task.fold.train, 0)
    whole = 1 + sum(len(each.train) for each in inner) / max(len(task.fold.train), 1)
    fits, epochs, hours = 0, 0, 0.0
    for section in recipe.model.sections:
        fit = replace(task.fit, model=section.condition, recipe=recipe.model_copy(update={"model": section}))
        own = replace(task, fit=fit)
        if section.kind in SOLVED_KINDS:
            fits += n_folds * (1 + len(inner))
            hours += n_folds * whole * perform(WindowProcedure(samples), [own])[0].seconds / 3600
            continue
        cost = _of_network(samples, name, own, n_folds)
        fits += cost.fits * (1 + len(inner))
        epochs += cost.epochs * (1 + len(inner))
        hours += cost.hours * whole
    return Cost(name, n_folds, fits, epochs, hours)


def _of_network(samples: Samples, name: str, task: WindowTask, n_folds: int) -> Cost:
    recipe = task.fit.recipe
    trials = recipe.budget.trials if searches(recipe) else 0
    again = 1 if recipe.evaluation.over_time else 0  # once more by each inner fold
    inner = search_folds(samples, task.fold, recipe.budget.inner_folds, 0) if trials or again else []
    n_networks = len(samples.names) if recipe.model.channels == "best" else recipe.training.ensemble
    fits = n_folds * (1 + (trials + again) * len(inner)) * n_networks
    epochs = fit_settings(recipe).epochs
    # An inner fold learns from a part of the people only.
    whole = 1 + (trials + again) * sum(len(each.train) for each in inner) / max(len(task.fold.train), 1)
    epoch, once = _epoch_seconds(samples, recipe, task.fold)
    seconds = epoch * epochs * whole * n_networks
    return Cost(name, n_folds, fits, fits * epochs, (n_folds * seconds + fits * once) / 3600)


def _epoch_seconds(samples: Samples, recipe: Recipe, fold: Fold) -> tuple[float, float]:
    """Seconds of an epoch, and what each fit costs besides: one of two epochs less one of one."""
    took = []
    for epochs in (1, 1, 2):  # the first fit of a process takes longer than any other
        training = recipe.training.model_copy(update={"epochs": epochs, "min_epochs": 1, "ensemble": 1})
        began = time.perf_counter()
        train_within(samples, recipe.model_copy(update={"training": training}), fold.train, seed=0)
        took.append(time.perf_counter() - began)
    epoch = max(took[2] - took[1], 0.1 * took[1])
    return epoch, max(took[1] - epoch, 0.0)


def print_plan(costs: Sequence[Cost], workers: int, console: Console | None = None) -> None:
    """Print fits and time of every condition, and of all, if so many processes shared the folds."""
    table = Table(
        title="About what this evaluation would cost (measured on this machine, one process)",
        caption="networks as if none stopped early; on a machine that does other work too it takes longer",
    )
    table.add_column("")
    for name in ("folds", "fits", "epochs", "time"):
        table.add_column(name, justify="right")
    for cost in costs:
        table.add_row(
            cost.condition,
            str(cost.folds or "–"),
            str(cost.fits or "–"),
            str(cost.epochs or "–"),
            _hours(cost.hours),
        )
    table.add_section()
    shared = sum(cost.hours for cost in costs if cost.shared)
    alone = sum(cost.hours for cost in costs if not cost.shared)
    fits = sum(cost.fits for cost in costs)
    table.add_row("all", "", str(fits), str(sum(c.epochs for c in costs)), _hours(shared + alone))
    if workers > 1:
        table.add_row(f"by {workers} processes", "", "", "", _hours(shared / workers + alone))
    (console or PlainConsole()).print(table)


def _hours(hours: float) -> str:
    """A time in the unit that reads best, two digits or so."""
    seconds = 3600 * hours
    if seconds < 100:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if hours < 2 else f"{hours:.1f} h"
