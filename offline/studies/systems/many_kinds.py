"""The strong present-day model: an average over many kinds of connectivity (`offline.studies.headline`)."""

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin

from models.errors import HemostreamError
from offline.scans import Scans
from offline.studies._features import KINDS, table
from offline.studies.base import Role, Study
from offline.studies.headline.ensemble import Headline

Floats = npt.NDArray[np.float64]


def all_kinds(scans: Scans) -> Floats:
    """Every kind side by side, (n, n_columns) float64; what a constant region would have is no number."""
    if not scans.is_series:
        raise HemostreamError(
            f"This system needs region series; these data are a table ({scans.derivative}). Give series."
        )
    return np.concatenate([table(kind, scans.X, scans.repetition_time) for kind in KINDS], axis=1)


def widths(n_columns: int) -> dict[str, int]:
    """How many columns each kind has, of so many in all.

    Parameters
    ----------
    n_columns : int
        Of `all_kinds`: pairs of regions for each kind, but with the regions themselves for the tangent kind
        and three bands of each region for the spectra.
    """
    # Nine times r (r - 1) / 2 pairs, and four times r.
    regions = round((0.5 + np.sqrt(0.25 + 18.0 * n_columns)) / 9.0)
    pairs = regions * (regions - 1) // 2
    out = dict.fromkeys(KINDS, pairs) | {"tangent": pairs + regions, "spectrum": 3 * regions}
    if sum(out.values()) != n_columns:
        raise HemostreamError(f"{n_columns} columns are no table of all kinds of connectivity.")
    return out


class ManyKinds(ClassifierMixin, BaseEstimator):
    """`Headline` for kinds that stand side by side in one table."""

    def fit(self, X: Floats, y: npt.NDArray[Any], *, site: npt.NDArray[np.str_]) -> "ManyKinds":
        """Fit; penalties and the factor are chosen on training sites that are left out.

        Parameters
        ----------
        X : (n, n_columns) float64
            `all_kinds`.
        y : (n,) int64
            Two labels.
        site : (n,) str
            Where each was recorded.
        """
        self.widths_ = widths(X.shape[1])
        self.classes_ = np.unique(y)
        self.headline_ = Headline().fit(self._tables(X), y, site=site)
        return self

    def decision_function(self, X: Floats) -> Floats:
        """Log odds of the second label, (n,) float64, of rows (n, n_columns) float64."""
        return self.headline_.decision_function(self._tables(X))

    def _tables(self, X: Floats) -> dict[str, Floats]:
        ends = np.cumsum(list(self.widths_.values()))
        parts = np.split(X, ends[:-1], axis=1)
        return dict(zip(self.widths_, parts, strict=True))


def model(*, random_state: int) -> Any:
    """There is no chance in it."""
    return ManyKinds()


STUDY = Study(
    name="many-kinds",
    title="Average over ten kinds of connectivity",
    ours="Ridge directions in ten kinds of connectivity, each with and without the person's own level, "
    "averaged with equal "
    "weights; penalties, and how little training sites may matter, chosen on training sites that are left "
    "out.",
    table="many kinds",
    model=model,
    role=Role.BASELINE,
    takes_site=True,
    auditable="it needs all columns of its kinds, and several sites to choose its penalties on",
)
