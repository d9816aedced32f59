"""The one figure of a condition that a recipe fixes before the run, whatever its labels are."""

import numpy as np

from offline.base.predictions import Predictions
from offline.stats.metrics import Figure, mean_of
from offline.stats.person_classes import person_predictions
from offline.stats.primary import Metric, own_figures


def primary(table: Predictions, metric: Metric, *, by_person: bool) -> Figure:
    """The figure of one condition's rows, whose label is the person's or the window's."""
    if by_person:
        predicted, y = person_predictions(table)
        value = float(predicted.figure(metric, y)[0])
        return value if np.isfinite(value) else None
    return mean_of(own_figures(table, metric).values())
