"""Each label a Gaussian: naive Bayes and quadratic discriminants."""

from dataclasses import dataclass

import numpy as np

from models.arrays import Floats


@dataclass(frozen=True, eq=False)
class GaussianBayes:
    """Log of prior times density of each label.

    Parameters
    ----------
    means : (n_labels, n_columns) float64
        Of each label.
    whitening : (n_labels, n_columns) or (n_labels, n_columns, n_axes) float64
        Makes a label's people, their mean taken out, spherical: one over each column's SD (naive Bayes), or a
        matrix (quadratic discriminant).
    constant : (n_labels,) float64
        Log prior and the density's normalisation.
    """

    means: Floats
    whitening: Floats
    constant: Floats

    def __call__(self, X: Floats) -> Floats:
        """(n, n_columns) float64 to logits (n, n_labels) float64."""
        out = np.empty((len(X), len(self.means)))
        for k, (mean, whitening) in enumerate(zip(self.means, self.whitening, strict=True)):
            white = (X - mean) * whitening if whitening.ndim == 1 else (X - mean) @ whitening
            out[:, k] = self.constant[k] - 0.5 * np.square(white).sum(axis=1)
        return out
