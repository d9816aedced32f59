"""Group ICA of region series: components of the training people, ranked by how surely they come again.

Calhoun VD, Adali T, Pearlson GD, Pekar JJ (2001). A method for making group inferences from functional
MRI data using independent component analysis. Human Brain Mapping 14:140-151.  Hyvarinen A (1999). Fast
and robust fixed-point algorithms for independent component analysis. IEEE Transactions on Neural Networks
10:626-634.
"""

import warnings
from typing import ClassVar

import numpy as np
from sklearn.decomposition import FastICA
from sklearn.exceptions import ConvergenceWarning

from models.arrays import Floats
from models.errors import HemostreamError
from models.features.base import Feature
from models.features.components import ComponentFeatures
from models.features.series import Series, blocks, unit
from offline.features.base import SeriesFeatures
from offline.features.stability import rank


class Components(SeriesFeatures):
    """Spatially independent components, and what they do in each person.

    Everybody's standardised series are put end to end, their principal components over regions found, and
    these unmixed into maps that are independent over regions.  That is done for several random
    choices of people and starts; what comes again is kept.

    Parameters
    ----------
    n_components : int
        Components of every run, fewer than there are regions.
    n_kept : int or None
        The most stable are kept; None: all.
    measure : str
        ``"loadings"`` or ``"connectivity"``, see `models.features.components`.
    n_runs : int
        Runs.
    share : float
        Of the people that a run sees, over 0 and at most 1.
    random_state : int
        Which people, and where the unmixing starts.

    Attributes
    ----------
    stability_ : (n_found,) float64
        Of all components, kept or not; the most stable first.
    n_converged_ : int
        Runs in which the unmixing came to rest.
    """

    fitted_to_people: ClassVar[bool] = True

    def __init__(
        self,
        *,
        n_components: int = 20,
        n_kept: int | None = None,
        measure: str = "loadings",
        n_runs: int = 10,
        share: float = 0.8,
        random_state: int = 0,
    ) -> None:
        self.n_components = n_components
        self.n_kept = n_kept
        self.measure = measure
        self.n_runs = n_runs
        self.share = share
        self.random_state = random_state

    def make_feature(self, X: Series, repetition_time: Floats) -> Feature:
        """With maps of the people of X, (n, n_regions, n_times) float64."""
        n_regions = X.shape[1]
        if not 1 <= self.n_components < n_regions:
            raise HemostreamError(
                f"n_components is {self.n_components}; expected 1 to {n_regions - 1}, fewer than regions."
            )
        if self.n_runs < 1 or not 0 < self.share <= 1:
            raise HemostreamError(
                f"n_runs is {self.n_runs} and share {self.share}; expected at least 1 run, and a share over "
                "0 and at most 1."
            )
        self.n_converged_ = 0
        maps = [self._unmix(product, k) for k, product in enumerate(self._products(X, repetition_time))]
        run = np.repeat(np.arange(self.n_runs), [len(found) for found in maps])
        ranked = rank(np.concatenate(maps), run, max(len(found) for found in maps))
        self.stability_ = ranked.stability
        return ComponentFeatures(np.ascontiguousarray(ranked.maps[: self.n_kept]), self.measure)

    def _products(self, X: Series, repetition_time: Floats) -> Floats:
        """Each run's sum of its people's correlations: (n_runs, n_regions, n_regions).

        Its eigenvectors are the principal components of the series put end to end, everybody's weighing
        the same; the long matrix itself is never made.
        """
        n = max(1, round(self.share * len(X)))
        seen = np.zeros((self.n_runs, len(X)))
        for k in range(self.n_runs):
            seen[k, np.random.default_rng([self.random_state, k]).permutation(len(X))[:n]] = 1.0
        total = np.zeros((self.n_runs, X.shape[1], X.shape[1]))
        for block in blocks(X, repetition_time):
            block.require(2, "a component")
            series, _ = unit(block)
            own = (series @ series.swapaxes(1, 2)).astype(np.float64)
            total += np.tensordot(seen[:, block.rows], own, axes=1)
        return total

    def _unmix(self, product: Floats, k: int) -> Floats:
        """Maps of one run: (n_found, n_regions)."""
        values, vectors = np.linalg.eigh(product)
        # No more components than the run's people have directions.
        n_found = min(self.n_components, int((values > 1e-6 * max(float(values[-1]), 1e-300)).sum()))
        if n_found == 0:
            raise HemostreamError("No region of the training people varies; expected series that do.")
        # The axes are orthogonal already, and only turned.  They are not centred over regions: maps that
        # weigh a few regions each, none of them in common, would no longer be orthogonal if they were.
        axes = vectors[:, -n_found:] * np.sqrt(len(vectors))
        ica = FastICA(
            whiten=False,
            max_iter=1000,
            tol=1e-4,
            random_state=int(np.random.default_rng([self.random_state, k, 1]).integers(2**31)),
        )
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always", ConvergenceWarning)
            ica.fit(axes)
        # A run that did not come to rest is not thrown away: it finds what is not stable elsewhere each time.
        self.n_converged_ += not any(issubclass(w.category, ConvergenceWarning) for w in heard)
        return np.asarray(ica.components_ @ axes.T)
