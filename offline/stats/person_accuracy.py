"""Balanced accuracy by person, of probabilities of windows."""

import numpy as np
import numpy.typing as npt

from models.arrays import Floats


def person_accuracy(probability: Floats, y: npt.NDArray[np.int64], person: npt.NDArray[np.str_]) -> float:
    """Mean over people of each one's balanced accuracy; where a person has one label, that of people.

    Parameters
    ----------
    probability : (n, n_labels) float64
        Of windows.
    y : (n,) int64
        What they were.
    person : (n,) str
        Whose they are.
    """
    people, whose = np.unique(person, return_inverse=True)
    if all(len(np.unique(y[whose == k])) == 1 for k in range(len(people))):
        log_p = np.log(np.maximum(probability, 1e-12))
        mean = np.stack([log_p[whose == k].mean(axis=0) for k in range(len(people))])
        return _balanced(mean.argmax(axis=1), np.array([y[whose == k][0] for k in range(len(people))]))
    found = probability.argmax(axis=1)
    return float(np.mean([_balanced(found[whose == k], y[whose == k]) for k in range(len(people))]))


def _balanced(found: npt.NDArray[np.int64], y: npt.NDArray[np.int64]) -> float:
    return float(np.mean([(found[y == label] == label).mean() for label in np.unique(y)]))
