"""An amount is told by a study's table, by age and sex, and by the mean: figures and report."""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from models.arrays import Floats
from models.errors import RecipeError
from models.private import private_folder
from offline.base.progress import Tell
from offline.base.versions import versions
from offline.scans import Scans
from offline.stats.regression import FIGURES, Amounts, figures_of, values_of, write_amounts
from offline.studies.base import Role, Study
from offline.studies.division import SEED, TENFOLD, TRANSDUCTIVE, UNSEEN_SITE, Profile
from offline.studies.running import described
from offline.studies.severity import (
    enough_of_each_site,
    judged,
    people_folds,
    permuted_amounts,
    site_parts,
)
from offline.studies.severity_page import TRAITS, write_page
from offline.studies.sheet import write_json
from offline.studies.tables import TABLES, digest, table_of

MEAN = "mean of the others"
BEYOND = ", beyond age and sex"
"""What training people's amounts follow from age and sex is taken out of everybody's first."""
FEWEST = 40
ALONE = ", {} alone"
"""Of the same predictions, only people with the disorder: whether more is told than who has it."""


def run_severity(
    study: Study, scans: Scans, out: Path, profile: Profile, *, cache: Path, tell: Tell
) -> tuple[Amounts, dict[str, Any]]:
    """Evaluate how well a study's table tells an amount, and write its report.

    Predictors are the study's table alone; scores (IQ and medication, where data have them) never are.

    Parameters
    ----------
    study : Study
        Whose table.
    scans : Scans
        Whose target is an amount.
    out : path
        Its folder: ``results.json``, ``predictions.csv``, ``run.json``, ``report.html``.
    profile : Profile
        How much is computed.
    cache : path
        Tables that were computed before, shared between studies.
    tell : callable
        Told of progress.

    Returns
    -------
    Amounts, dict
        What was said of everybody, and what is in ``results.json``.

    Raises
    ------
    RecipeError
        The study tells labels only, the target is no amount, or there are too few people.
    """
    if not study.tells_amounts or not scans.tells_amount:
        raise RecipeError(
            f"{study.name} on {scans.target!r}: an amount is told by linear models of a table; expected "
            "ridge, ridge-partial, ridge-table, age-sex or motion, and a target that is an amount "
            f"({', '.join(scans.scores) or 'these data have none'})."
        )
    scans, left_out = enough_of_each_site(scans)
    if len(scans) < FEWEST:
        raise RecipeError(
            f"{scans.target!r} is known of {len(scans)} people at sites that are large enough; expected "
            f"{FEWEST} or more."
        )
    began = time.perf_counter()
    tell(study.name, 0, 1, f"table: {study.table}")
    X = np.load(table_of(study.table, scans, cache), mmap_mode="r", allow_pickle=False)
    seconds = {"table": time.perf_counter() - began}
    features: dict[str, npt.NDArray[Any] | None] = {study.table: X, TRAITS: TABLES[TRAITS](scans), MEAN: None}
    amounts = permuted_amounts(scans.scores[scans.target], scans.site, profile.permutations)
    parts: list[Amounts] = []
    figures: dict[str, Any] = {}
    nulls: dict[str, dict[str, Floats]] = {}
    plan = _plan(study, features, scans, profile)
    for number, (name, arm, repeats) in enumerate(plan):
        clock = time.perf_counter()
        label = f"{name}, {arm}"
        with threadpool_limits(1):
            table, null = _arm(features, name, amounts, scans, repeats, label)
        parts.append(table)
        nulls[label] = null
        figures[label] = _without_r(figures_of(table, null)) if name == MEAN else figures_of(table, null)
        if name != MEAN and len(scans.labels) == 2:
            figures[label + ALONE.format(scans.labels[-1])] = _only_r(figures_of(_alone(table, scans)))
        seconds[label] = time.perf_counter() - clock
        tell(study.name, number + 1, len(plan), label)
    whole = Amounts.concatenate(parts)
    results = {
        "study": described(study),
        "profile": asdict(profile),
        "data": _data(scans, left_out),
        "arms": figures,
        "null": {
            label: {each: {"mean": float(v.mean()), "sd": float(v.std(ddof=1))} for each, v in null.items()}
            for label, null in nulls.items()
            if profile.permutations > 1
        },
    }
    private_folder(out)
    write_amounts(out / "predictions.csv", whole)
    run = {"seconds": {name: round(value, 2) for name, value in seconds.items()}, "versions": versions()}
    for name, values in (("results.json", results), ("run.json", run)):
        write_json(out / name, values)
    write_page(out, results)
    return whole, results


def _plan(
    study: Study, features: Mapping[str, Any], scans: Scans, profile: Profile
) -> list[tuple[str, str, list[Any]]]:
    """What is told from, the arm, and its divisions."""
    sites = site_parts(scans.site)
    tens = [people_folds(scans.site, seed=SEED + repeat) for repeat in range(profile.repeats)]
    out: list[tuple[str, str, list[Any]]] = []
    for name in features:
        own = name == study.table
        if sites:
            out.append((name, UNSEEN_SITE, [sites]))
            if own and study.role is not Role.CONFOUND:
                out.append((name, TRANSDUCTIVE, [sites]))
            if own and name != TRAITS:
                out.append((name, UNSEEN_SITE + BEYOND, [sites]))
        out.append((name, TENFOLD, tens))
        if own and name != TRAITS:
            out.append((name, TENFOLD + BEYOND, tens))
    return out


def _arm(
    features: Mapping[str, npt.NDArray[Any] | None],
    name: str,
    amounts: Floats,
    scans: Scans,
    repeats: list[Any],
    label: str,
) -> tuple[Amounts, dict[str, Floats]]:
    """What was said with the true amounts, and the figures of each permuted labelling."""
    centre, beyond = label.endswith(TRANSDUCTIVE), features[TRAITS] if label.endswith(BEYOND) else None
    told = [
        judged(features[name], amounts, scans.site, folds, centre=centre, beyond=beyond) for folds in repeats
    ]

    def table(labelling: int) -> Amounts:
        return Amounts.concatenate(
            [
                _rows(folds, repeat, label, scans, y[:, labelling], said[:, labelling])
                for repeat, (folds, (y, said)) in enumerate(zip(repeats, told, strict=True))
            ]
        )

    each = [values_of(table(1 + number)) for number in range(amounts.shape[1] - 1)]
    return table(0), {name: np.array([its[name] for its in each]) for name in FIGURES}


def _rows(folds: Any, repeat: int, label: str, scans: Scans, y: Floats, said: Floats) -> Amounts:
    """In order of people, so that a draw of rows is one of people in every repeat.

    People are compared within a fold and a site: of a group alone, a site with few of it has higher amounts
    (in its own units), and what tells the site would seem to tell the amount.
    """
    fold = np.empty(len(y), dtype=object)
    for each in folds:
        fold[each.test] = np.char.add(f"{each.name}, ", scans.site[each.test])
    n = len(y)
    order = np.argsort(scans.table.person, kind="stable")
    return Amounts(
        np.full(n, repeat, dtype=np.int64),
        fold.astype(np.str_)[order],
        np.full(n, label),
        scans.table.person[order],
        y[order],
        said[order],
    )


def _alone(table: Amounts, scans: Scans) -> Amounts:
    """Rows of the people whose label is not the first, the controls'."""
    theirs = scans.table.person[scans.y > 0]
    chosen = np.isin(table.person, theirs)
    return Amounts(*(getattr(table, name)[chosen] for name in Amounts.__dataclass_fields__))


def _only_r(figures: dict[str, Any]) -> dict[str, Any]:
    # Told of everybody, and against the mean of a few: the others would say who has the disorder again.
    return figures | {name: {"value": None, "interval": None, "p": None} for name in FIGURES if name != "r"}


def _without_r(figures: dict[str, Any]) -> dict[str, Any]:
    # The mean of the others falls where a person's own amount is high: no correlation.
    return figures | {"r": {"value": None, "interval": None, "p": None}}


def _data(scans: Scans, left_out: tuple[str, ...]) -> dict[str, Any]:
    amount = scans.scores[scans.target]
    sites = {
        name: {
            "people": int(np.count_nonzero(here := scans.site == name)),
            "mean": float(amount[here].mean()),
            "sd": float(amount[here].std()),
            "least": float(amount[here].min()),
            "most": float(amount[here].max()),
        }
        for name in np.unique(scans.site).tolist()
    }
    known = hashlib.sha256(np.ascontiguousarray(amount).tobytes()).hexdigest()
    return {
        "derivative": scans.derivative,
        "digest": digest(scans),
        "amount_digest": known,
        "target": scans.target,
        "unit": "SD of the site",
        "people": len(scans),
        "sites": sites,
        "remarks": [*scans.remarks, *left_out],
    }
