"""Which components come again when they are looked for again.

Himberg J, Hyvarinen A, Esposito F (2004). Validating the independent components of neuroimaging time
series via clustering and visualization. NeuroImage 22:1214-1222.  Moberget T et al. (2019) rank
components of cerebellar grey matter so before anything is predicted from them.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from models.arrays import Floats


@dataclass(frozen=True, eq=False)
class Ranked:
    """Components, the most stable first.

    Parameters
    ----------
    maps : (n_components, n_regions) float64
        Each of length 1, its largest weight positive.
    stability : (n_components,) float64
        0 to 1: mean similarity within the component's cluster less that to all others (the quality index of
        Himberg et al.), times the share of runs that found it.
    """

    maps: Floats
    stability: Floats


def rank(maps: Floats, run: npt.NDArray[np.intp], n_components: int) -> Ranked:
    """Cluster what all runs found, and take from each cluster what is nearest to all of it.

    Parameters
    ----------
    maps : (n, n_regions) float64
        Components of all runs, in any order and of any sign.
    run : (n,) intp
        Which run found each.
    n_components : int
        Most clusters to make.
    """
    maps = maps / np.sqrt(np.square(maps).sum(axis=1, keepdims=True))
    alike = np.clip(np.abs(maps @ maps.T), 0.0, 1.0)
    apart = squareform(1.0 - alike, checks=False)
    cluster = fcluster(linkage(apart, method="average"), n_components, criterion="maxclust")
    n_runs = len(np.unique(run))
    best, stability = [], []
    for c in np.unique(cluster):
        own = cluster == c
        size = int(own.sum())
        inside = alike[np.ix_(own, own)]
        within = (inside.sum() - size) / (size * (size - 1)) if size > 1 else 1.0
        outside = alike[np.ix_(own, ~own)]
        between = float(outside.mean()) if outside.size else 0.0
        # What one run of many found is like itself and yet not stable.
        stability.append(max(0.0, within - between) * len(np.unique(run[own])) / n_runs)
        best.append(np.flatnonzero(own)[inside.sum(axis=1).argmax()])
    order = np.argsort(-np.array(stability), kind="stable")
    chosen = maps[np.array(best)[order]]
    largest = np.take_along_axis(chosen, np.abs(chosen).argmax(axis=1)[:, np.newaxis], axis=1)
    return Ranked(chosen * np.sign(largest), np.array(stability)[order])
