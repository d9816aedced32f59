"""Whether position in the session explains what was found: other common orders, features without position.

Two figures for cohorts whose recordings share an order of labels (`offline.stats.label_order`).  The **order
null** repeats the whole ridge procedure on other orders that are again common to all: what a model can learn
from position alone.  With **position removed**, the ridge model is given what of each feature does not follow
from its block's place: in every fold, the part of the training people's features that is linear in the round
and in the place within the round (without rounds: in position and its square) is fitted, and taken out of
everybody's.  No label and no held-out person enters that fit, and a live session, which knows how many blocks
it has seen, could do the same.  Where labels are tied to position, their effect is taken out with it; so the
figure is the share of the finding that position cannot explain.  It is additional, never the primary one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.arrays import Floats
from offline.base.predictions import Predictions
from offline.base.splits import Fold
from offline.evaluation.ridge_null import FeaturesIn, ridge_within_recordings
from offline.stats.label_order import LabelOrder
from offline.stats.null import Null
from offline.stats.permutation import Labels
from offline.stats.primary import METRICS, Metric, own_figures
from offline.training.feature_table import FeatureTable

MOST_DRAWN = 199
"""Where orders are too many to try all, no more are drawn: each costs two fits of every fold."""


def order_null(
    data: FeatureTable, order: LabelOrder, *, permutations: int, repeats: int = 1, seed: int = 0
) -> Null:
    """Evaluate the ridge baseline on other orders that are common to all.

    Parameters
    ----------
    data, order : FeatureTable, LabelOrder
        All windows, and the orders of their labels.
    permutations : int
        Most orders that are tried (`common_orders`).
    repeats, seed : int
        Divisions into folds that a figure is taken over; what chance follows from.
    """
    labels, exact = common_orders(order, permutations, seed=seed)
    return _null(data, order, labels, exact, repeats, seed, None)


@dataclass(frozen=True, eq=False)
class PositionRemoved:
    """The ridge model on features without what position explains.

    Parameters
    ----------
    own : mapping of metric to mapping of person to float
        People's own figures, of those who have one.
    null : Null
        The same with other common orders.
    terms : str
        What was taken out, in words.
    label_share : float
        Share of the labels' own variance that follows from the same terms, so that is taken out with them.
    """

    own: dict[Metric, dict[str, float]]
    null: Null
    terms: str
    label_share: float


def position_removed(
    data: FeatureTable, order: LabelOrder, *, permutations: int, repeats: int = 1, seed: int = 0
) -> PositionRemoved | None:
    """Evaluate the ridge baseline with position removed, and its null; parameters are those of `order_null`.

    None where position is the label (as with one block of each): nothing would be left.
    """
    found = position_terms(order)
    if found is None:
        return None
    terms, design, share = found
    _, whose, counts = np.unique(data.table.person, return_inverse=True, return_counts=True)
    weight = 1.0 / counts[whose]

    def features_in(fold: Fold) -> Floats:
        rows = fold.train[order.in_line[fold.train]]
        root = np.sqrt(weight[rows])[:, np.newaxis]
        whole = np.concatenate([np.ones((len(design), 1)), design], axis=1)
        fitted = np.linalg.lstsq(whole[rows] * root, data.features[rows] * root, rcond=None)[0]
        return np.asarray(data.features - design @ fitted[1:])

    (true,) = ridge_within_recordings(
        data, [data.table.target], repeats=repeats, seed=seed, features_in=features_in
    )
    own = {metric: own_figures(Predictions.concatenate(true), metric) for metric in METRICS}
    known = {metric: {person: v for person, v in its.items() if v is not None} for metric, its in own.items()}
    labels, exact = common_orders(order, permutations, seed=seed)
    null = _null(data, order, labels, exact, repeats, seed, features_in)
    return PositionRemoved(known, null, terms, share)


def position_terms(order: LabelOrder) -> tuple[str, Floats, float] | None:
    """What of position is taken out: in words, of each sample (n, n_terms) float64, and labels' share in it.

    The most of it that is not the label itself.  Terms are 0 where a unit has another number of blocks.
    """
    position = np.arange(order.n_positions)
    length = order.round_length
    if length < order.n_positions:
        rounds, places = (
            np.eye(order.n_positions // length)[position // length],
            np.eye(length)[position % length],
        )
        tried = {
            "the round and the place within the round": np.concatenate([rounds, places], axis=1),
            "the round (the place within it is the label)": rounds,
        }
    else:
        at = np.linspace(-1.0, 1.0, order.n_positions)[:, np.newaxis]
        tried = {
            "position in the session and its square": np.concatenate([at, at**2], axis=1),
            "position in the session": at,
        }
    for terms, design in tried.items():
        share = _share_of_labels(order, design)
        if share < 1.0 - 1e-6:
            whole = np.zeros((len(order.target), design.shape[1]))
            centred = design - design.mean(axis=0)
            whole[order.in_line] = centred[order.position[order.in_line]]
            return terms, whole, share
    return None


def _share_of_labels(order: LabelOrder, design: Floats) -> float:
    """Share of the variance of labels (one column each) that is linear in terms of position, 0 to 1."""
    labels = np.unique(order.orders)
    values = (order.orders[:, :, np.newaxis] == labels).astype(np.float64)
    values -= values.mean(axis=(0, 1))
    mean = values.mean(axis=0)  # (n_positions, n_labels): all that terms of position can follow
    whole = np.concatenate([np.ones((len(design), 1)), design], axis=1)
    fitted = whole @ np.linalg.lstsq(whole, mean, rcond=None)[0]
    return float(np.square(fitted).sum() * len(values) / np.square(values).sum())


def _null(
    data: FeatureTable,
    order: LabelOrder,
    labels: Sequence[Labels],
    exact: bool,
    repeats: int,
    seed: int,
    features_in: FeaturesIn | None,
) -> Null:
    rounds = ridge_within_recordings(data, labels, repeats=repeats, seed=seed, features_in=features_in)
    found = Null.of(rounds, by_person=False)
    return found.counted(order.like_true if exact else 1, exact=exact)


def common_orders(order: LabelOrder, permutations: int, *, seed: int) -> tuple[list[Labels], bool]:
    """Labels, (n,) int64 each, of other common orders, and whether these are all there are.

    All where they are no more than the permutations asked for; else so many at random, `MOST_DRAWN` at most.
    """
    if order.possible - order.like_true <= permutations:
        return order.all_others(seed=seed), True
    return [order.permuted(k, seed=seed) for k in range(min(permutations, MOST_DRAWN))], False
