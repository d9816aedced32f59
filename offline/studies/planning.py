"""Which fits a study consists of: every condition's folds, the permuted ones, and who is predicted."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from models.errors import HemostreamError
from offline.base.row_splits import own_folds, ten_folds, unseen_sites
from offline.base.sample_table import SampleTable
from offline.base.splits import Fold
from offline.evaluation.tasks import FitTask
from offline.report.study import OWN, TENFOLD, TRANSDUCTIVE, UNSEEN_SITE
from offline.scans import Scans
from offline.studies.base import Role, Study
from offline.studies.fitting import ScanFit, ScanTask
from offline.studies.profile import PERMUTED, SEED, Profile

FEWEST_PREDICTED = 10
"""People of each label among those of whom a study predicts."""


def planned(study: Study, table: SampleTable, profile: Profile) -> list[ScanTask]:
    """Every condition's folds with the true labels."""
    sites, plain = unseen_sites(table), ScanFit()
    out = [FitTask(fold, UNSEEN_SITE, plain) for fold in sites]
    if study.transductive and study.role is not Role.CONFOUND:
        out += [FitTask(fold, TRANSDUCTIVE, ScanFit(centred=True)) for fold in sites]
    for repeat in range(profile.repeats):
        folds = ten_folds(table, seed=SEED + repeat)
        out += [FitTask(fold, TENFOLD, plain, repeat=repeat) for fold in folds]
    if study.paper.one_site_of and table.target.max(initial=0) < 2:  # papers' protocols compare two groups
        out += [FitTask(fold, OWN, plain) for fold in own_folds(table, study.paper.one_site_of)]
    return out


def null_tasks(table: SampleTable, profile: Profile, setting: int) -> list[ScanTask]:
    """Ten folds again for every permutation (`offline.stats.permutation.permuted_labels`).

    A profile that keeps the setting keeps this one: what the true labels' ten folds chose most often.
    """
    kept = setting if profile.kept else None
    return [
        FitTask(fold, PERMUTED, ScanFit(setting=kept, division=SEED + repeat), permutation=number)
        for repeat in range(profile.repeats)
        for fold in ten_folds(table, seed=SEED + repeat)
        for number in range(repeat, profile.permutations, profile.repeats)
    ]


def people_of(study: Study, scans: Scans) -> npt.NDArray[np.bool_]:
    """Of whom a study predicts, (n,) bool; refused where they are too few of a label."""
    if study.population is None:
        return np.ones(len(scans), dtype=np.bool_)
    chosen = np.asarray(study.population.chosen(scans), dtype=np.bool_)
    counts = np.bincount(scans.y[chosen], minlength=len(scans.labels))
    if counts.min() < FEWEST_PREDICTED:
        found = ", ".join(f"{n} {label}" for label, n in zip(scans.labels, counts, strict=True))
        raise HemostreamError(
            f"{study.name} predicts {study.population.words}; found {found}. "
            f"Expected {FEWEST_PREDICTED} or more of each."
        )
    return chosen


def only(tasks: Sequence[ScanTask], people: npt.NDArray[np.bool_], table: SampleTable) -> list[ScanTask]:
    """The same tasks, predicting only some people, (n,) bool; those that predict nobody are left out."""
    if people.all():
        return list(tasks)
    out = []
    for task in tasks:
        test = task.fold.test[people[task.fold.test]]
        if test.size:
            held = tuple(sorted(table.person[test].tolist()))
            out.append(replace(task, fold=Fold(held, task.fold.train, test, task.fold.name)))
    return out
