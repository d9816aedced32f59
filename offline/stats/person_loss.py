"""Log loss of people: what is searched for, and what a candidate is promoted by."""

import numpy as np
import numpy.typing as npt

LEAST_LIKELY = 1e-6
"""A probability of 0 for what was true would be an infinite loss."""


def person_losses(
    probability: npt.NDArray[np.float64], y: npt.NDArray[np.int64], person: npt.NDArray[np.str_]
) -> dict[str, float]:
    """Log loss, nats, of each person's windows, their labels weighing the same; by person, sorted.

    Of windows: probabilities, (n, n_labels) float64, what they were, (n,) int64, and whose, (n,) str.
    """
    loss = -np.log(np.maximum(probability[np.arange(len(y)), y], LEAST_LIKELY))
    out = {}
    for name in np.unique(person):
        own = person == name
        of_labels = [loss[own & (y == label)].mean() for label in np.unique(y[own])]
        out[str(name)] = float(np.mean(of_labels))
    return out
