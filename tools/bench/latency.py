"""Latency: push of the sample that completes a window, to the decision in the subscriber's hand.

The three conditions read one outlet and take turns: their windows are complete with samples 0, 1 and
2 of every three, so they meet the same machine in the same minutes.  On few cores a condition then also
meets what the others do with every sample, hemostream most of all, which slows its peers more
than itself.  So it is measured again with an outlet for each condition, pushed a third of a period apart.
"""

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.arrays import Floats
from realtime.log import Produced, Received
from realtime.sinks.journal.journal import read_journal_entries
from tools.bench.conditions import CONDITIONS, Arrived, arrivals, running
from tools.bench.processes import BenchError
from tools.bench.stream import LENGTH, RATE, bench_bundle, warmup_s

STEP = 3
STEP_S = STEP / RATE
AIM_P50, AIM_P99 = 1.2, 1.5
NEAR_S = 0.002
"""A stamp within this is that of the sample: the clocks of one machine differ by microseconds."""
SETTLE_S = 10.0
"""Windows of the first seconds behind the warm-up are left out for all conditions alike.

Until 128 samples have shown that each is stamped for itself, a busy machine's long chunks are taken for
pushes, and windows of such stamps abstain: no whole window of these may be among those measured."""


def measure_latency(
    folder: Path, broker: str, *, windows: int, apart_s: float = 0.0, device: str = "cpu"
) -> dict[str, Any]:
    """Measure so many windows a condition.

    Parameters
    ----------
    folder : path
        For its files; is created.
    broker : str
        URL.
    windows : int
        A condition.
    apart_s : float
        Above 0 each condition has an outlet of its own, pushed so much (s) apart.
    device : str
        Where hemostream's session computes; its peers take the CPU.

    Returns
    -------
    dict
        Milliseconds and ratios.
    """
    folder.mkdir()
    bundle = folder / "bundle"
    bench_bundle(bundle, step_s=STEP_S)
    begin = LENGTH + math.ceil((warmup_s() + SETTLE_S) * RATE)
    begin += -begin % STEP
    samples = begin + (windows + 2) * STEP
    run = folder / "run"
    how = {"samples": samples, "step": STEP, "apart_s": apart_s, "device": device}
    with running(run, broker, bundle, CONDITIONS, **how) as children:  # type: ignore[arg-type]
        done = children["pusher"].wait_for("done", samples / RATE + 60.0)
        time.sleep(0.5)  # the last decision is on its way; what is missing then is an error below
        found = arrivals(children, run)
    latencies: dict[str, Floats] = {}
    parts: dict[str, dict[str, float]] = {}
    pushed = done["pushed"]
    for place, condition in enumerate(CONDITIONS):
        its_pushes = pushed[place if apart_s else 0]
        mine = [
            (index, one)
            for one in found
            if one.condition == condition and begin <= (index := sample_of(one, done["first"]))
        ][:windows]
        check(condition, [index for index, _ in mine], [one for _, one in mine], windows)
        latencies[condition] = np.array([one.at - its_pushes[index] for index, one in mine])
        if condition == "hemostream":
            parts[condition] = journaled_parts(run / "journal.hemostream", mine, its_pushes)
        else:
            parts[condition] = parts_of([(its_pushes[i], one.got, one.made, one.at) for i, one in mine])
    return {
        "windows": windows,
        "conditions_ms": {condition: summary(values) for condition, values in latencies.items()},
        "ratios": {
            peer: {
                name: ratio(latencies["hemostream"], latencies[peer], percent)
                for name, percent in (("p50", 50.0), ("p99", 99.0))
            }
            for peer in ("plain", "ideal")
        },
        "parts_ms_p50": parts,
        "raw_ms": {condition: np.round(values * 1e3, 3).tolist() for condition, values in latencies.items()},
    }


def sample_of(one: Arrived, first: float) -> int:
    """Which sample completed a decision's window."""
    place = (one.stamp - first) * RATE
    index = round(place)
    if abs(place - index) / RATE > NEAR_S:
        raise BenchError(
            f"A decision of {one.condition} says that its window was complete at {one.stamp:.4f} s, which is "
            f"no sample's stamp (the nearest is {index}, off by {(place - index) / RATE * 1e3:.2f} ms). "
            "The conditions' grids do not match, so nothing can be compared."
        )
    return index


def check(condition: str, indices: Sequence[int], mine: Sequence[Arrived], windows: int) -> None:
    """Refuse a run in which a condition left a window out or completed them with another's samples."""
    turn = (LENGTH - 1 + CONDITIONS.index(condition)) % STEP
    steps = set(np.diff(indices).tolist())
    predicted = sum(one.predicted for one in mine)
    if predicted < windows or steps - {STEP} or indices[0] % STEP != turn:
        raise BenchError(
            f"{condition} gave {len(mine)} of {windows} windows, {predicted} of them predicted, every "
            f"{sorted(steps)} samples from sample {indices[0] if indices else 'none'} on; expected all, "
            f"every {STEP} samples, at {turn} modulo {STEP}. Is the machine overloaded?"
        )


def journaled_parts(
    journal: Path, mine: Sequence[tuple[int, Arrived]], pushed: Sequence[float]
) -> dict[str, float]:
    """Where hemostream's time goes, by its own journal: sample in hand, logits there."""
    wanted = {round(one.stamp * 1e3): (index, one) for index, one in mine}
    rows = []
    latest = 0.0
    got: dict[int, float] = {}
    produced: list[tuple[float, float]] = []
    for entry in read_journal_entries(journal):
        if isinstance(entry, Received):
            latest = entry.local
            got[round(float(entry.stamps[-1]) * 1e3)] = entry.local
        elif isinstance(entry, Produced) and entry.batch:
            produced.append((latest, entry.local))
    made = dict(produced)
    for key, (index, one) in wanted.items():
        # The clock may have moved the stamp by some microseconds, over the edge of a millisecond.
        local = next((got[k] for k in (key, key - 1, key + 1) if k in got), float("nan"))
        rows.append((pushed[index], local, made.get(local, float("nan")), one.at))
    return parts_of(rows)


def parts_of(rows: Sequence[tuple[float, float, float, float]]) -> dict[str, float]:
    """Median ms from push to hand, from hand to logits, from logits to the subscriber."""
    steps = np.diff(np.array(rows), axis=1) * 1e3
    names = ("push to sample in hand", "in hand to predicted", "predicted to subscriber")
    return {name: round(float(np.nanmedian(column)), 3) for name, column in zip(names, steps.T, strict=True)}


def summary(seconds: Floats) -> dict[str, float]:
    """Percentiles in ms of latencies : (n_windows,) float64, s."""
    named = {"p50": 50, "p90": 90, "p99": 99, "max": 100}
    return {name: round(float(np.percentile(seconds, at)) * 1e3, 3) for name, at in named.items()}


def ratio(ours: Floats, theirs: Floats, percent: float) -> float:
    """Ratio of one percentile of latencies : (n_windows,) float64, s."""
    return round(float(np.percentile(ours, percent) / np.percentile(theirs, percent)), 3)
