"""ComBat: what a site adds to every feature, estimated with strength borrowed across features, and taken out.

Johnson, Li & Rabinovic 2007 (Biostatistics 8:118-127); for images Fortin et al. 2018 (NeuroImage
167:104-120).  It is fitted inside the fold, to the people of training alone.
"""

from dataclasses import KW_ONLY, dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from models.arrays import Floats
from models.errors import HemostreamError, near_match

Sites = npt.NDArray[np.str_]

FEWEST = 20
"""People of an unseen site from whom its parameters may be estimated."""
TOLERANCE = 1e-4
"""Greatest relative step at which the iteration stops: the value of the reference implementation."""
MOST_STEPS = 10_000
"""It converges in tens; this only keeps damaged numbers from running for ever."""
UNSEEN = ("pooled", "refuse", "estimate")


class HarmoniseError(HemostreamError, ValueError):
    """Sites, covariates or people do not allow a correction."""


Effect = tuple[Floats, Floats]
"""What a site does to features, (n_features,) float64 each: its shift, in units of the SD over all sites, and
its SD in the same units."""


@dataclass(eq=False, repr=False)
class ComBat(TransformerMixin, BaseEstimator):
    """Remove the site's shift and stretch from every feature.

    Diagnosis and symptom scores are never covariates.  ``y`` is ignored: a correction that keeps the
    difference between the labels of training has seen those labels, pushes groups apart where sites and
    labels are confounded (Nygaard 2016, Biostatistics 17:29-39), and would need the
    diagnosis of the person it is to help diagnose.  Covariates are what is known of anybody: age and sex.

    Parameters
    ----------
    unseen : {"pooled", "refuse", "estimate"}
        What is done with people of a site that was not fitted.  ``"pooled"``: they are set against the
        mean and spread of all fitted sites and nothing is taken out, for nothing is known of their site, so
        their features stay as they are.  ``"refuse"``: an error.  ``"estimate"``: the site's parameters are
        estimated from the people handed in together, at least `FEWEST`, without labels; this is transductive,
        a person's result depends on the others, and belongs in a column of its own.
    shrink : bool
        Whether a site's parameters borrow strength across features (empirical Bayes).
    """

    unseen: str = "pooled"
    _: KW_ONLY
    shrink: bool = True

    def fit(
        self,
        X: npt.ArrayLike,
        y: object = None,
        *,
        site: npt.ArrayLike,
        covariates: npt.ArrayLike | None = None,
    ) -> Self:
        """Estimate every site's effect.

        Parameters
        ----------
        X : (n, n_features) float64
            Features.  One that never changes within sites is left as it is.
        y : ignored
            See the class.
        site : (n,) str
            Where each was recorded.  A site of a single person cannot be separated from that person: it is
            not corrected, and is named in ``uncorrected_``.
        covariates : (n, n_covariates) float64 or None
            Numbers whose effects are kept, e.g. age in years and sex as 0 and 1.
        """
        if self.unseen not in UNSEEN:
            raise HarmoniseError(f"unseen is {self.unseen!r}. {near_match(str(self.unseen), UNSEEN)}")
        rows: Floats = validate_data(self, X, dtype=np.float64)
        sites, known = _sites(site, len(rows)), _covariates(covariates, len(rows))
        names, counts = np.unique(sites, return_counts=True)
        enough = names[counts > 1]
        self.n_covariates_: int = known.shape[1]
        self.uncorrected_: tuple[str, ...] = tuple(str(name) for name in names[counts == 1])
        used = np.isin(sites, enough)
        if not used.any():
            raise HarmoniseError(
                f"None of the {len(names)} sites has two people; expected at least one that has. "
                "Leave the correction out."
            )
        rows, sites, known = rows[used], sites[used], known[used]
        design = np.concatenate([(sites[:, np.newaxis] == enough).astype(np.float64), known], axis=1)
        if np.linalg.matrix_rank(design) < design.shape[1]:
            raise HarmoniseError(
                f"The {known.shape[1]} covariates of {len(rows)} people cannot be separated from one another "
                f"or from the {len(enough)} sites (one may be constant within every site). Leave one out."
            )
        # The design is of full rank and small, so its inverse serves all features at once.
        found: Floats = np.linalg.pinv(design) @ rows  # (n_sites + n_covariates, n_features)
        self.effects_: Floats = found[len(enough) :]
        self.mean_: Floats = design[:, : len(enough)].mean(axis=0) @ found[: len(enough)]
        variance = np.square(rows - design @ found).mean(axis=0)
        self.varies_: npt.NDArray[np.bool_] = variance > 1e-20 * np.square(rows).mean(axis=0)
        self.scale_: Floats = np.where(self.varies_, np.sqrt(variance), 1.0)
        left = (rows - self.mean_ - known @ self.effects_) / self.scale_
        # A single site is all there is to be compared with: its effect is none.
        alone = len(enough) == 1
        self.sites_: dict[str, Effect] = {
            str(name): self._nothing() if alone else self._effect(left[sites == name]) for name in enough
        }
        return self

    def transform(
        self, X: npt.ArrayLike, *, site: npt.ArrayLike, covariates: npt.ArrayLike | None = None
    ) -> Floats:
        """Take every person's site out of features, (n, n_features) float64, whose unit stays.

        Of where each was recorded, (n,) str, and the covariates that were fitted, (n, n_covariates) float64.
        """
        check_is_fitted(self)
        rows: Floats = validate_data(self, X, reset=False, dtype=np.float64)
        sites, known = _sites(site, len(rows)), _covariates(covariates, len(rows))
        if known.shape[1] != self.n_covariates_:
            raise HarmoniseError(f"{known.shape[1]} covariates; expected {self.n_covariates_}, as fitted.")
        out = np.empty_like(rows)
        for name in np.unique(sites):
            own = sites == name
            shift, stretch = self._effect_of(str(name), rows[own], known[own])
            expected = self.mean_ + known[own] @ self.effects_
            left = (rows[own] - expected) / self.scale_
            out[own] = (left - shift) / stretch * self.scale_ + expected
        return out

    def fit_transform(
        self,
        X: npt.ArrayLike,
        y: object = None,
        *,
        site: npt.ArrayLike,
        covariates: npt.ArrayLike | None = None,
    ) -> Floats:
        """Fit, then take out; arguments and result as there: (n, n_features) float64."""
        return self.fit(X, y, site=site, covariates=covariates).transform(X, site=site, covariates=covariates)

    def _effect_of(self, site: str, X: Floats, covariates: Floats) -> Effect:
        """What a site does; one that was not fitted is dealt with as `unseen` says."""
        effect = self.sites_.get(site)
        if effect is None and site not in self.uncorrected_ and self.unseen != "pooled":
            effect = self._unseen(site, X, covariates)
        return effect or self._nothing()

    def _unseen(self, site: str, X: Floats, covariates: Floats) -> Effect:
        known = ", ".join(sorted(self.sites_))
        if self.unseen == "refuse":
            raise HarmoniseError(
                f"Site {site!r} was not fitted; expected one of: {known}. "
                "unseen='pooled' leaves its people as they are; unseen='estimate' needs "
                f"{FEWEST} unlabelled people of it."
            )
        if len(X) < FEWEST:
            raise HarmoniseError(
                f"Site {site!r} was not fitted, and {len(X)} people of it were given; expected at least "
                f"{FEWEST} to estimate its parameters. Give more at once, or use unseen='pooled'."
            )
        return self._effect((X - self.mean_ - covariates @ self.effects_) / self.scale_)

    def _nothing(self) -> Effect:
        return np.zeros_like(self.mean_), np.ones_like(self.mean_)

    def _effect(self, left: Floats) -> Effect:
        """Of a site, from its people's standardised features (n_people, n_features)."""
        shift, stretch = np.zeros(left.shape[1]), np.ones(left.shape[1])
        left = left[:, self.varies_]
        mean, variance = left.mean(axis=0), left.var(axis=0, ddof=1)
        variance = np.where(variance == 0, 1.0, variance)
        if self.shrink and _has_prior(mean) and _has_prior(variance):
            mean, variance = shrunk(left, mean, variance)
        shift[self.varies_], stretch[self.varies_] = mean, np.sqrt(variance)
        return shift, stretch

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = True
        return tags


def shrunk(left: Floats, mean: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """A site's means and variances, each drawn towards those of the site's other features.

    Means have a normal prior and variances an inverse gamma one, both with moments taken over features; the
    two conditional posterior means are solved by turns (Johnson 2007, section 3.2).  ``left`` are one site's
    standardised features, (n, n_features) float64; all else is (n_features,) float64.
    """
    n = len(left)
    centre, spread = mean.mean(), mean.var(ddof=1)
    m, s2 = variance.mean(), variance.var(ddof=1)
    shape, rate = (2.0 * s2 + m**2) / s2, (m * s2 + m**3) / s2
    first, second = left.sum(axis=0), np.square(left).sum(axis=0)
    shift, stretch = mean, variance
    for _ in range(MOST_STEPS):
        new_shift = (spread * n * mean + stretch * centre) / (spread * n + stretch)
        squares = second - 2.0 * new_shift * first + n * np.square(new_shift)
        new_stretch = (0.5 * squares + rate) / (0.5 * n + shape - 1.0)
        # Relative to signed values, as the reference implementation has it, so that both stop together.
        with np.errstate(divide="ignore", invalid="ignore"):
            steps = np.abs(new_shift - shift) / shift
        change = max(float(steps.max()), float((np.abs(new_stretch - stretch) / stretch).max()))
        shift, stretch = new_shift, new_stretch
        if not change > TOLERANCE:
            break
    return shift, stretch


def _has_prior(values: Floats) -> bool:
    """Whether a spread over features can be taken: there are at least two, and they differ."""
    return len(values) > 1 and bool(values.var(ddof=1) > 0)


def _sites(site: npt.ArrayLike, n: int) -> Sites:
    sites = np.asarray(site).astype(np.str_)
    if sites.shape != (n,):
        raise HarmoniseError(f"site has shape {sites.shape}; expected ({n},), one a row of X.")
    return sites


def _covariates(covariates: npt.ArrayLike | None, n: int) -> Floats:
    if covariates is None:
        return np.zeros((n, 0))
    known = np.asarray(covariates, dtype=np.float64)
    if known.ndim != 2 or len(known) != n:
        raise HarmoniseError(f"covariates have shape {known.shape}; expected ({n}, number of covariates).")
    if not np.isfinite(known).all():
        row = int(np.flatnonzero(~np.isfinite(known).all(axis=1))[0])
        raise HarmoniseError(f"The covariates of row {row} hold {known[row].tolist()}; expected numbers.")
    return known
