"""The extreme learning machine: a hidden layer drawn at random, an output layer fitted in closed form."""

from dataclasses import KW_ONLY, dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.utils import check_random_state

from models.arrays import Floats
from models.layers.linear import Linear, logits_of
from offline.estimators.base import LogitClassifier, against_the_rest, labelled
from offline.estimators.discriminant import fit_odds


@dataclass(eq=False, repr=False)
class ExtremeLearningMachine(LogitClassifier):
    """One hidden layer that is never trained (Huang, Zhu & Siew 2006, Neurocomputing 70:489-501).

    Its output weights are penalised least squares (Huang et al. 2012, IEEE Transactions on Systems, Man and
    Cybernetics B 42:513-529), the penalty chosen on people left out one at a time.

    Parameters
    ----------
    n_neurons : int
        In the hidden layer.
    random_state : int, RandomState or None
        Draws the hidden layer.
    """

    n_neurons: int = 200
    _: KW_ONLY
    random_state: Any = None

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> Self:
        """Fit to a table (n, n_columns) float64 of standardised columns and its labels (n,) str or int."""
        table, index = labelled(self, X, y)
        rng = check_random_state(self.random_state)
        # Sums of about unit size, where a tanh is neither straight nor flat.
        size = max(float(np.sqrt(np.square(table).sum(axis=1).mean())), np.finfo(float).tiny)
        drawn = rng.normal(size=(table.shape[1], self.n_neurons)) / size
        self.hidden_ = Linear(drawn, rng.normal(size=self.n_neurons))
        seen = np.tanh(self.hidden_(table))
        middle = seen.mean(axis=0)
        weights, bias = fit_odds(seen - middle, against_the_rest(index))
        self.output_ = Linear(logits_of(weights), logits_of((bias - middle @ weights)[np.newaxis])[0])
        return self

    def logits_of_rows(self, X: Floats) -> Floats:
        """Logits (n, n_labels) float64 of rows (n, n_columns) float64."""
        return self.output_(np.tanh(self.hidden_(X)))
