"""Site-projected ridge: ridge regression that ignores what differs between sites.

The mean of every training site is moved away from the mean of all by a factor, while what is fitted is the
label less its mean at that site: a direction along which sites differ then costs, and explains nothing.  At
factor one this is ridge regression on site-centred labels; with a large one, all that a linear map of the
training sites' means can predict is projected out (nuisance attribute projection, Solomonoff, Campbell
and Boardman 2005, ICASSP I:629-632; as a penalty, Chapelle and Schoelkopf 2002, NIPS 14:609-616).  It needs
sites of the people it is fitted to, none of those it predicts, and a new person is predicted alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.arrays import Floats
from offline.estimators.base import Flags
from offline.estimators.ridge import Groups, Ridge


def site_means(site: Groups) -> Floats:
    """The projection (n, n) float64 that gives each row the mean of its site, (n,) array."""
    same = site[:, np.newaxis] == site
    return np.asarray(same / same.sum(axis=1, keepdims=True))


@dataclass(frozen=True, eq=False)
class SiteProjectedRidge:
    """A Gram matrix whose sites were moved apart, decomposed: it serves any labels of these people."""

    ridge: Ridge  # of the moved rows' products
    means: Floats  # (n, n): from rows to their site's mean
    site: Groups  # (n,), of each row
    factor: float  # by which sites were moved apart

    @classmethod
    def of(
        cls, gram: Floats, site: Groups, factor: float, means: Floats | None = None
    ) -> "SiteProjectedRidge":
        """Move sites apart by a factor above zero; one leaves them where they are.

        Of products (n, n) float64 of rows whose mean is zero, their sites (n,) and the sites' `site_means`.
        """
        means = site_means(site) if means is None else means
        if factor != 1.0:
            mixing = np.eye(len(gram)) + (factor - 1.0) * means
            gram = mixing @ gram @ mixing
        return cls(Ridge.of_products(gram), means, site, factor)

    def _target(self, second: Flags) -> Floats:
        """Labels as minus and plus one, less their site's mean: (n, 1) float64."""
        target = np.where(second, 1.0, -1.0)[:, np.newaxis]
        return np.asarray(target - self.means @ target)

    def left_out(self, second: Flags, penalties: Sequence[float]) -> Floats:
        """Scores of each row, where it really lies, by the fit without its whole site.

        Of who has the second label, (n,) bool; (n_penalties, n) float64, intercept included: moving is by
        the site, so a site left out leaves nothing behind.
        """
        moved = self.ridge.path(self._target(second), penalties, self.site)[:, :, 0]
        own = moved @ self.means
        return np.asarray(moved - own + own / self.factor)

    def weights(self, second: Flags, penalty: float) -> Floats:
        """What each row, unmoved, weighs in the direction fitted to all of them, (n,) float64.

        Of who has the second label, (n,) bool.  The direction's score is the intercept-free sum, because
        rows have mean zero.
        """
        weights = self.ridge.weights(self._target(second), penalty)[:, 0]
        return np.asarray(weights + (self.factor - 1.0) * (self.means @ weights))
