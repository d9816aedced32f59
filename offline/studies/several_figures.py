"""Shares of people who were predicted right, of everybody and of each label, with an interval by person.

Accuracy and recalls carry exact intervals of a share of people (Clopper and Pearson): who was drawn to train
is taken as it was.
"""

from typing import Any

import numpy as np

from offline.base.predictions import Predictions
from offline.stats.intervals import clopper_pearson
from offline.stats.person_classes import PersonClasses


def shares(table: Predictions) -> dict[str, Any]:
    """What share of everybody, and of each label's people, was predicted right; exact intervals of a share.

    Who was predicted in several repeats counts once, by the mean of the predictions.

    Parameters
    ----------
    table : Predictions
        Rows of one condition, two labels or more.
    """
    its = PersonClasses.of(table).figures(table.labels)
    confusion = np.array(its["predicted"])  # true labels down, predicted across
    right = np.diagonal(confusion)
    return {
        "accuracy_interval": _share(int(right.sum()), int(confusion.sum())),
        "recall": its["recall"],
        "recall_interval": {
            label: _share(int(right[k]), int(confusion[k].sum())) for k, label in enumerate(table.labels)
        },
    }


def _share(right: int, n: int) -> list[float] | None:
    ends = clopper_pearson(right, n)
    return None if ends is None else list(ends)
