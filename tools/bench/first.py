"""Time to the first decision, beyond connection, declared warm-up and window.

The stream is already running, as a device's is when somebody connects.
"""

import math
import time
from pathlib import Path
from typing import Any

from realtime.log import Received, StreamOpened
from realtime.sinks.journal.journal import read_journal_entries
from tools.bench.conditions import arrivals, running
from tools.bench.processes import BenchError
from tools.bench.stream import LENGTH_S, RATE, bench_bundle, warmup_s

STEP_S = 1.0
CONDITIONS = ("hemostream", "plain")
PATIENCE_S = 30.0
"""How long the first decision with a label may take beyond warm-up and window.

On a busy machine the clock watches the first 20 s of exact stamps before it takes them for measured."""


def measure_first(folder: Path, broker: str) -> dict[str, Any]:
    """From the opened stream to the first decision with a label in the subscriber's hand.

    Returns
    -------
    dict
        Seconds, and of hemostream's excess the part that the grid of windows makes: the first
        window that begins behind the warm-up begins up to a step later.
    """
    folder.mkdir()
    bundle = folder / "bundle"
    bench_bundle(bundle, step_s=STEP_S)
    warm = warmup_s()
    patience = 2 * PATIENCE_S + warm + LENGTH_S
    run = folder / "run"
    samples, step = math.ceil(patience * RATE), round(STEP_S * RATE)
    with running(run, broker, bundle, CONDITIONS, samples=samples, step=step, stream_first=True) as children:
        opened_plain = float(children["plain"].events["ready"]["opened"])
        deadline = time.monotonic() + warm + LENGTH_S + PATIENCE_S
        found = arrivals(children, run)
        while {one.condition for one in found if one.predicted} != set(CONDITIONS):
            if time.monotonic() > deadline:
                raise BenchError(
                    f"No label came from both conditions within {warm + LENGTH_S + PATIENCE_S:g} s; "
                    f"{len(found)} came at all. What the conditions wrote above may say why."
                )
            time.sleep(0.5)
            found = arrivals(children, run)
    first = {
        condition: next(one for one in found if one.condition == condition and one.predicted)
        for condition in CONDITIONS
    }
    opened = sample = float("nan")
    for entry in read_journal_entries(run / "journal.hemostream"):
        if isinstance(entry, StreamOpened):
            opened = entry.local
        elif isinstance(entry, Received):
            sample = float(entry.stamps[0])
            break
    ours = first["hemostream"].at - opened - warm - LENGTH_S
    grid = math.ceil(warm / STEP_S - 1e-9) * STEP_S - warm
    return {
        "warmup_s": warm,
        "window_s": LENGTH_S,
        "excess_s": {
            "hemostream": round(ours, 3),
            "plain": round(first["plain"].at - opened_plain - LENGTH_S, 3),
        },
        "of_it_s": {
            "until the first sample": round(sample - opened, 3),
            "until the grid's next window": round(grid, 3),
            "rest": round(ours - grid - (sample - opened), 3),
        },
    }
