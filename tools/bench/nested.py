"""``python -m tools.bench.nested``: the linear baseline, a site at a time left out, penalties tuned within.

The peer is scikit-learn's plain way, in the same run and on the same threads: `StandardScaler`, then
`GridSearchCV` of `RidgeClassifier` over `LeaveOneGroupOut` by AUC.  It takes a quarter of an hour, so by
default it leaves out one site only and the whole is extrapolated from these fits; penalties and scores must
agree.
"""

import json
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
from cyclopts import App, Parameter
from sklearn.linear_model import RidgeClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, LeaveOneGroupOut
from sklearn.preprocessing import StandardScaler

from offline.estimators.ridge_connectivity import PENALTIES, RidgeConnectivity

app = App(name="nested", help="The nested linear baseline.", help_format="plaintext")


@app.default
def nested(
    features: Annotated[Path | None, Parameter(name="--features")] = None,
    *,
    people: int = 843,
    sites: int = 16,
    edges: int = 19_900,
    peer_sites: int = 1,
    threads: int = 2,
) -> None:
    """Time the whole nested procedure.

    Parameters
    ----------
    features : Path
        An ``.npz`` with ``X (n, n_edges)``, ``y (n,)`` of 0 and 1 and ``site (n,)``.  Default: simulated.
    people, sites, edges : int
        Of the simulated people.
    peer_sites : int
        Sites that scikit-learn leaves out in turn; the rest is extrapolated.
    threads : int
        Of either.
    """
    from threadpoolctl import threadpool_limits

    from tools.bench.machine import describe_machine

    X, y, site = _simulated(people, sites, edges) if features is None else _read(features)
    names = np.unique(site)
    with threadpool_limits(threads):
        begin = time.perf_counter()
        scores, chosen = np.empty(len(y)), {}
        for name in names:
            out = site == name
            model = RidgeConnectivity().fit(X[~out], y[~out], site=site[~out])
            scores[out], chosen[str(name)] = model.decision_function(X[out]), model.penalty_
        ours = time.perf_counter() - begin
        begin = time.perf_counter()
        fits, apart = 0, 0.0
        for name in names[:peer_sites]:
            out = site == name
            scaler = StandardScaler().fit(X[~out])
            search = GridSearchCV(
                RidgeClassifier(), {"alpha": list(PENALTIES)}, scoring="roc_auc", cv=LeaveOneGroupOut()
            )
            search.fit(scaler.transform(X[~out]), y[~out], groups=site[~out])
            fits += len(PENALTIES) * (len(names) - 1) + 1
            if search.best_params_["alpha"] != chosen[str(name)]:
                raise SystemExit(f"{name}: scikit-learn took {search.best_params_}, we {chosen[str(name)]}.")
            theirs_here = search.decision_function(scaler.transform(X[out]))
            apart = max(apart, float(np.abs(theirs_here - scores[out]).max()))
        theirs = time.perf_counter() - begin
    whole = theirs * len(names) / peer_sites
    note = "" if peer_sites == len(names) else f", extrapolated from {fits} of its fits ({theirs:.0f} s)"
    print("| nested leave one site out | s |\n|---|---|")
    print(f"| through the Gram matrix | {ours:.1f} |\n| scikit-learn{note} | {whole:.0f} |")
    print(
        f"\n{len(X)} {'simulated ' if features is None else ''}people, "
        f"{len(names)} sites, {X.shape[1]} edges, {len(PENALTIES)} penalties, "
        f"{threads} threads; ratio {whole / ours:.0f}; same penalties, scores within {apart:.1e}; "
        f"accuracy {np.mean((scores > 0) == (y == 1)):.3f}, AUC {roc_auc_score(y, scores):.3f}. "
        f"{json.dumps(describe_machine())}"
    )


def _read(
    path: Path,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64], npt.NDArray[np.str_]]:
    with np.load(path) as file:
        return file["X"], file["y"], file["site"]


def _simulated(
    people: int, sites: int, edges: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64], npt.NDArray[np.str_]]:
    """A weak effect on all edges, and sites that differ."""
    rng = np.random.default_rng(0)
    number = np.arange(people) % sites
    y = rng.integers(0, 2, people)
    X = rng.normal(size=(people, edges)) + 0.3 * rng.normal(size=(sites, edges))[number]
    X += 0.05 * y[:, np.newaxis] * rng.normal(size=edges)
    return X, y, np.array([f"site {k:02d}" for k in number])


if __name__ == "__main__":
    app()
