"""The fully connected cascade: few neurons, each of which sees the inputs and all earlier neurons."""

from dataclasses import KW_ONLY, dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.utils import check_random_state

from models.arrays import Floats
from models.layers.linear import Linear
from offline.estimators.base import LogitClassifier, TableError, against_the_rest, labelled
from offline.estimators.bayesian_least_squares import fit_bayesian


@dataclass(eq=False, repr=False)
class FullyConnectedCascade(LogitClassifier):
    """A cascade network with Bayesian-regularised training.

    Deshpande, Wang, Rangaprakash & Wilamowski 2015 (IEEE Transactions on Cybernetics 45:2668-2679) for the
    architecture; `offline.estimators.bayesian_least_squares` for the training.

    Parameters
    ----------
    n_neurons : int
        Before the output.
    n_inputs : int
        Most inputs: of more columns, so many principal components are taken, each at unit variance.
    n_starts : int
        Trainings, each from weights of its own; the one with the greatest evidence stays.
    max_iter : int
        Most steps of a training.
    random_state : int, RandomState or None
        Draws the first weights.
    """

    n_neurons: int = 4
    _: KW_ONLY
    n_inputs: int = 30
    n_starts: int = 3
    max_iter: int = 100
    random_state: Any = None

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> Self:
        """Fit to a table (n, n_columns) float64 of standardised columns and its labels (n,) str or int."""
        if min(self.n_neurons, self.n_inputs, self.n_starts) < 1:
            raise TableError(
                f"{self.n_neurons} neurons, {self.n_inputs} inputs and {self.n_starts} starts; "
                "expected at least one of each."
            )
        table, index = labelled(self, X, y)
        rng = check_random_state(self.random_state)
        self.entry_ = components(table, self.n_inputs)
        inputs = self.entry_(table)
        questions = against_the_rest(index)
        shape = _Shape(inputs.shape[1], self.n_neurons, questions.shape[1])
        starts = rng.normal(size=(self.n_starts, shape.n_weights)) / np.sqrt(1 + inputs.shape[1])
        target = np.where(questions, 1.0, -1.0)

        def residuals(weights: Floats) -> tuple[Floats, Floats]:
            return shape.residuals(weights, inputs, target)

        fits = [fit_bayesian(residuals, start, max_iter=self.max_iter) for start in starts]
        found = max(fits, key=lambda one: one.evidence)
        self.n_iter_ = found.n_iter
        self.effective_weights_ = found.effective
        self.hidden_, self.output_ = shape.unpacked(found.weights)
        return self

    def logits_of_rows(self, X: Floats) -> Floats:
        """Logits (n, n_labels) float64 of rows (n, n_columns) float64."""
        net = forward(self.entry_(X), self.hidden_) @ self.output_.T
        # An output is tanh(net), fitted to -1 and 1, so its log odds are 2 net.
        return np.concatenate([-net, net], axis=1) if net.shape[1] == 1 else np.asarray(2.0 * net)


def forward(inputs: Floats, hidden: Floats) -> Floats:
    """One, the inputs, the neurons: what the outputs see, (n, 1 + n_inputs + n_neurons) float64.

    ``hidden`` has the weights of the bias, the inputs and the neurons, (n_neurons, 1 + n_inputs + n_neurons)
    float64; 0 for the neuron itself and later ones.
    """
    first = 1 + inputs.shape[1]
    view = np.concatenate([np.ones((len(inputs), 1)), inputs, np.zeros((len(inputs), len(hidden)))], axis=1)
    for k, weights in enumerate(hidden):
        view[:, first + k] = np.tanh(view[:, : first + k] @ weights[: first + k])
    return view


def components(table: Floats, most: int) -> Linear:
    """The layer that gives a network its inputs, each of about unit variance.

    Of a table (n, n_columns) float64 with more columns than ``most``, the leading principal components.
    """
    mean = table.mean(axis=0)
    if table.shape[1] <= most:
        scale = table.std(axis=0)
        turn = np.diag(1.0 / np.where(scale > 0, scale, 1.0))
    else:
        _, size, axes = np.linalg.svd(table - mean, full_matrices=False)
        kept = min(most, int((size > 1e-10 * size[0]).sum())) or 1
        # A direction's sign is anyone's choice: its largest weight is made positive.
        signs = np.sign(axes[np.arange(kept), np.abs(axes[:kept]).argmax(axis=1)])
        turn = (axes[:kept] * signs[:, np.newaxis]).T * np.sqrt(len(table)) / np.maximum(size[:kept], 1e-300)
    return Linear(turn, -mean @ turn)


class _Shape:
    """Which of a flat vector's numbers is which weight, and what errors do when a weight is moved."""

    def __init__(self, n_inputs: int, n_neurons: int, n_out: int) -> None:
        width = 1 + n_inputs + n_neurons
        self.n_inputs, self.n_neurons, self.n_out = n_inputs, n_neurons, n_out
        mask = np.arange(width) < (1 + n_inputs + np.arange(n_neurons))[:, np.newaxis]
        self.mask = np.concatenate([mask, np.ones((n_out, width), dtype=np.bool_)])
        self.n_weights = int(self.mask.sum())

    def unpacked(self, weights: Floats) -> tuple[Floats, Floats]:
        """Weights of the hidden neurons, as `forward` takes them, and of the outputs."""
        full = np.zeros(self.mask.shape)
        full[self.mask] = weights
        return full[: self.n_neurons], full[self.n_neurons :]

    def residuals(self, weights: Floats, inputs: Floats, target: Floats) -> tuple[Floats, Floats]:
        """Errors (n * n_out,) and their derivatives (n * n_out, n_weights)."""
        hidden, output = self.unpacked(weights)
        n, first = len(inputs), 1 + self.n_inputs
        view = forward(inputs, hidden)
        out = np.tanh(view @ output.T)
        bent = 1.0 - np.square(view[:, first:])  # (n, n_neurons)
        jacobian = np.empty((n, self.n_out, self.n_weights))
        for o in range(self.n_out):
            from_output = 1.0 - np.square(out[:, o])
            felt = np.zeros((n, self.n_neurons + self.n_out))
            felt[:, self.n_neurons + o] = from_output
            for k in reversed(range(self.n_neurons)):
                later = felt[:, k + 1 : self.n_neurons] @ hidden[k + 1 :, first + k]
                felt[:, k] = bent[:, k] * (from_output * output[o, first + k] + later)
            jacobian[:, o] = -(felt[:, :, np.newaxis] * view[:, np.newaxis, :])[:, self.mask]
        return (target - out).ravel(), jacobian.reshape(-1, self.n_weights)
