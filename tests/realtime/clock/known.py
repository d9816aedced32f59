"""What the clock makes of known sources, number by number.

``python -m tests.realtime.clock.known`` writes `known.json` anew.  Whoever changes a rule of the clock sees
in its difference which sources it moves, and by how much; that they move to the better the clock's law and
bench must show (`tests/realtime/clock/test_clock_law.py`, `tools.bench.clock`).
"""

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from realtime.clock import Clock
from tools.bench.clock_sources import FAMILIES, KnownSource, make

KNOWN = Path(__file__).with_name("known.json")
SEEDS = 4
SAMPLES = 250


def sources() -> Iterator[tuple[str, KnownSource, bool]]:
    """Each with its name, and whether it is known when samples came."""
    for family in (*FAMILIES, "combinations"):
        for seed in range(SEEDS):
            yield f"{family} {seed}", make(family, seed, SAMPLES), seed % 2 == 0


def found(source: KnownSource, arrivals: bool) -> dict[str, Any]:
    """Figures that hang on every number that the clock gave."""
    clock = Clock(float(source.nominal))
    marks, came, n = dict(source.comparisons), source.arrived, len(source.true)
    together = np.flatnonzero(np.diff(came) != 0.0) + 1
    errors, claims, kept = [], [], []
    for first, stop in pairwise(sorted({0, n, *together.tolist(), *marks, *source.restarts})):
        if first in source.restarts:
            clock.reset()
        if first in marks:
            clock.compare(float(source.true[first]), marks[first])
        frames = None if source.frames is None else source.frames[first:stop]
        arrived = float(came[first]) if arrivals else None
        times, keeps = clock.process(source.stamps[first:stop], frames, arrived)
        errors += ((times - source.true[first:stop][keeps]) / source.period).tolist()
        claims += (clock.uncertainties / source.period).tolist()
        kept += keeps.tolist()
        if first % 7 == 0:  # as after a restart of the program: what it remembers is all that it knows
            state = json.loads(json.dumps(clock.state()))
            clock = Clock(float(source.nominal))
            clock.restore(state)
    report = clock.report
    weights = 1.0 + np.arange(len(errors)) / len(errors)  # whatever moves moves the sum
    return {
        "error": round(float(weights @ np.array(errors)) / len(errors), 9),
        "claim": round(float(weights @ np.array(claims)) / len(errors), 9),
        "dropped": np.flatnonzero(~np.array(kept)).tolist(),
        "rate": round(report.rate * source.period, 9),
        "jitter": round(report.jitter_s / source.period, 9),
        "counts": [report.gaps, report.duplicates, report.disordered, report.lost, clock.backward_steps],
        "invented": report.invented,
    }


if __name__ == "__main__":
    rows = [f'"{name}": {json.dumps(found(source, arrivals))}' for name, source, arrivals in sources()]
    KNOWN.write_text("{\n" + ",\n".join(rows) + "\n}\n", encoding="utf-8")
