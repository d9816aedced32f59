"""What scans of the training look like, for a bundle: bounds that scans of unseen sites hardly ever exceed.

Every value that a bound follows from is measured as on a stranger: on a site that was left out of what the
scan is compared with.  Labels are not looked at.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from models.arrays import Bools, Floats
from models.features.series import Series
from models.scans.measures import pairs_of, standardised
from models.scans.novelty import CHECKS, OPEN_BELOW, ScanNovelty, measures, scaled, unscaled
from offline.scans import Scans
from offline.studies.held_out_sites import Groups, groups_of
from offline.studies.time_base import fit_time_base

WIDTHS = (4.0, 5.0, 6.0, 8.0, 10.0, 15.0, 20.0, 40.0)
"""How far from the centre a bound lies, in SDs of its side; the least that refuses few is taken."""
MOST_REFUSED = 0.005
"""Share of the training's people, sites left out, whom all checks with two bounds may refuse together."""
MOST_SLOW = 0.0075
"""Share whom the time base alone may refuse: its bound is that quantile ..."""
MARGINS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0)
"""... and so many SDs more; the least with which at most twice that share of left-out sites is refused."""
TAIL = 0.05
"""Quantile from which the SD of a side is taken: outliers do not widen it."""
TAIL_SD = 1.6449
"""Where that quantile lies in a normal distribution, SDs."""
NARROWEST = 1e-3
"""An SD is at least this, on the scale of `models.scans.novelty.scaled`."""
MORE_REPEATS = 2.0
"""Volumes in a row that may repeat the one before, beyond the most of the training."""
FEWEST_FOR_TIME_BASE = 20
"""People; with fewer no time base is fitted."""


class FittedNovelty(NamedTuple):
    """Novelty of scans, and how it was fitted (JSON types), for the card."""

    novelty: ScanNovelty
    how: dict[str, Any]


def fit_novelty(scans: Scans) -> FittedNovelty:
    """Learn what scans of these people look like.

    Parameters
    ----------
    scans : Scans
        Region series and known repetition times.
    """
    group = groups_of(scans.table)
    series: list[Series] = [np.asarray(scans.X[i, :, :n]) for i, n in enumerate(scans.n_times.tolist())]
    seconds = scans.repetition_time
    live = [np.asarray(np.ptp(each, axis=1) > 0) for each in series]
    total, counts = _sums(series, live, group)
    values = {check: np.full(len(scans), np.nan) for check in CHECKS}
    for i, (own, changes) in enumerate(zip(series, live, strict=True)):
        others = _mean(total[1] - total[0][group[i]], counts[1] - counts[0][group[i]])
        for check, value in measures(own, float(seconds[i]), changes, others, None).items():
            values[check][i] = value
    base = None
    if len(scans) >= FEWEST_FOR_TIME_BASE:
        base, values["time base"] = fit_time_base(series, seconds, live, group)
    bounds, width, refused = bounds_of(values, group)
    how = {
        "people": len(scans),
        "groups": len(np.unique(group)),
        "width": width,
        "refused": refused,
        "of": "people of left-out sites of the training",
    }
    expected = _mean(total[1], counts[1]).astype(np.float32)
    return FittedNovelty(ScanNovelty(expected, base, bounds), how)


Sums = tuple[dict[Any, Floats], Floats]


def _sums(series: list[Series], live: list[Bools], group: Groups) -> tuple[Sums, Sums]:
    """Fisher's z of every two regions, added up by group and over all, and over how many people."""
    n_regions = len(live[0])
    upper = np.triu_indices(n_regions, 1)
    totals = {name: np.zeros(len(upper[0])) for name in np.unique(group).tolist()}
    counts = {name: np.zeros(len(upper[0])) for name in totals}
    for own, changes, name in zip(series, live, group.tolist(), strict=True):
        both = changes[upper[0]] & changes[upper[1]]
        standard = standardised(own, changes)
        totals[name][both] += pairs_of(standard @ standard.T / own.shape[1])
        counts[name] += both
    return (totals, np.sum(list(totals.values()), axis=0)), (counts, np.sum(list(counts.values()), axis=0))


def _mean(total: Floats, count: Floats) -> Floats:
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1.0), 0.0))


def bounds_of(
    values: dict[str, Floats], group: Groups
) -> tuple[dict[str, tuple[float, float, float]], float, float]:
    """Bounds of checks from values of left-out people, (n,) float64 each, and their groups, (n,).

    Gives the bounds by check, the width that was chosen, and the share of left-out people whom all checks
    together refuse where each group's bounds follow from the other groups.
    """
    both = {check: own for check, own in values.items() if check not in OPEN_BELOW}
    base = {"time base": values["time base"]}
    width, margin = _width(both, group, WIDTHS, MOST_REFUSED), _width(base, group, MARGINS, 2 * MOST_SLOW)
    widths = {check: margin if check == "time base" else width for check in values}
    inside = [_inside(check, own, group, widths[check]) for check, own in values.items()]
    found = {check: _bound(check, own, widths[check]) for check, own in values.items()}
    refused = float(1.0 - np.mean(np.logical_and.reduce(inside)))
    return {check: bound for check, bound in found.items() if bound is not None}, width, refused


def _width(values: dict[str, Floats], group: Groups, widths: Sequence[float], most: float) -> float:
    """The least width with which checks together refuse at most so many of the groups that are left out."""
    for width in widths:
        inside = [_inside(check, own, group, width) for check, own in values.items()]
        if 1.0 - np.mean(np.logical_and.reduce(inside)) <= most:
            break
    return width


def _inside(check: str, values: Floats, group: Groups, width: float) -> Bools:
    """Whose value lies within the bounds of the other groups, (n,) bool."""
    inside = np.ones(len(values), dtype=np.bool_)
    for name in np.unique(group):
        held = group == name
        bound = _bound(check, values[~held] if (~held).any() else values, width)
        if bound is not None:
            inside[held] = ~((values[held] < bound[1]) | (values[held] > bound[2]))
    return inside


def _bound(check: str, values: Floats, width: float) -> tuple[float, float, float] | None:
    """Centre, least and most of one check; None where its value is known of nobody."""
    known = scaled(check, values[np.isfinite(values)])
    if not known.size:
        return None
    if check == "repeated volumes":
        return 0.0, -np.inf, float(known.max()) + MORE_REPEATS
    centre = float(np.median(known))
    low, high = np.quantile(known, [TAIL, 1.0 - TAIL])
    below, above = (max(float(each) / TAIL_SD, NARROWEST) for each in (centre - low, high - centre))
    if check == "time base":
        most = float(np.quantile(known, 1.0 - MOST_SLOW, method="higher"))
        return centre, -np.inf, max(most, centre + NARROWEST) + width * above
    ends = (centre, centre - width * below, centre + width * above)
    at, least, most = (unscaled(check, each) for each in ends)
    return at, least, most
