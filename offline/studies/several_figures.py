"""Each label's own figures, with an interval by person.

Accuracy and recalls carry exact intervals of a share of people (Clopper and Pearson): who was drawn to train
is taken as it was.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from offline.base.predictions import Predictions
from offline.stats.intervals import clopper_pearson
from offline.stats.person_classes import PersonClasses


def shares(table: Predictions) -> dict[str, Any]:
    """What share of everybody, and of each label's people, was told right; exact intervals of a share.

    Who was judged in several repeats counts once, by the mean of what was said.

    Parameters
    ----------
    table : Predictions
        Rows of one arm, two labels or more.
    """
    its = PersonClasses.of(table).figures(table.labels)
    said = np.array(its["said"])  # true labels down, said across
    right = np.diagonal(said)
    return {
        "accuracy_interval": _share(int(right.sum()), int(said.sum())),
        "recall": its["recall"],
        "recall_interval": {
            label: _share(int(right[k]), int(said[k].sum())) for k, label in enumerate(table.labels)
        },
    }


def recall_words(its: Mapping[str, Any]) -> str:
    """Each label's recall and interval, for a cell of a table."""
    return "; ".join(
        f"{label} –" if value is None else f"{label} {value:.3f}{_ends(its['recall_interval'][label])}"
        for label, value in its["recall"].items()
    )


def _share(right: int, n: int) -> list[float] | None:
    ends = clopper_pearson(right, n)
    return None if ends is None else list(ends)


def _ends(interval: list[float] | None) -> str:
    return "" if interval is None else f" ({interval[0]:.3f} to {interval[1]:.3f})"
