"""How true times are, and how true the claim: sources with known times, by family, beside pyxdf's dejitter.

Run: ``python -m tools.bench.clock --sources 100``
"""

import argparse
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from realtime.clock import Clock
from tools.bench.clock_sources import FAMILIES, Floats, KnownSource, make

CHUNK = 16
"""Samples handed to the clock at once where nobody says when they came; changes nothing."""
LEAST_S = 1e-6
"""Errors below this are rounding, s."""


@dataclass(frozen=True, eq=False)
class Followed:
    """What a clock made of a source.

    Parameters
    ----------
    error, claim : (n_kept,) float64
        How wrong each time is, and how wrong it was claimed to be at most, s.
    kept : (n_samples,) bool
        Samples that got a time.
    """

    error: Floats
    claim: Floats
    kept: npt.NDArray[np.bool_]

    @property
    def covered(self) -> npt.NDArray[np.bool_]:
        """(n_kept,) bool: within the claim."""
        return self.error <= self.claim + LEAST_S


def follow(source: KnownSource, *, arrivals: bool = True) -> Followed:
    """Feed a source to the live clock as a session would; without `arrivals` nothing is said of when samples
    came."""
    clock = Clock(source.nominal)
    marks = dict(source.comparisons)
    n = len(source.true)
    came = source.arrived
    together = np.flatnonzero(np.diff(came) != 0.0) + 1 if arrivals else np.arange(0, n, CHUNK)
    cuts = sorted({0, n, *together.tolist(), *marks, *source.restarts})
    times, kept, claims = [], [], []
    for first, stop in pairwise(cuts):
        if first in source.restarts:
            clock.reset()
        if first in marks:
            clock.compare(float(source.true[first]), marks[first])
        frames = None if source.frames is None else source.frames[first:stop]
        arrived = float(came[first]) if arrivals else None
        given, keeps = clock.process(source.stamps[first:stop], frames, arrived)
        times.append(given)
        kept.append(keeps)
        claims.append(clock.uncertainties)
    there = np.concatenate(kept)
    return Followed(np.abs(np.concatenate(times) - source.true[there]), np.concatenate(claims), there)


def pyxdf_errors(source: KnownSource) -> Floats:
    """How wrong pyxdf's dejitter leaves the times of a file with these stamps, (n_samples,) s.

    The offsets are added as its straight line through them would be where there is only noise: their mean.
    """
    from pyxdf.pyxdf import StreamData, _jitter_removal

    xml = {
        name: [value]
        for name, value in {
            "name": "x",
            "type": "x",
            "channel_count": "1",
            "nominal_srate": str(source.nominal),
            "channel_format": "double64",
        }.items()
    }
    stream: Any = StreamData({"info": {**xml, "created_at": ["0"], "source_id": ["x"]}})
    offset = float(np.mean([found for _, found in source.comparisons])) if source.comparisons else 0.0
    stream.time_stamps = source.stamps + offset
    stream.time_series = np.zeros((len(source.stamps), 1))
    _jitter_removal({1: stream})
    return np.abs(np.asarray(stream.time_stamps) - source.true)


def rows(sources: int) -> list[dict[str, str]]:
    """A row a family."""
    found = []
    for family in (*FAMILIES, "combinations"):
        made = [make(family, seed) for seed in range(sources)]
        ours = [follow(source) for source in made]
        theirs = [pyxdf_errors(source) for source in made]
        periods = [source.period for source in made]
        covered = np.concatenate([one.covered for one in ours])
        beyond = max(
            float(((one.error - one.claim) / period).max()) for one, period in zip(ours, periods, strict=True)
        )
        found.append({
            "family": family,
            "within the claim": f"{100 * covered.mean():.2f} %",
            "worst beyond the claim, periods": f"{max(beyond, 0.0):.2f}",
            "error p50 / p99, ms": _two(np.concatenate([one.error for one in ours])),
            "claim p50, ms": f"{1e3 * np.median(np.concatenate([one.claim for one in ours])):.2f}",
            "dropped": f"{100 * np.mean([1 - one.kept.mean() for one in ours]):.1f} %",
            "pyxdf p50 / p99, ms": _two(np.concatenate(theirs)),
        })  # fmt: skip
    return found


def _two(errors: Floats) -> str:
    middle, most = 1e3 * np.percentile(errors, [50, 99])
    return f"{middle:.2f} / {most:.4g}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sources", type=int, default=100, help="sources a family")
    found = rows(parser.parse_args().sources)
    heads = list(found[0])
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for row in found:
        print(f"| {' | '.join(row[head] for head in heads)} |")


if __name__ == "__main__":
    main()
