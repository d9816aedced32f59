"""``python -m tools.bench.region_stages``: what does it cost that region signals are corrected causally?

The stages despike, regress, running_percent and normalise, volume by volume in effect, beside
``nilearn.signal.clean`` over the whole run, on series of which the truth is known: drift, head motion and
spikes are added to ABIDE's series and to simulated ones.
"""

import json
import os
from itertools import product
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from cyclopts import App, Parameter
from nilearn.signal import clean
from rich.console import Console
from rich.table import Table

from models.arrays import Floats
from models.errors import HemostreamError
from offline.recordings import read_recording
from realtime.signal import Channel, Chunk, Kind, SignalSpec, motion_channels
from realtime.stages import make_stage
from tools.bench.machine import describe_machine

TR = 2.0
LEVEL, SIZE = 1000.0, 10.0
"""Mean and SD of a clean series, arbitrary units: one percent."""
SKIP_S = 120.0
"""What is not scored: the warm-ups, which add up along a chain."""
SPIKES = 0.02
"""Share of the cells."""
MOTION = ["head_translation", "head_rotation"]
DESPIKE: dict[str, Any] = {"stage": "despike"}
REGRESS: dict[str, Any] = {"stage": "regress", "confounds": MOTION}
PERCENT: dict[str, Any] = {"stage": "running_percent"}
NORMALISE: dict[str, Any] = {"stage": "normalise", "memory_s": 120.0, "warmup_s": 40.0}
WAYS: dict[str, list[dict[str, Any]]] = {
    "uncorrected": [],
    "despike": [DESPIKE],
    "regress": [REGRESS],
    "despike, regress": [DESPIKE, REGRESS],
    "despike, regress, running_percent": [DESPIKE, REGRESS, PERCENT],
    "despike, regress, running_percent, normalise": [DESPIKE, REGRESS, PERCENT, NORMALISE],
}


def bench(
    *,
    data: Annotated[Path | None, Parameter(env_var="HEMOSTREAM_DATA")] = None,
    out: Annotated[Path | None, Parameter(name=["--out", "-o"])] = None,
    people: int = 6,
) -> None:
    """Measure the causal stages beside nilearn's offline cleaning; print a table.

    Parameters
    ----------
    data : Path
        Folder of the real recordings; without it only simulated ones are measured.
    out : Path
        Also write the figures here, as JSON.
    people : int
        Of each set.
    """
    sets = {"simulated": [_simulated(seed) for seed in range(people)]}
    if data is not None:
        folder = data / "abide" / "ABIDE_pcp" / "cpac" / "nofilt_noglobal"
        sets["ABIDE, NYU"] = [_real(path) for path in sorted(folder.glob("NYU_*.1D"))[:people]]
    results: dict[str, Any] = {"machine": describe_machine(), "people": people}
    console = Console(width=120)
    for (kind, truths), share in product(sets.items(), (SPIKES, 0.0)):
        name = f"{kind}, {'spikes' if share else 'no spikes'}"
        each = [_errors(truth, seed, share) for seed, truth in enumerate(truths)]
        results[name] = mean = {way: float(np.mean([one[way] for one in each])) for way in each[0]}
        table = Table(name, "error / SD", "of uncorrected", "of offline")
        for way, error in mean.items():
            offline = error / mean["nilearn.signal.clean, offline"]
            table.add_row(way, f"{error:.3f}", f"{error / mean['uncorrected']:.2f}", f"{offline:.2f}")
        console.print(table)
    console.print(f"{results['machine']}")
    if out is not None:
        out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def _real(path: Path, regions: int = 50) -> Floats:
    """Measured regions, detrended, (n_regions, n_volumes)."""
    series = np.asarray(read_recording(path, repetition_time=TR).data)
    series = series[np.isfinite(series).all(axis=1) & (series.std(axis=1) > 0)][:regions]
    return _scaled(series)


def _simulated(seed: int, regions: int = 50, volumes: int = 180) -> Floats:
    """Autoregressive noise (coefficient 0.5), (n_regions, n_volumes)."""
    noise = np.random.default_rng(1000 + seed).normal(size=(regions, volumes))
    for i in range(1, volumes):
        noise[:, i] += 0.5 * noise[:, i - 1]
    return _scaled(noise)


def _scaled(series: Floats) -> Floats:
    flat = clean(series.T, detrend=True, standardize="zscore_sample", standardize_confounds=False).T
    return np.asarray(LEVEL + SIZE * flat)


def _errors(truth: Floats, seed: int, share: float) -> dict[str, float]:
    """RMSE against the truth, both standardised over what is scored; medians over regions."""
    rng = np.random.default_rng(seed)
    n_regions, n = truth.shape
    steps = rng.normal(size=(6, n)) * (rng.random(n) < 0.05) + 0.05 * rng.normal(size=(6, n))
    head = 1e-3 * np.cumsum(steps, axis=1)
    of_head = SIZE * rng.normal(size=(n_regions, 6)) @ (head / head.std(axis=1, keepdims=True)) / 6**0.5
    ago = np.arange(n) / n
    drift = SIZE * (
        rng.normal(size=(n_regions, 1)) * 3 * ago
        + rng.normal(size=(n_regions, 1)) * np.cos(np.pi * ago + rng.uniform(0, 6))
    )
    spikes = 8 * SIZE * rng.choice([-1, 1], (n_regions, n)) * (rng.random((n_regions, n)) < share)
    damaged = truth + of_head + drift + spikes
    late = slice(int(SKIP_S / TR), None)
    aim = _standard(truth[:, late])
    found = {name: _online(stages, head, damaged) for name, stages in WAYS.items()}
    found["nilearn.signal.clean, offline"] = clean(
        damaged.T, detrend=True, confounds=head.T, standardize="zscore_sample", t_r=TR
    ).T
    return {
        name: float(np.median(np.sqrt(np.mean((_standard(one[:, late]) - aim) ** 2, axis=1))))
        for name, one in found.items()
    }


def _standard(series: Floats) -> Floats:
    middle = series - series.mean(axis=1, keepdims=True)
    return np.asarray(middle / middle.std(axis=1, keepdims=True))


def _online(stages: list[dict[str, Any]], head: Floats, damaged: Floats) -> Floats:
    """What the stages make of it, (n_regions, n_volumes)."""
    regions = tuple(Channel(name=f"region {i}", kind=Kind.BOLD, unit="a.u.") for i in range(len(damaged)))
    spec = SignalSpec((*motion_channels()[:6], *regions), 1 / TR)
    whole = np.concatenate([head, damaged])
    times = np.arange(whole.shape[1], dtype=np.float64) * TR
    chunk = Chunk(spec, whole, times, np.zeros(whole.shape, dtype=bool))
    for each in stages:
        chunk = make_stage(each, chunk.spec).process(chunk)
    return np.where(chunk.missing, np.nan, chunk.data)[-len(damaged) :]


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    try:
        App(name="region_stages", default_command=bench, help_format="plaintext")()
    except HemostreamError as error:
        raise SystemExit(f"region stages bench: {error}") from error
