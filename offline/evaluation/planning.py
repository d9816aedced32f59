"""What an evaluation will cost, before it is paid: how many fits, and how many hours on this machine."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rich.console import Console
from rich.table import Table

from offline.base.progress import Tell, silent
from offline.base.terminal import PlainConsole
from offline.estimators.baselines import window_features
from offline.evaluation.conditions import Condition, settings_kept
from offline.evaluation.fit_and_predict import baselines_of
from offline.evaluation.leakage_audit import audit
from offline.evaluation.null import ridge_null
from offline.evaluation.runner import UNLIKE, Job, perform
from offline.samples.recipe import Recipe
from offline.samples.samples import Samples
from offline.training.search import inner_folds, searches
from offline.training.train import fit_settings, train_network
from offline.training.validation import validation_split

TRIED = 20
"""Labellings of the null by which the rest are predicted."""


@dataclass(frozen=True)
class Cost:
    """What one arm takes.

    Parameters
    ----------
    arm : str
        Its name, or "null".
    folds, fits : int
        How many are judged, and how many models are fitted (trials and inner folds among them).
    epochs : int
        Most of all fits together; 0 where nothing is trained by epochs.
    hours : float
        About, by one process; of networks as if none stopped early.
    shared : bool
        Whether several processes share it.
    """

    arm: str
    folds: int
    fits: int
    epochs: int
    hours: float
    shared: bool = True


def plan(
    samples: Samples,
    recipe: Recipe,
    planned: Sequence[tuple[Condition, int, Job]],
    *,
    permutations: int,
    network_permutations: int,
    by_person: bool,
    unlike: Sequence[Job] = (),
    careless: Sequence[Job] = (),
    rounds: int = 0,
    tell: Tell,
) -> list[Cost]:
    """Measure one epoch of each network and one fold of each baseline, and count.

    Early stopping ends most trainings sooner, so hours of networks are the upper end; all others are measured
    and multiplied.

    Parameters
    ----------
    samples : Samples
        All.
    recipe : Recipe
        What is evaluated.
    planned : sequence of (Arm, int, Job)
        What would be done.
    permutations, network_permutations : int
        Labellings of the null, and of the network's own; 0 where there is none.
    by_person : bool
        Whether the label is the person's.
    unlike : sequence of Job
        Those that count windows unlike the training.
    careless : sequence of Job
        Those of the network's audit.
    rounds : int
        Of the ridge model's audit, true labels and permuted; 0 where nothing is audited.
    tell : callable
        Told of what is measured.
    """
    folds = Counter(arm.name for arm, _, _ in planned)
    first: dict[str, tuple[Condition, Job]] = {}
    for arm, _, job in planned:
        first.setdefault(arm.name, (arm, job))
    out = []
    for done, (name, (arm, job)) in enumerate(first.items()):
        tell("measure", done, len(first), name)
        if arm.judge in baselines_of(recipe, traits=True):
            out.append(Cost(name, folds[name], folds[name], 0, folds[name] * _seconds(samples, job) / 3600))
        else:
            out.append(_of_network(samples, arm, job, folds[name]))
    tell("measure", len(first), len(first), "")
    if network_permutations:
        arm, job = next(iter(first.values()))
        bare = Condition(arm.name, arm.judge, settings_kept(arm.recipe))
        folds_each = sum(1 for each, _, _ in planned if each.name == arm.name)
        cost = _of_network(samples, bare, job, network_permutations * folds_each)
        out.append(replace(cost, arm="network's null"))
    if careless:
        arm, job = next(iter(first.values()))
        bare = Condition(arm.name, arm.judge, settings_kept(arm.recipe))
        out.append(replace(_of_network(samples, bare, job, len(careless)), arm="network's audit"))
    if unlike:
        hours = _seconds(samples, unlike[0]) * len(unlike) / 3600
        out.append(Cost(UNLIKE, len(unlike), 0, 0, hours))
    if rounds:
        out.append(_of_audit(samples, recipe, by_person, rounds))
    if permutations:
        tried = min(TRIED, permutations)
        began = time.perf_counter()
        ridge_null(
            window_features(samples.X),
            samples.table,
            by_person=by_person,
            permutations=tried,
            repeats=recipe.evaluation.repeats,
            seed=recipe.training.seed,
        )
        hours = (time.perf_counter() - began) * permutations / tried / 3600
        out.append(Cost("null", permutations, permutations, 0, hours, shared=False))
    return out


def _of_audit(samples: Samples, recipe: Recipe, by_person: bool, rounds: int) -> Cost:
    """One round on true labels and one on permuted ones, and the draws of people that follow, measured."""
    features = window_features(samples.X)
    began = time.perf_counter()
    audit(
        features,
        samples.table,
        by_person=by_person,
        metric=recipe.evaluation.metric,
        permutations=1,
        divisions=1,
        seed=recipe.training.seed,
        tell=silent,
    )
    return Cost("audit", 0, rounds, 0, (time.perf_counter() - began) * rounds / 2 / 3600, shared=False)


def _of_network(samples: Samples, arm: Condition, job: Job, n_folds: int) -> Cost:
    recipe = arm.recipe
    trials = recipe.budget.trials if searches(recipe) else 0
    again = 1 if recipe.evaluation.over_time else 0  # once more by each inner fold
    inner = inner_folds(samples, job.fold, recipe.budget.inner_folds, 0) if trials or again else []
    n_networks = len(samples.names) if recipe.network.channels == "best" else 1
    fits = n_folds * (1 + (trials + again) * len(inner)) * n_networks
    epochs = fit_settings(recipe).epochs
    # An inner fold learns from a part of the people only.
    whole = 1 + (trials + again) * sum(len(each.train) for each in inner) / max(len(job.fold.train), 1)
    epoch, once = _epoch_seconds(samples, recipe, job)
    seconds = epoch * epochs * whole * n_networks
    return Cost(arm.name, n_folds, fits, fits * epochs, (n_folds * seconds + fits * once) / 3600)


def _epoch_seconds(samples: Samples, recipe: Recipe, job: Job) -> tuple[float, float]:
    """Seconds of an epoch, and what each fit costs besides: one of two epochs less one of one."""
    split = validation_split(
        samples.table, job.fold.train, seed=0, fraction=recipe.training.validation_fraction
    )
    took = []
    for epochs in (1, 1, 2):  # the first fit of a process takes longer than any other
        training = recipe.training.model_copy(update={"epochs": epochs, "min_epochs": 1})
        began = time.perf_counter()
        train_network(
            samples,
            recipe.model_copy(update={"training": training}),
            train_index=split.train,
            validation_index=split.validation,
            seed=0,
        )
        took.append(time.perf_counter() - began)
    epoch = max(took[2] - took[1], 0.1 * took[1])
    return epoch, max(took[1] - epoch, 0.0)


def _seconds(samples: Samples, job: Job) -> float:
    return perform(samples, job).seconds


def print_plan(costs: Sequence[Cost], workers: int, console: Console | None = None) -> None:
    """Print fits and time of every condition, and of all.

    Parameters
    ----------
    costs : sequence of Cost
        Of every arm.
    workers : int
        Processes that would share the folds.
    console : rich console or None
        Where to.
    """
    table = Table(
        title="About what this evaluation would cost (measured on this machine, one process)",
        caption="networks as if none stopped early; on a machine that does other work too it takes longer",
    )
    table.add_column("")
    for name in ("folds", "fits", "epochs", "time"):
        table.add_column(name, justify="right")
    for cost in costs:
        table.add_row(
            cost.arm,
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
