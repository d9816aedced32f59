"""``python -m tools.bench.motion``: what does it cost that motion and scalp are corrected causally?

The two stages beside what sees the whole recording: TDDR (MNE) and short-channel regression (MNE-NIRS, and
plain least squares), on real recordings with artefacts put in and on simulated ones, so that
the truth is known.
"""

import json
import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from cyclopts import App, Parameter
from rich.console import Console
from rich.table import Table

from models.errors import HemostreamError
from offline.simulation import Simulation
from offline.simulation.probe import make_pairs, make_spec
from realtime.signal import Chunk
from realtime.stages.base import Stage
from realtime.stages.motion import Motion
from realtime.stages.short_channel import ShortChannel
from tools.bench.machine import describe_machine
from tools.bench.motion_artefacts import ON_CLEAN, UNTOUCHED, measure_motion, real_cases, simulated_cases
from tools.bench.motion_scores import HIGH, LOW, MotionScore, density_spec
from tools.bench.motion_short import measure_real, measure_simulated

COLUMNS = ("error / SD", "of uncorrected", "correlation", "error, all frequencies", "superficial left")


def bench(
    *,
    data: Annotated[Path | None, Parameter(env_var="HEMOSTREAM_DATA")] = None,
    out: Annotated[Path | None, Parameter(name=["--out", "-o"])] = None,
    draws: int = 3,
    people: int = 6,
) -> None:
    """Measure the motion and the short-channel stage beside their offline peers; print a table.

    Parameters
    ----------
    data : Path
        Folder of the real recordings; without it only simulated ones are measured.
    out : Path
        Also write the figures here, as JSON.
    draws : int
        Draws of artefacts for each real recording.
    people : int
        Simulated people.
    """
    folder = None if data is None else data / "fnirs"
    results: dict[str, Any] = {"machine": describe_machine(), "draws": draws, "people": people}
    console = Console(width=150)
    console.print(f"Band {LOW:g}-{HIGH:g} Hz, causal; medians over channels, means over recordings.")
    if folder is None:
        console.print("HEMOSTREAM_DATA is not set: no real recordings.")
    else:
        _told(
            console,
            results,
            "motion, artefacts in real recordings (tapping)",
            measure_motion(real_cases(folder / "homer3_tapping", draws)),
        )
    _told(console, results, "motion, simulated", measure_motion(simulated_cases(people)))
    _told(console, results, "superficial, simulated", measure_simulated(people))
    if folder is not None:
        left = measure_real(folder / "lsl_tapping_xdf")
        table = Table(
            "", "superficial left (r2)", "of a response put in", title="superficial, real (Cortivision)"
        )
        for name, its in left.items():
            table.add_row(name, f"{its['superficial']:.3f}", f"{its['response']:.3f}")
        console.print(table)
        results["superficial, real"] = left
    results["microseconds_a_sample"] = cost = _cost()
    for name, each in cost.items():
        console.print(f"{name}: {each:.0f} us a sample, sample by sample, 48 rows at 10 Hz")
    console.print(f"{results['machine']}")
    if out is not None:
        out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def _told(console: Console, results: dict[str, Any], title: str, scores: dict[str, MotionScore]) -> None:
    results[title] = {name: asdict(each) for name, each in scores.items()}
    table = Table("", *COLUMNS, title=title)
    for name, its in scores.items():
        share = "" if name.startswith(ON_CLEAN) else f"{its.error / scores[UNTOUCHED].error:.2f}"
        left = "" if np.isnan(its.superficial) else f"{its.superficial:.3f}"
        table.add_row(
            name, f"{its.error:.2f}", share, f"{its.correlation:.3f}", f"{its.error_broad:.2f}", left
        )
    console.print(table)


def _cost(samples: int = 1200) -> dict[str, float]:
    """Time for one sample, us, as a live stream sends them."""
    settings = Simulation()
    spec = density_spec(make_spec(make_pairs(settings), settings))
    data = 0.01 * np.random.default_rng(0).standard_normal((len(spec), samples)).cumsum(axis=1)
    times = np.arange(samples) / spec.rate
    missing = np.zeros(data.shape, dtype=bool)
    stages: dict[str, Stage] = {"motion": Motion(spec), "short_channel": ShortChannel(spec)}
    took = {}
    for name, stage in stages.items():
        began = time.perf_counter()
        for i in range(samples):
            stage.process(Chunk(spec, data, times, missing).between(i, i + 1))
        took[name] = (time.perf_counter() - began) / samples * 1e6
    return took


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    try:
        App(name="motion", default_command=bench, help_format="plaintext")()
    except HemostreamError as error:
        raise SystemExit(f"motion bench: {error}") from error
