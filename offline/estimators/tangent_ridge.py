"""Ridge regression in the tangent space at the training people's mean: the connectivity measure that is
best on average over many data sets (Dadi et al. 2019, NeuroImage 192:115-134)."""

import numpy as np

from models.arrays import Floats
from models.errors import HemostreamError
from models.layers.connectivity_ensemble import TANGENT, ConnectivityEnsemble, seen_from
from offline.estimators.base import GivenLabels
from offline.estimators.binary import BinaryClassifier
from offline.estimators.connectivity_members import whitening_of
from offline.estimators.ridge import Groups
from offline.estimators.ridge_connectivity import PENALTIES, StandardisedRows


class TangentRidge(BinaryClassifier):
    """`RidgeConnectivity` of matrices as seen from their mean over the people of training.

    Attributes
    ----------
    layers_ : (ConnectivityEnsemble,)
        What it computes with.
    """

    def fit(self, X: Floats, y: GivenLabels, *, site: Groups) -> "TangentRidge":
        """Fit; the penalty is chosen on training sites that are left out.

        Parameters
        ----------
        X : (n, n_regions (n_regions + 1) / 2) float64
            Shrunk correlation matrices, upper triangles with the diagonal.
        y : (n,) array
            Two labels.
        site : (n,) str
            Where each was recorded.
        """
        return self.fit_read(self.read(X, site=site), y)

    def read(self, X: Floats, *, site: Groups) -> tuple[Floats, StandardisedRows]:
        """What a fit does without looking at labels: it serves any of the same people.

        Parameters
        ----------
        X : (n, n_regions (n_regions + 1) / 2) float64
            As `fit` takes them.
        site : (n,) str
            Where each was recorded.

        Returns
        -------
        (n_regions, n_regions) float64, StandardisedRows
            From where the matrices are seen, and how they look from there.
        """
        whitening = whitening_of(X)
        rows = seen_from(whitening, X)
        # What a masked region would have stands at the mean: it then says nothing.
        there = np.isfinite(rows)
        mean = np.where(there, rows, 0.0).sum(axis=0) / np.maximum(there.sum(axis=0), 1)
        if len(site) != len(X):
            raise HemostreamError(f"site has {len(site)} rows; expected {len(X)}, one a person.")
        return whitening, StandardisedRows.of(np.where(there, rows, mean), np.asarray(site))

    def fit_read(self, reading: tuple[Floats, StandardisedRows], y: GivenLabels) -> "TangentRidge":
        """`fit` to people who were read.

        Parameters
        ----------
        reading : (n_regions, n_regions) float64, StandardisedRows
            Of `read`.
        y : (n,) array
            Two labels.
        """
        whitening, of = reading
        second = self._second(y)
        direction, self.penalty_ = of.direction(second, PENALTIES)
        members = ((TANGENT, False),)
        intercept = float(2.0 * second.mean() - 1.0)
        line = (1.0, intercept)
        self.layers_ = (
            ConnectivityEnsemble(whitening, of.mean, of.scale, direction, (TANGENT,), members, *line),
        )
        return self
