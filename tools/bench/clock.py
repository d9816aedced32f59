"""How true times are, and how true the claim: sources with known times, by family.

Beside pyxdf's dejitter, and what liblsl does to stamps itself (`tools.bench.clock_proc_all`).  Seeds of
sources with a sample that lies more than a period beyond its claim and does not abstain are listed on stderr.

Run: ``python -m tools.bench.clock --sources 100 --proc-all 20``
"""

import argparse
import logging
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from realtime.clock import Clock
from realtime.quality.policy import Policy
from realtime.window_quality import TIMES_MATTER_S
from tools.bench.clock_sources import FAMILIES, KnownSource, make
from tools.lsl_config import stay_on_this_machine

CHUNK = 16
"""Samples handed to the clock at once where it is not known when they came; changes nothing."""
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

    def abstaining(self, period: float) -> npt.NDArray[np.bool_]:
        """(n_kept,) bool: a window with this sample abstains by default, at a raw period in s."""
        most = Policy().max_time_uncertainty
        assert most is not None
        abstains: npt.NDArray[np.bool_] = self.claim > max(most * period, TIMES_MATTER_S)
        return abstains

    def beyond(self, period: float) -> float:
        """How far beyond its claim the worst time lies that makes no window abstain, in raw periods (s)."""
        excess = (self.error - self.claim)[~self.abstaining(period)]
        return float(excess.max(initial=0.0)) / period


def follow(source: KnownSource, *, arrivals: bool = True) -> Followed:
    """Feed a source to the live clock as a session would; without `arrivals` nothing is known of when samples
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


def rows(sources: int, n: int, *, arrivals: bool, proc_all: int) -> list[dict[str, str]]:
    """A row a family."""
    found = []
    for family in (*FAMILIES, "combinations"):
        tally = FamilyTally()
        theirs: list[Floats] = []
        liblsl: list[Floats] = []
        for seed in range(sources):
            source = make(family, seed, n)
            followed = follow(source, arrivals=arrivals)
            tally.take(source, followed)
            if (beyond := followed.beyond(source.period)) > 1.0:
                print(f"{family}: seed {seed}, {n} samples: {beyond:.2f} periods", file=sys.stderr)
            theirs.append(pyxdf_errors(source))
            if len(liblsl) < proc_all:
                from tools.bench.clock_proc_all import can_be_had, proc_all_errors

                liblsl += [proc_all_errors(source)] if can_be_had(source) else []
        found.append({
            "family": family,
            **tally.row(),
            "pyxdf p50 / p99, ms": percentiles(np.concatenate(theirs)),
            "proc_ALL p50 / p99, ms": percentiles(np.concatenate(liblsl)) if liblsl else "-",
        })  # fmt: skip
    return found


class FamilyTally:
    """Counts over the sources of a family."""

    def __init__(self) -> None:
        self._errors: list[Floats] = []
        self._claims: list[Floats] = []
        self._within: list[npt.NDArray[np.bool_]] = []
        self._abstaining: list[npt.NDArray[np.bool_]] = []
        self._dropped: list[float] = []
        self._wrong = 0
        self._beyond = 0.0

    def take(self, source: KnownSource, found: Followed) -> None:
        """Count a source."""
        abstaining = found.abstaining(source.period)
        self._errors.append(found.error)
        self._claims.append(found.claim)
        self._within.append(found.covered)
        self._abstaining.append(abstaining)
        wrong = ~abstaining & (found.error > max(source.period, TIMES_MATTER_S))
        self._wrong += int(np.count_nonzero(wrong))
        self._dropped.append(1.0 - found.kept.mean())
        self._beyond = max(self._beyond, found.beyond(source.period))

    def row(self) -> dict[str, str]:
        """As the table has it."""
        return {
            "within the claim": f"{100 * np.concatenate(self._within).mean():.2f} %",
            "worst beyond the claim, periods": f"{self._beyond:.2f}",
            "wrong by over a period, not abstaining": f"{self._wrong}",
            "abstaining": f"{100 * np.concatenate(self._abstaining).mean():.1f} %",
            "error p50 / p99, ms": percentiles(np.concatenate(self._errors)),
            "claim p50, ms": f"{1e3 * np.median(np.concatenate(self._claims)):.2f}",
            "dropped": f"{100 * np.mean(self._dropped):.1f} %",
        }


def percentiles(errors: Floats) -> str:
    """Median and 99th percentile of errors (s), in ms."""
    middle, most = 1e3 * np.percentile(errors, [50, 99], method="higher")
    return f"{middle:.2f} / {most:.4g}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sources", type=int, default=100, help="sources a family")
    parser.add_argument("--samples", type=int, default=1200, help="samples a source")
    parser.add_argument("--proc-all", type=int, default=0, help="sources a family that liblsl gets too")
    parser.add_argument("--no-arrivals", action="store_true", help="do not tell when samples came")
    asked = parser.parse_args()
    logging.getLogger("pyxdf").setLevel(logging.ERROR)
    with TemporaryDirectory() as folder:
        stay_on_this_machine(Path(folder))
        print_table(
            rows(asked.sources, asked.samples, arrivals=not asked.no_arrivals, proc_all=asked.proc_all)
        )


def print_table(found: list[dict[str, str]]) -> None:
    """Print rows under their heads."""
    heads = list(found[0])
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for row in found:
        print(f"| {' | '.join(row[head] for head in heads)} |")


if __name__ == "__main__":
    main()
