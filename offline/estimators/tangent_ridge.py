"""Ridge regression in the tangent space at the training people's mean: the connectivity measure that is
best on average over many data sets (Dadi et al. 2019, NeuroImage 192:115-134)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from models.errors import HemostreamError
from models.layers.connectivity_ensemble import TANGENT, average_of, seen_from
from offline.estimators.base import Flags
from offline.estimators.binary import BinaryClassifier
from offline.estimators.connectivity_members import whitening_of
from offline.estimators.ridge import Groups
from offline.estimators.ridge_connectivity import PENALTIES, StandardisedRows


@dataclass(eq=False, repr=False)
class TangentRidge(BinaryClassifier):
    """`RidgeConnectivity` of matrices as seen from their mean over the people of training.

    A table is (n, n_regions (n_regions + 1) / 2) float64: shrunk correlation matrices, upper triangles with
    the diagonal.

    Parameters
    ----------
    penalties : sequence of float
        As there.
    """

    penalties: Sequence[float] = PENALTIES

    def checked(self, X: npt.ArrayLike) -> Floats:
        """(n, n_columns) float64 as it is: the layer checks it."""
        return np.asarray(X)

    def read(self, X: Floats, *, site: Groups) -> tuple[Floats, StandardisedRows]:
        """From where matrices are seen, (n_regions, n_regions) float64, and how they look from there."""
        whitening = whitening_of(X)
        rows = seen_from(whitening, X)
        # What a masked region would have stands at the mean: it then adds nothing.
        there = np.isfinite(rows)
        mean = np.where(there, rows, 0.0).sum(axis=0) / np.maximum(there.sum(axis=0), 1)
        if len(site) != len(X):
            raise HemostreamError(f"site has {len(site)} rows; expected {len(X)}, one a person.")
        return whitening, StandardisedRows.of(np.where(there, rows, mean), np.asarray(site))

    def _fit_second(self, reading: tuple[Floats, StandardisedRows], second: Flags) -> None:
        """See `BinaryClassifier`; of labels, (n,) bool."""
        whitening, of = reading
        direction, self.penalty_ = of.direction(second, self.penalties)
        member = (TANGENT, False, of.mean, of.scale, direction)
        line = (1.0, float(2.0 * second.mean() - 1.0))
        self.layers_ = (average_of(whitening, (TANGENT,), [member], line),)
