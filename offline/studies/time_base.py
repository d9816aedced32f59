"""The time base of scan bundles is fitted: scans as they are against the same without every second volume."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from models.arrays import Bools, Floats
from models.features.series import Series
from models.scans.time_base import POWER_HZ, TimeBase, band_features
from offline.studies.held_out_sites import Groups

PENALTY = 0.05
"""Of the ridge regression, in units of the mean eigenvalue."""
COLUMNS_AT_ONCE = 4096
"""Columns in single precision together: all at once would be a gigabyte."""


def fit_time_base(
    series: list[Series], seconds: Floats, live: list[Bools], group: Groups
) -> tuple[TimeBase, Floats]:
    """Fit the direction between scans as they are and the same with every second volume left out.

    First halves of the scans count as they are too: that a scan is short may tell nothing.

    Parameters
    ----------
    series : list of (n_regions, n_times) floating
        Of each person.
    seconds : (n,) float64
        Repetition times.
    live : list of (n_regions,) bool
        Which regions change.
    group : (n,) array
        Who is left out together.

    Returns
    -------
    TimeBase, (n,) float64
        Fitted to all, and each whole scan's score by a fit without its group.
    """
    n = len(series)
    table = _rows(series, seconds, live)
    target = np.repeat([-1.0, 1.0, -1.0], n)  # as it is; every second volume; the first half
    weight = np.repeat([0.5, 1.0, 0.5], n)
    mean, scale = _moments(table, weight)
    gram = _gram(table, mean, scale, len(live[0]))
    held = np.full(n, np.nan)
    people = np.tile(group, 3)
    for name in np.unique(group):
        out = people == name
        if (~out).any():
            score = _solved(gram, target, weight, ~out)
            held[group == name] = score[out][: np.count_nonzero(group == name)]
    if np.isnan(held).any():  # one group only
        held = _solved(gram, target, weight, np.ones(3 * n, dtype=np.bool_))[:n]
    weights = np.zeros(table.shape[1])
    alpha = _dual(gram, target, weight)
    for part in _parts(table.shape[1]):
        weights[part] = alpha @ _standard(table[:, part], mean[part], scale[part]) / scale[part]
    weights /= _sizes(table.shape[1], len(live[0]))
    return TimeBase(mean.astype(np.float32), weights.astype(np.float32)), held


def _rows(series: list[Series], seconds: Floats, live: list[Bools]) -> npt.NDArray[np.float16]:
    """Features of scans, then of every second volume, then of first halves; half precision holds them."""
    n = len(series)
    table = np.empty((0, 0), dtype=np.float16)
    for i, (own, changes) in enumerate(zip(series, live, strict=True)):
        half = own[:, : (own.shape[1] + 1) // 2]
        for k, each in enumerate((own, own[:, ::2], half)):
            features = band_features(each, float(seconds[i]), changes)
            if not table.size:
                table = np.empty((3 * n, len(features)), dtype=np.float16)
            table[k * n + i] = features
    return table


def _parts(n_columns: int) -> Iterable[slice]:
    return (slice(at, at + COLUMNS_AT_ONCE) for at in range(0, n_columns, COLUMNS_AT_ONCE))


def _sizes(n_columns: int, n_regions: int) -> Floats:
    """What each column is divided by, (n_columns,): powers and pairs count alike, however many there are."""
    powers = (len(POWER_HZ) - 1) * n_regions
    return np.where(np.arange(n_columns) < powers, float(powers), float(max(n_columns - powers, 1)))


def _moments(table: npt.NDArray[np.float16], weight: Floats) -> tuple[Floats, Floats]:
    """Weighted mean and SD of each column where it is known; 0 and 1 where it never is."""
    mean, scale = np.zeros(table.shape[1]), np.ones(table.shape[1])
    for part in _parts(table.shape[1]):
        columns = table[:, part].astype(np.float64)
        known = np.isfinite(columns)
        whole = np.maximum(weight @ known, 1e-12)
        mean[part] = weight @ np.where(known, columns, 0.0) / whole
        spread = weight @ np.where(known, (columns - mean[part]) ** 2, 0.0) / whole
        scale[part] = np.where(spread > 1e-12, np.sqrt(spread), 1.0)
    return mean, scale


def _standard(columns: npt.NDArray[np.float16], mean: Floats, scale: Floats) -> npt.NDArray[np.float32]:
    beyond = (columns.astype(np.float32) - mean.astype(np.float32)) / scale.astype(np.float32)
    return np.where(np.isfinite(beyond), beyond, np.float32(0.0))


def _gram(table: npt.NDArray[np.float16], mean: Floats, scale: Floats, n_regions: int) -> Floats:
    gram = np.zeros((len(table), len(table)))
    size = np.sqrt(_sizes(table.shape[1], n_regions)).astype(np.float32)
    for part in _parts(table.shape[1]):
        standard = _standard(table[:, part], mean[part], scale[part]) / size[part]
        gram += standard @ standard.T
    return gram


def _solved(gram: Floats, target: Floats, weight: Floats, train: Bools) -> Floats:
    """Scores of all rows, (n_rows,) float64, by a fit to some of them, (n_rows,) bool."""
    share = weight[train] / weight[train].sum()
    middle = gram[:, train] @ share
    inner = gram[np.ix_(train, train)]
    centred = inner - middle[train][:, np.newaxis] - middle[train] + share @ middle[train]
    mean = share @ target[train]
    alpha = _dual(centred, target[train] - mean, weight[train])
    across = gram[:, train] - middle[:, np.newaxis] - middle[train] + share @ middle[train]
    return np.asarray(across @ alpha + mean)


def _dual(gram: Floats, target: Floats, weight: Floats) -> Floats:
    """Ridge regression in the rows' coordinates, rows weighted: (n_rows,) float64."""
    penalty = PENALTY * np.trace(gram) / len(gram) / weight
    return np.asarray(np.linalg.solve(gram + np.diag(penalty), target), dtype=np.float64)
