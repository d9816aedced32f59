"""An evaluation by block (trial): the level at which a laboratory counts.

Windows of a block are put together by `offline.stats.blocks`; people stay the unit of every interval.  A
pure function of the prediction table, of the nulls and of what became of each recording.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from offline.base.predictions import Predictions
from offline.evaluation.fit_and_predict import TIME
from offline.evaluation.nulls import RidgeNulls
from offline.evaluation.over_block import over_block
from offline.evaluation.summary import null_figures, nulls_for, within_people
from offline.samples.recipe import Recipe
from offline.samples.sample_account import SampleAccount, blocks_lost
from offline.stats.blocks import RULE, by_block
from offline.stats.label_order import LabelOrder
from offline.stats.metrics import figures
from offline.stats.null import Null
from offline.stats.paired_comparison import compared

NULL_OF = "the whole ridge procedure on permuted labels, by block"
ORDER_NULL_OF = "the whole ridge procedure on other orders common to all, by block"


def block_figures(
    table: Predictions,
    recipe: Recipe,
    accounts: Sequence[SampleAccount],
    *,
    simple: Sequence[str],
    nulls: RidgeNulls,
    order: LabelOrder | None,
    own_null: Null | None,
) -> dict[str, Any] | None:
    """What stands in ``results.json`` of blocks.

    Parameters
    ----------
    table : Predictions
        Of windows, all conditions; the recipe's own first.
    recipe : Recipe
        What was evaluated.
    accounts : sequence of SampleAccount
        One a recording.
    simple : sequence of str
        Conditions that are baselines.
    nulls, order, own_null
        As `offline.evaluation.summary.summary` takes them.

    Returns
    -------
    dict or None
        JSON types; None where the label is the person's.  ``rule``; ``blocks`` of each label and ``people``;
        ``without_a_figure`` (who has no block of some label); ``primary``; ``null``; under ``conditions`` for
        each its figures and ``persons``; ``compared``; ``lost`` (`lost_blocks`); and what
        `offline.evaluation.over_block` gives: ``best_simple``, ``over_seconds`` and ``transfer``.
    """
    if table.block is None:
        return None
    metric, seed = recipe.evaluation.metric, recipe.training.seed
    tables = {name: by_block(table.of_condition(name)) for name in table.conditions}
    own = table.conditions[0]
    first = tables[own]
    conditions: dict[str, Any] = {}
    for name, its in tables.items():
        its_nulls = nulls_for(name, own, nulls, order, own_null).of_blocks
        persons = {person: figures(its.of_person(person)) for person in its.people}
        conditions[name] = {
            **within_people(its, metric, None, its_nulls, seed),
            "persons": persons,
        }
    once = first.rows(first.repeat == first.repeat.min())
    labels = {person: np.unique(once.y[once.person == person]) for person in once.people}
    counts = np.bincount(once.y, minlength=len(table.labels)).tolist()
    of_signal = [name for name in simple if name != TIME]
    # The null that p is of.
    fitting, of = nulls.fitting, NULL_OF if nulls.order is None else ORDER_NULL_OF
    best = [best_of(conditions, names, metric) for names in (simple, of_signal)]
    return {
        "rule": RULE,
        "blocks": dict(zip(table.labels, counts, strict=True)),
        "people": len(once.people),
        "without_a_figure": sorted(name for name, own in labels.items() if len(own) < len(table.labels)),
        "primary": metric,
        "null": null_figures(None if fitting is None else fitting.of_blocks, of),
        "conditions": conditions,
        "compared": {
            name: compared(first, its, metric, by_person=False, seed=seed)
            for name, its in tables.items()
            if name != own
        },
        "lost": lost_blocks(accounts),
        **over_block(table, recipe, accounts, best=best),
    }


def best_of(conditions: Mapping[str, Any], simple: Sequence[str], metric: str) -> str | None:
    """The baseline with the highest primary figure by block, the clock included; None where none has one."""
    known = {
        name: value
        for name in simple
        if name in conditions and (value := conditions[name][metric]["value"]) is not None
    }
    return max(known, key=lambda name: known[name]) if known else None


def lost_blocks(accounts: Sequence[SampleAccount]) -> dict[str, Any]:
    """How many blocks gave no labelled window, and why.

    JSON types: ``asked`` by label, ``lost`` by label and reason, ``reasons`` over all labels, and the first
    two ``by_person``, of whoever lost one.
    """
    by_person: dict[str, list[SampleAccount]] = {}
    for account in accounts:
        by_person.setdefault(account.person, []).append(account)
    return {
        **_asked_and_lost(accounts),
        "reasons": blocks_lost(accounts),
        "by_person": {
            person: _asked_and_lost(own) for person, own in sorted(by_person.items()) if blocks_lost(own)
        },
    }


def _asked_and_lost(accounts: Sequence[SampleAccount]) -> dict[str, Any]:
    asked: dict[str, int] = {}
    lost: dict[str, dict[str, int]] = {}
    for account in accounts:
        for label, n in account.blocks.items():
            asked[label] = asked.get(label, 0) + n
        for label, reasons in account.blocks_lost.items():
            its = lost.setdefault(label, {})
            for reason, n in reasons.items():
                its[reason] = its.get(reason, 0) + n
    return {"asked": asked, "lost": lost}
