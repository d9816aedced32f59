"""``python -m tools.bench.connectivity``: connectivity of a cohort against its bare products.

The floor is what cannot be left out: each person's product of standardised series, which were standardised
before and lie in memory.  It is listed twice: as a result that is kept, as everybody else's is, and forgotten
as soon as it is made, which spares the processor the memory.  The peer is nilearn's ``ConnectivityMeasure``,
which shrinks, and is given series as it wants them.  All take turns within one run, on one thread; reading is
in none of them.

With ``HEMOSTREAM_DATA`` the people are ABIDE's; without, noise of the same sizes.
"""

import json
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt
from cyclopts import App
from nilearn.connectome import ConnectivityMeasure
from threadpoolctl import threadpool_limits

from models.features.connectivity import Correlation
from models.features.series import Series
from models.scan_model import FEATURES

app = App(name="connectivity", help="Connectivity of a cohort.", help_format="plaintext")

VOLUMES = (78, 116, 146, 176, 196, 202, 206, 236, 246, 296, 316)
PEOPLE = (26, 134, 84, 211, 158, 1, 34, 13, 29, 140, 13)
"""How many of the 843 have so many volumes."""
REGIONS = 200


@app.default
def connectivity(*, turns: int = 5, others: bool = False, double: bool = False) -> None:
    """Time the connectivity of all people.

    Parameters
    ----------
    turns : int
        Runs of each, by turns.
    others : bool
        Time every other feature too, once.
    double : bool
        Series, and so products, in float64 instead of float32.
    """
    from tools.bench.machine import describe_machine

    dtype: type[np.floating[Any]] = np.float64 if double else np.float32
    with threadpool_limits(1):
        source, scans = people()
        X = padded(scans).astype(dtype)
        standardised = [standard(scan).astype(dtype) for scan in scans]
        seconds = np.full(len(X), 2.0)
        feature = partial(Correlation(), X, seconds)
        check(feature(), scans)
        columns = [np.ascontiguousarray(scan.T, dtype=dtype) for scan in scans]
        conditions: dict[str, Callable[[], object]] = {
            "products": lambda: [series @ series.T for series in standardised],
            "products, each forgotten": lambda: forgotten(standardised),
            "hemostream": feature,
            "nilearn": lambda: nilearn(columns),
        }
        took: dict[str, list[float]] = {name: [] for name in conditions}
        for turn in range(turns):
            names = list(conditions)
            for name in names[turn % len(names) :] + names[: turn % len(names)]:
                took[name].append(timed(conditions[name]))
        floor = median(took["products"])
        print(f"{len(X)} people x {REGIONS} regions ({source}), {np.dtype(dtype).name}, {turns} turns\n")
        print("| | median, s | from, s | to, s | times the products |\n|---|---|---|---|---|")
        for name, values in took.items():
            middle = median(values)
            print(f"| {name} | {middle:.3f} | {min(values):.3f} | {max(values):.3f} | {middle / floor:.2f} |")
        if others:
            print("\n| feature | s |\n|---|---|")
            for name, kind in FEATURES.items():
                print(f"| {name} | {timed(partial(kind(), X, seconds)):.2f} |", flush=True)
    print(f"\n{json.dumps(describe_machine())}")


def people() -> tuple[str, list[npt.NDArray[np.float32]]]:
    """Where they come from, and each one's series, (n_regions, n_times) float32."""
    data = os.environ.get("HEMOSTREAM_DATA")
    if data:
        files = sorted(Path(data).glob("abide/ABIDE_pcp/cpac/nofilt_noglobal/*_rois_cc200.1D"))
        if files:
            return "ABIDE", [np.loadtxt(file, dtype=np.float32).T.copy() for file in files]
    rng = np.random.default_rng(0)
    lengths = np.repeat(VOLUMES, PEOPLE)
    return "noise", [rng.normal(size=(REGIONS, n)).astype(np.float32) for n in lengths]


def padded(scans: list[npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
    """As features take them: (n, n_regions, n_times) float32, no numbers after a scan's end."""
    X = np.full((len(scans), REGIONS, max(scan.shape[1] for scan in scans)), np.nan, dtype=np.float32)
    for row, scan in zip(X, scans, strict=True):
        row[:, : scan.shape[1]] = scan
    return X


def standard(scan: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Series of mean 0 and length 1, (n_regions, n_times) float64; a constant region all zero."""
    series = scan - scan.mean(axis=1, keepdims=True, dtype=np.float64)
    norm = np.linalg.norm(series, axis=1, keepdims=True)
    return np.asarray(np.divide(series, norm, out=np.zeros_like(series), where=norm > 1e-6))


def forgotten(standardised: list[Series]) -> None:
    """Every person's product, of (n_regions, n_times) float32 or float64."""
    for series in standardised:
        np.matmul(series, series.T)


def nilearn(columns: list[Series]) -> object:
    """Correlations as nilearn gives them, of (n_times, n_regions) float32 or float64."""
    measure = ConnectivityMeasure(kind="correlation", vectorize=True, discard_diagonal=True)
    return measure.fit_transform(columns)


def check(found: npt.NDArray[np.float64], scans: list[npt.NDArray[np.float32]]) -> None:
    """Refuse to time what is wrong: (n, n_pairs) float64 against each person's product in float64."""
    for row, scan in zip(found, scans, strict=True):
        series = standard(scan)
        plain = (series @ series.T)[np.triu_indices(REGIONS, 1)]
        if not np.allclose(np.tanh(row), plain, atol=1e-5):
            apart = float(np.abs(np.tanh(row) - plain).max())
            raise SystemExit(f"A correlation is off by {apart:.1e}; expected less than 1e-5.")


def timed(condition: Callable[[], object]) -> float:
    """Seconds it takes."""
    begin = time.perf_counter()
    condition()
    return time.perf_counter() - begin


if __name__ == "__main__":
    app()
