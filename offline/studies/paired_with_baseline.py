"""Each study beside the linear baseline, on the same people: the paired comparison that a table of intervals
does not show."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from offline.base.predictions import Predictions, read_predictions
from offline.report.study import UNSEEN_SITE
from offline.stats.intervals import DRAWS, draw_people
from offline.stats.primary import Pairs, person_scores

BASELINE = "ridge"


def paired_with_ridge(out: Path, names: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """AUC within sites of every study less that of ridge on connectivity, by unseen site.

    ``difference`` and ``interval`` by name, from a folder of reports with these studies; without the baseline
    itself, and without studies that predicted other people than it.
    """
    if BASELINE not in names:
        return {}
    ridge = _unseen(out / BASELINE)
    found: dict[str, Mapping[str, Any]] = {}
    for name in names if len(ridge) else ():
        own = _unseen(out / name)
        if name != BASELINE and len(own) and (its := _difference(own, ridge)) is not None:
            found[name] = its
    return found


def _unseen(folder: Path) -> Predictions:
    return read_predictions(folder / "predictions.csv").of_condition(UNSEEN_SITE)


def _difference(one: Predictions, other: Predictions) -> dict[str, Any] | None:
    """Of the same people in the same folds, drawn together for both; None where they are not the same."""
    first, second = person_scores(one), person_scores(other)
    y = first.positive
    if first.people != second.people or not np.array_equal(y, second.positive):
        return None
    pairs = Pairs.of(first), Pairs.of(second)
    times = draw_people(y, seed=0, draws=DRAWS)
    found, drawn = (
        pairs[0].figure("auc", y, each) - pairs[1].figure("auc", y, each) for each in (None, times)
    )
    return {
        "difference": float(found[0]),
        "interval": np.nanquantile(drawn, [0.025, 0.975]).tolist(),
    }
