"""CPU seconds a minute of stream: hemostream and the plain loop, side by side on one stream."""

import math
import time
from pathlib import Path
from typing import Any

from tools.bench.conditions import arrivals, running
from tools.bench.stream import LENGTH_S, RATE, bench_bundle, warmup_s

STEP_S = 1.0
CONDITIONS = ("hemostream", "plain")


def measure_cpu(folder: Path, broker: str, *, seconds: float) -> dict[str, Any]:
    """User and system time of each whole process, over so many seconds behind the warm-up.

    Returns
    -------
    dict
        CPU seconds a minute of stream, and their ratio.
    """
    folder.mkdir()
    bundle = folder / "bundle"
    bench_bundle(bundle, step_s=STEP_S)
    begin_s = warmup_s() + LENGTH_S + 3.0
    samples = math.ceil((begin_s + seconds + 5.0) * RATE)
    run = folder / "run"
    step = round(STEP_S * RATE)
    with running(run, broker, bundle, CONDITIONS, samples=samples, step=step) as children:
        children["pusher"].wait_for("first")
        time.sleep(begin_s)
        before = {condition: children[condition].cpu() for condition in CONDITIONS}
        time.sleep(seconds)
        after = {condition: children[condition].cpu() for condition in CONDITIONS}
        found = arrivals(children, run)
    minute = {
        condition: 60.0
        * (after[condition][0] - before[condition][0])
        / (after[condition][1] - before[condition][1])
        for condition in CONDITIONS
    }
    return {
        "seconds": seconds,
        "cpu_s_per_minute": {condition: round(value, 3) for condition, value in minute.items()},
        "ratio": round(minute["hemostream"] / minute["plain"], 3),
        "predicted": {
            condition: sum(one.condition == condition and one.predicted for one in found)
            for condition in CONDITIONS
        },
    }
