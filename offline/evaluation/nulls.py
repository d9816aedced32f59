"""The permutation tests of an evaluation: of the ridge model, of the recipe's own network, and of channels.

Where recordings share an order of labels (`offline.stats.label_order`), the null that fits permutes the order
common to all; the usual one, within each recording, is kept beside it for the ridge model.  The network's and
the channels' are then of common orders alone.

The network's own keeps the recipe's settings, whether or not others were chosen inside the folds: it is
conditional on them and is called that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from offline.base.predictions import Predictions
from offline.evaluation.channel_map import channel_map
from offline.evaluation.evaluation_plan import EvaluationPlan
from offline.evaluation.order_null import PositionRemoved, order_null, position_removed
from offline.evaluation.ridge_null import ridge_null
from offline.evaluation.tasks import FitResult
from offline.evaluation.windows import WindowFit
from offline.stats.null import Null
from offline.stats.permutation import can_change


@dataclass(frozen=True, eq=False)
class RidgeNulls:
    """What the ridge procedure gives where there is nothing to find.

    Parameters
    ----------
    usual : Null or None
        With labels permuted within recordings, or between people where a label is theirs.
    order : Null or None
        With other orders common to all; None where recordings share none.
    position : PositionRemoved or None
        The same procedure on features without what position explains.
    """

    usual: Null | None
    order: Null | None = None
    position: PositionRemoved | None = None

    @property
    def fitting(self) -> Null | None:
        """The one that fits the design."""
        return self.usual if self.order is None else self.order


def nulls_of(plan: EvaluationPlan, permutations: int) -> RidgeNulls:
    """All of them; none without permutations, or where no label could have been another's."""
    usual, order = null_of(plan, permutations), plan.shared_order
    if usual is None or order is None:
        return RidgeNulls(usual)
    how = {"permutations": permutations, "repeats": plan.recipe.evaluation.repeats, "seed": plan.seed}
    return RidgeNulls(
        usual, order_null(plan.features, order, **how), position_removed(plan.features, order, **how)
    )


def null_of(plan: EvaluationPlan, permutations: int) -> Null | None:
    """The usual ridge null; None without permutations, or where no label could have been another's."""
    if permutations == 0 or not can_change(plan.samples.table, by_person=plan.by_person):
        return None
    repeats = plan.recipe.evaluation.repeats
    return ridge_null(plan.features, permutations=permutations, repeats=repeats, seed=plan.seed)


def network_null_of(plan: EvaluationPlan, results: Sequence[FitResult[WindowFit]]) -> Null | None:
    """The null of results of tasks with permuted labels; None where there are none."""
    parts: dict[int, list[Predictions]] = {}
    for each in results:
        number = each.task.permutation or 0
        table, fold = plan.permuted_table(number), each.task.fold
        own = Predictions.of_fold(plan.samples.labels, table, fold, each.scores, repeat=each.task.repeat)
        parts.setdefault(number, []).append(own)
    return Null.of([parts[k] for k in sorted(parts)], by_person=plan.by_person) if parts else None


def map_of(plan: EvaluationPlan) -> dict[str, Any] | None:
    """Where labels differ on the head, where there are two and permutations were asked for."""
    if plan.permutations == 0 or len(plan.samples.labels) != 2:
        return None
    return channel_map(
        plan.features,
        plan.simple.names,
        permutations=plan.permutations,
        seed=plan.seed,
        order=plan.shared_order,
    )
