"""``python -m tools.bench.faults``: the same faults for hemostream and for two peers, side by side.

Real time, full durations, one stream for all three: 8 rows at 10 Hz.  The peers are a plain pylsl loop with
``proc_ALL`` and mne-lsl's ``StreamLSL``; the latter is no dependency of hemostream: ``--mne-lsl`` names the
Python of an environment that has it (``pip install mne-lsl``).
"""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cyclopts import App

from models.arrays import Floats
from models.errors import HemostreamError
from tools.faults.bed import BedOutcome, FaultyBed
from tools.faults.measure import OutletTruth

app = App(name="faults", help="Faults, side by side with peers.", help_format="plaintext")

RATE = 10.0
PAIRS = 4
LENGTH_S = 7.0
MAX_AGE_S = 5.0
SETTLED_S = 30.0
"""Peers are looked at from here on (s from the first sample): hemostream's baseline is over then, too."""

FAULTS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...], float]] = {
    "nothing": ((), (), 60.0),
    "gap of 5 s": (("gap:at=40,seconds=5",), (), 100.0),
    "gap of 60 s": (("gap:at=40,seconds=60",), (), 150.0),
    "frozen for 20 s, then a burst": (("freeze:at=40,seconds=20",), (), 100.0),
    "samples twice": (("duplicates:at=40,seconds=15",), (), 80.0),
    "no numbers for 10 s": (("nan:at=40,seconds=10",), (), 80.0),
    "7 of 8 channels flat for 10 s": (("flat:at=40,seconds=10,share=0.9",), (), 80.0),
    "half of them saturated for 10 s": (("saturation:at=40,seconds=10,share=0.5",), (), 80.0),
    "jitter of 100 ms": (("jitter:by=0.1",), (), 80.0),
    "drift of 1000 ppm": ((), ("--drift-ppm", "1000"), 120.0),
    "says 8.5 Hz, pushes chunks of 10": ((), ("--declared-rate", "8.5", "--chunk", "10"), 100.0),
    "device clock jumps 1000 s": (("clock:at=40,by=1000",), (), 80.0),
}
"""Faults, further options of the outlet, and how long it sends (s)."""


@dataclass(frozen=True, slots=True)
class FaultScore:
    """What one condition did under one fault.

    Parameters
    ----------
    decisions : int
        With a label, shown as current.
    time_error : float
        Largest distance of a window's end from the truth, s; nan where there was no decision.
    too_long : float
        Most that a window covered beyond what it claims, s.
    stale : int
        Decisions older than 5 s.
    wrong : float
        Seconds for which something was shown that was decided on a window with spoilt samples, or on one
        longer than it claims.
    """

    decisions: int
    time_error: float
    too_long: float
    stale: int
    wrong: float

    def cells(self) -> list[str]:
        """As cells of a table."""
        error = "-" if np.isnan(self.time_error) else f"{self.time_error:.2f}"
        return [str(self.decisions), error, f"{self.too_long:.1f}", str(self.stale), f"{self.wrong:.0f}"]


def score_peer(lines: Sequence[str], truth: OutletTruth, values: Floats) -> FaultScore:
    """Hold what a peer noted against the truth.

    Parameters
    ----------
    lines : sequence of str
        As `tools.bench.fault_peer` writes them.
    truth : Truth
        Of the outlet.
    values : (n_pushes,) float64
        Value of the last channel of each push: it tells which sample a peer holds.
    """
    begin = truth.true[0] + SETTLED_S
    decisions = stale = wrong = 0
    errors: list[float] = []
    longest = 0.0
    for line in lines:
        now, _, last_stamp, first, last, _ = json.loads(line)
        newest, oldest = _which(values, last), _which(values, first)
        if now < begin:
            continue
        decisions += 1
        if newest is None or oldest is None:  # its edge is NaN: it is not even known which it is
            wrong += 1
            continue
        span = truth.true[newest] - truth.true[oldest] + 1.0 / RATE
        errors.append(abs(last_stamp - truth.true[newest]))
        longest = max(longest, span - LENGTH_S)
        stale += now - truth.true[newest] > MAX_AGE_S
        spoilt = truth.spoilt[min(oldest, newest) : newest + 1].mean() > 0.1
        wrong += bool(spoilt or span > LENGTH_S + 1.0)
    return FaultScore(decisions, max(errors, default=float("nan")), longest, stale, float(wrong))


def _which(values: Floats, value: float | None) -> int | None:
    """The latest push that had this value; None where none had."""
    if value is None:
        return None
    found = np.flatnonzero(values == value)
    return int(found[-1]) if len(found) else None


def score_ours(found: BedOutcome) -> FaultScore:
    """The same of hemostream, from what its subscriber was shown as current."""
    labelled = found.shown.labelled
    predicted = [json.loads(text) for text in found.journaled if '"label":"abstain"' not in text]
    first = min((values["window_start"] for values in predicted), default=np.inf)
    errors = found.times.error[found.times.given >= first]
    error = float(errors.max()) if len(errors) else float("nan")
    return FaultScore(labelled, error, 0.0, found.shown.stale, float(found.shown.wrong))


@app.default
def faults(*, mne_lsl: str = "", only: str = "", out: Path | None = None) -> None:
    """Give the same faults to hemostream, a plain pylsl loop and mne-lsl.

    Parameters
    ----------
    mne_lsl : str
        Python of an environment with mne-lsl and numpy. Without it that column stays empty.
    only : str
        Only faults whose name holds this.
    out : Path
        Write the figures here, too (JSON).
    """
    from tools.bench.machine import describe_machine

    conditions = {"pylsl": sys.executable, **({"mne-lsl": mne_lsl} if mne_lsl else {})}
    rows: dict[str, dict[str, FaultScore]] = {}
    with tempfile.TemporaryDirectory(prefix="hemostream-faults-") as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)
        write_bundle_of_the_bench(folder / "bundle")
        for number, (name, (planned, options, seconds)) in enumerate(FAULTS.items()):
            if only in name:
                print(
                    f"[{time.strftime('%H:%M:%S')}] {name} ({seconds:g} s) ...", file=sys.stderr, flush=True
                )
                rows[name] = asyncio.run(
                    _row(folder / f"row-{number}", folder / "bundle", planned, options, seconds, conditions)
                )
    print(table(rows, ("hemostream", *conditions)))
    machine = describe_machine()
    print(f"\n{json.dumps(machine)}")
    if out is not None:
        values = {
            name: {condition: vars_of(score) for condition, score in row.items()}
            for name, row in rows.items()
        }
        out.write_text(json.dumps({"machine": machine, "rows": values}, indent=1), encoding="utf-8")


def vars_of(score: FaultScore) -> dict[str, float | None]:
    """A score as JSON types."""
    error = None if np.isnan(score.time_error) else score.time_error
    return {
        "decisions": score.decisions,
        "time_error_s": error,
        "too_long_s": score.too_long,
        "stale": score.stale,
        "wrong_s": score.wrong,
    }


def table(rows: Mapping[str, Mapping[str, FaultScore]], conditions: Sequence[str]) -> str:
    """The figures as Markdown: a line a fault and client."""
    lines = [
        "| fault | client | decisions shown | time error, s | window too long by, s | stale "
        "| seconds wrong |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, row in rows.items():
        for condition in conditions:
            if condition in row:
                lines.append(f"| {name} | {condition} | " + " | ".join(row[condition].cells()) + " |")
    return "\n".join(lines)


async def _row(
    folder: Path,
    bundle: Path,
    planned: Sequence[str],
    options: Sequence[str],
    seconds: float,
    conditions: Mapping[str, str],
) -> dict[str, FaultScore]:
    bed = FaultyBed(folder, bundle, speed=1.0, rate=RATE, pairs=PAIRS, max_age_s=MAX_AGE_S)
    async with bed:
        bed.live("--stream", "source_id='device'")
        script = str(Path(__file__).with_name("fault_peer.py"))
        peers = {}
        for condition, python in conditions.items():
            with (
                (folder / f"{condition}.out").open("wb") as out,
                (folder / f"{condition}.err").open("wb") as err,
            ):
                peers[condition] = subprocess.Popen(
                    [python, script, condition, "device", str(seconds + 60.0)],
                    stdout=out,
                    stderr=err,
                    env=bed.environ,
                )
        words = [word for fault in planned for word in ("--fault", fault)]
        # None may miss the first sample: the outlet waits so long that all three are there.
        bed.outlet(*options, *words, "--settle", "6", seconds=seconds)
        await bed.played()
        for process in peers.values():
            process.terminate()
            process.wait()
        found = await bed.end()
    if found.code:
        raise HemostreamError(f"The session ended with exit status {found.code}: {found.stderr}")
    path = bed.outlets[0].truth
    truth = OutletTruth.read(path)
    lasts = [json.loads(line)[5] for line in path.read_text(encoding="utf-8").splitlines()]
    values = np.array([np.nan if value is None else value for value in lasts])
    scores = {"hemostream": score_ours(found)}
    for condition in conditions:
        lines = (folder / f"{condition}.out").read_text(encoding="utf-8").splitlines()
        if not lines:
            complaint = (folder / f"{condition}.err").read_text(encoding="utf-8")
            raise HemostreamError(f"Condition {condition} noted nothing: {complaint[-500:]}")
        scores[condition] = score_peer(lines, truth, values)
    return scores


def write_bundle_of_the_bench(folder: Path) -> None:
    """A small untrained classifier for the stream of this bench, soon warm."""
    import torch

    from models.bundle import write_bundle
    from models.cards.window_card import CardEvidence, ModelSpec, WindowCard, WindowSettings
    from models.networks.registry import make_model
    from tools.bench.stream import PIPELINE
    from tools.faults.device import faulty_spec

    torch.manual_seed(0)
    spec = faulty_spec(PAIRS, RATE)
    shape = {"n_chans": len(spec), "n_times": round(LENGTH_S * RATE), "n_outputs": 2}
    card = WindowCard(
        model=ModelSpec(kind="cgrnn", params={}, **shape),
        input=spec.to_json(),
        pipeline=[dict(stage) for stage in PIPELINE],
        rate=RATE,
        window=WindowSettings(length_s=LENGTH_S, step_s=1.0),
        labels=["rest", "task"],
        policy={"min_coverage": 0.9, "max_gap_s": 1.0, "max_age_s": MAX_AGE_S, "min_confidence": 0.0},
        evidence=CardEvidence(memory_s=20.0),
    )
    write_bundle(folder, card, make_model("cgrnn", {}, **shape))


def main() -> None:
    """Run, and say plainly what cannot be."""
    try:
        app()
    except HemostreamError as error:
        print(f"faults: {error}", file=sys.stderr)
        raise SystemExit(2) from error


if __name__ == "__main__":
    main()
