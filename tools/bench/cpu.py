"""CPU seconds a minute of stream: hemostream and the plain loop, side by side on one stream."""

import math
import time
from pathlib import Path
from typing import Any

from tools.bench.arms import arrivals, running
from tools.bench.stream import LENGTH_S, RATE, bench_bundle, warmup_s

STEP_S = 1.0
ARMS = ("hemostream", "plain")


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
    with running(run, broker, bundle, ARMS, samples=samples, step=step) as children:
        children["pusher"].wait_for("first")
        time.sleep(begin_s)
        before = {arm: children[arm].cpu() for arm in ARMS}
        time.sleep(seconds)
        after = {arm: children[arm].cpu() for arm in ARMS}
        found = arrivals(children, run)
    minute = {arm: 60.0 * (after[arm][0] - before[arm][0]) / (after[arm][1] - before[arm][1]) for arm in ARMS}
    return {
        "seconds": seconds,
        "cpu_s_per_minute": {arm: round(value, 3) for arm, value in minute.items()},
        "ratio": round(minute["hemostream"] / minute["plain"], 3),
        "judged": {arm: sum(one.arm == arm and one.judged for one in found) for arm in ARMS},
    }
