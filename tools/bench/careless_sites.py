"""``python -m tools.bench.careless_sites``: what two careless habits give on real sites of ABIDE.

One thing is changed at a time, with the same people, the same model (ridge in the dual), as many training
rows and as many edges: *selection outside* chooses edges with everybody's labels; *windows at random*
puts windows of one person on both sides.  Each on true and on permuted labels; the floor is the honest
protocol beside it.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from cyclopts import App
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import StratifiedKFold

from offline.features import Correlation
from offline.scans import Scans
from offline.scans.abide import read_abide
from offline.studies.systems.selecting import Best

app = App(name="careless-sites", help="Two careless habits on real sites.", help_format="plaintext")

EDGES, VOLUMES = 200, 30
Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]


@app.default
def careless_sites(
    *,
    data: Path | None = None,
    sites: tuple[str, ...] = ("CALTECH", "NYU"),
    divisions: int = 10,
    labellings: int = 20,
) -> None:
    """Print balanced accuracy by person of each habit and of its honest twin.

    Parameters
    ----------
    data : path
        ABIDE as nilearn lays it out; otherwise ``abide`` within HEMOSTREAM_DATA.
    sites : tuple of str
        Which.
    divisions, labellings : int
        Divisions into five folds with true labels, and permuted labellings with one each.
    """
    from tools.bench.machine import describe_machine

    scans = read_abide(data or Path(os.environ["HEMOSTREAM_DATA"]) / "abide")
    print("| site | people | protocol | true labels | permuted labels (95 % of the mean) |")
    print("|---|---|---|---|---|")
    for site in sites:
        if site not in scans.site:
            raise SystemExit(f"There is no site {site!r}; there are {', '.join(np.unique(scans.site))}.")
        own = scans.rows(scans.site == site)
        for name, run in _protocols(own).items():
            true = [run(own.y, seed) for seed in range(divisions)]
            null = [run(np.random.default_rng([7, k]).permutation(own.y), k) for k in range(labellings)]
            half = 1.96 * np.std(null, ddof=1) / np.sqrt(len(null))
            mean = np.mean(null)
            print(
                f"| {site} | {len(own)} | {name} | {np.mean(true):.3f} "
                f"| {mean:.3f} ({mean - half:.3f} to {mean + half:.3f}) |",
                flush=True,
            )
    print(f"\n{divisions} divisions, {labellings} labellings. {json.dumps(describe_machine())}")


def _protocols(own: Scans) -> dict[str, Callable[[Labels, int], float]]:
    whole = Correlation().fit_transform(own.X)
    windows, whose = _windows(own)
    return {
        f"honest, {EDGES} edges chosen within the fold": lambda y, seed: _selected(
            whole, y, seed, outside=False
        ),
        f"selection outside: {EDGES} edges by everybody's labels": lambda y, seed: _selected(
            whole, y, seed, outside=True
        ),
        f"honest, windows of {VOLUMES} volumes, people apart": lambda y, seed: _of_windows(
            windows, whose, y, seed, at_random=False
        ),
        f"windows of {VOLUMES} volumes at random": lambda y, seed: _of_windows(
            windows, whose, y, seed, at_random=True
        ),
    }


def _windows(own: Scans) -> tuple[Floats, Labels]:
    """Correlations of windows of which none overlap, and whose they are."""
    pieces, whose = [], []
    for i, n in enumerate(own.n_times.tolist()):
        for first in range(0, n - VOLUMES + 1, VOLUMES):
            pieces.append(own.X[i, :, first : first + VOLUMES])
            whose.append(i)
    return Correlation().fit_transform(np.stack(pieces)), np.array(whose, dtype=np.int64)


def _selected(X: Floats, y: Labels, seed: int, *, outside: bool) -> float:
    chosen = Best(EDGES).fit(X, y).get_support() if outside else None
    said = np.zeros(len(y))
    for train, test in StratifiedKFold(5, shuffle=True, random_state=seed).split(X, y):
        own = Best(EDGES).fit(X[train], y[train]).get_support() if chosen is None else chosen
        said[test] = _fit(X[train][:, own], y[train], X[test][:, own])
    return _balanced(said, y)


def _of_windows(X: Floats, whose: Labels, y: Labels, seed: int, *, at_random: bool) -> float:
    rng = np.random.default_rng(seed)
    total, count = np.zeros(len(y)), np.zeros(len(y))
    if at_random:
        part = rng.permutation(len(X)) % 5
    else:
        split = StratifiedKFold(5, shuffle=True, random_state=seed)
        part = np.zeros(len(X), dtype=np.int64)
        for k, (_, test) in enumerate(split.split(y, y)):
            part[np.isin(whose, test)] = k
    n_train = (
        min(int((part != k).sum()) for k in range(5)) * 9 // 10
    )  # as many in both, whatever the folds' sizes
    for k in range(5):
        train = rng.choice(np.flatnonzero(part != k), n_train, replace=False)
        test = np.flatnonzero(part == k)
        np.add.at(total, whose[test], _fit(X[train], y[whose[train]], X[test]))
        np.add.at(count, whose[test], 1.0)
    return _balanced(total / count, y)


def _fit(X: Floats, y: Labels, judged: Floats) -> Floats:
    mean, scale = X.mean(axis=0), X.std(axis=0)
    scale[scale == 0] = 1.0
    model = RidgeClassifier(alpha=0.5 * X.shape[1], class_weight="balanced").fit((X - mean) / scale, y)
    return np.asarray(model.decision_function((judged - mean) / scale))


def _balanced(said: Floats, y: Labels) -> float:
    return float(0.5 * ((said[y == 1] > 0).mean() + (said[y == 0] <= 0).mean()))


if __name__ == "__main__":
    app()
