"""Amounts, such as the severity of symptoms, told from a table: the dimensional view beside the diagnosis.

Scales differ between sites (a T score of parents' answers here, a sum of points there), so a model across
sites can only be of an amount in its own site's units.  Everybody's amount is therefore given in SDs of their
site from its mean, both taken from the training people of that site.  Of a site that is not trained on nobody
knows the scale: there the judged people's own mean and SD are taken, which no model sees; so the correlation
within the site is what counts there, and the other two figures say how much better than the site's mean
one would guess were its scale known.  Evaluating within each site alone would be as honest, but would train
on a few dozen people and could not say whether anything carries over.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from offline.base.splits import Fold
from offline.estimators.ridge import predict_by_ridge
from offline.scans import Scans
from offline.studies.division import FOLDS
from offline.studies.unlabelled import centred

Names = npt.NDArray[np.str_]
FEWEST_OF_SITE = 20
"""A site with fewer people whose amount is known is left out: every fold needs its mean and SD."""


def enough_of_each_site(scans: Scans) -> tuple[Scans, tuple[str, ...]]:
    """Only sites whose scale can be known, and what is said of the others.

    Parameters
    ----------
    scans : Scans
        Whose target is an amount, known of everybody.
    """
    amount = scans.scores[scans.target]
    small = [
        name
        for name in np.unique(scans.site).tolist()
        if np.count_nonzero(scans.site == name) < FEWEST_OF_SITE
        or len(np.unique(amount[scans.site == name])) < 2
    ]
    left = np.isin(scans.site, small)
    said = tuple(
        f"site {name or '(none)'} left out: {np.count_nonzero(scans.site == name)} people with an amount, "
        f"expected {FEWEST_OF_SITE} or more who differ"
        for name in small
    )
    return scans.rows(~left), said


def people_folds(site: Names, *, seed: int) -> list[Fold]:
    """Ten folds of people, each with its share of every site.

    Parameters
    ----------
    site : (n,) str
        Where each was recorded.
    seed : int
        Who comes together.
    """
    rng = np.random.default_rng([23, seed])
    order = np.concatenate([rng.permutation(np.flatnonzero(site == name)) for name in np.unique(site)])
    part = np.empty(len(site), dtype=np.int64)
    part[order] = np.arange(len(site)) % FOLDS
    return [
        Fold((), np.flatnonzero(part != k), np.flatnonzero(part == k), f"fold {k + 1} of {seed}")
        for k in range(FOLDS)
    ]


def site_parts(site: Names) -> list[Fold]:
    """Every site, of (n,) str, once on the judged side; none where there is one site only."""
    names = np.unique(site)
    if len(names) < 2:
        return []
    return [
        Fold((), np.flatnonzero(site != name), np.flatnonzero(site == name), f"site {name}") for name in names
    ]


def in_site_units(amounts: Floats, site: Names, known: npt.NDArray[np.intp]) -> Floats:
    """Amounts in SDs of their site from its mean.

    Parameters
    ----------
    amounts : (n, n_labellings) float64
        In each site's own scale.
    site : (n,) str
        Where each was recorded.
    known : (m,) intp
        Whose amounts say a site's mean and SD; of a site with nobody among them, its own people do.

    Returns
    -------
    (n, n_labellings) float64
        Without unit.
    """
    trained = np.zeros(len(site), dtype=bool)
    trained[known] = True
    out = np.empty_like(amounts)
    for name in np.unique(site):
        here = site == name
        by = here & trained if (here & trained).any() else here
        spread = amounts[by].std(axis=0)
        out[here] = (amounts[here] - amounts[by].mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return out


def permuted_amounts(amount: Floats, site: Names, n: int) -> Floats:
    """The true amounts, and n labellings permuted between people of one site.

    Parameters
    ----------
    amount : (n_people,) float64
        Theirs.
    site : (n_people,) str
        Where each was recorded.
    n : int
        How many labellings.

    Returns
    -------
    (n_people, 1 + n) float64
        The true ones first.
    """
    out = np.repeat(amount[:, np.newaxis], 1 + n, axis=1)
    for number in range(n):
        rng = np.random.default_rng([29, number])
        for name in np.unique(site):
            here = np.flatnonzero(site == name)
            out[here, 1 + number] = rng.permutation(amount[here])
    return out


def judged(
    X: npt.NDArray[np.floating] | None,
    amounts: Floats,
    site: Names,
    folds: Sequence[Fold],
    *,
    centre: bool = False,
    beyond: Floats | None = None,
) -> tuple[Floats, Floats]:
    """Everybody once judged by ridge regression (or by the mean) on the others, for every labelling at once.

    One division serves all labellings, since nobody's fold follows from an amount; each labelling has its
    own penalty, by leaving out one training person at a time.

    Parameters
    ----------
    X : (n, n_features) float32 or float64, or None
        A row a person; None guesses the mean of the training people.
    amounts : (n, n_labellings) float64
        In each site's own scale.
    site : (n,) str
        Where each was recorded.
    folds : sequence of Fold
        That judge everybody once.
    centre : bool
        Whether each site's features are centred on its own people, the judged site's too.
    beyond : (n, n_traits) float64 or None
        What training people's amounts follow from these is taken out of everybody's before.

    Returns
    -------
    y, said : (n, n_labellings) float64
        The amounts in the units of sites, and what was said of them.
    """
    y, said = np.zeros_like(amounts), np.zeros_like(amounts)
    for fold in folds:
        own = in_site_units(amounts, site, fold.train)
        if beyond is not None:
            own = own - predict_by_ridge(beyond[fold.train], own[fold.train], beyond)
        y[fold.test] = own[fold.test]
        if X is None:
            said[fold.test] = own[fold.train].mean(axis=0)
            continue
        rows = np.asarray(X, dtype=np.float64)
        rows = centred(rows, site) if centre else rows
        said[fold.test] = predict_by_ridge(rows[fold.train], own[fold.train], rows[fold.test])
    return y, said
