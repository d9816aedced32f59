"""Ridge regression in the tangent space at the training people's mean: the kind of connectivity that is best
on average over many data sets (Dadi et al. 2019, NeuroImage 192:115-134)."""

import numpy as np

from models.arrays import Floats
from models.errors import HemostreamError
from models.parts.kinds_average import TANGENT, KindsAverage, seen_from
from offline.studies.dual import PENALTIES, Labels
from offline.studies.headline.members import whitening_of
from offline.studies.ridge_connectivity import StandardisedRows
from offline.studies.two_labels import TwoLabels


class TangentRidge(TwoLabels):
    """`RidgeConnectivity` of matrices as seen from their mean over the people of training.

    Attributes
    ----------
    parts_ : (KindsAverage,)
        What it computes with.
    """

    def fit(self, X: Floats, y: Labels, *, site: Labels) -> "TangentRidge":
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

    def read(self, X: Floats, *, site: Labels) -> tuple[Floats, StandardisedRows]:
        """What a fit does without looking at labels: it serves any of the same people.

        Parameters
        ----------
        X : (n, n_regions (n_regions + 1) / 2) float64
            As `fit` takes them.
        site : (n,) str
            Where each was recorded.

        Returns
        -------
        (n_regions, n_regions) float64, Reading
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

    def fit_read(self, reading: tuple[Floats, StandardisedRows], y: Labels) -> "TangentRidge":
        """`fit` to people who were read.

        Parameters
        ----------
        reading : (n_regions, n_regions) float64, Reading
            Of `read`.
        y : (n,) array
            Two labels.
        """
        whitening, of = reading
        second = self._second(y)
        direction, self.penalty_ = of.direction(second, PENALTIES)
        members = ((TANGENT, False),)
        intercept = float(2.0 * second.mean() - 1.0)
        self.parts_ = (
            KindsAverage(whitening, of.mean, of.scale, direction, (TANGENT,), members, 1.0, intercept),
        )
        return self
