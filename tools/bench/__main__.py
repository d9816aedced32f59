"""``python -m tools.bench``: measure hemostream beside its peers, on this machine, in one run."""

import json
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from models.errors import HemostreamError
from tools.bench.machine import describe_machine, load_average
from tools.lsl_config import stay_on_this_machine

Measure = Literal["latency", "cpu", "throughput", "first"]
ALL: tuple[Measure, ...] = ("throughput", "first", "cpu", "latency")


def bench(
    *measures: Measure,
    out: Annotated[Path | None, Parameter(name=["--out", "-o"])] = None,
    quick: bool = False,
    windows: int | None = None,
    seconds: float | None = None,
    minutes: float | None = None,
    control: bool = True,
    keep: Path | None = None,
) -> None:
    """Measure latency, CPU time, replay throughput and the time to the first decision.

    Everything runs on this machine, with one computing thread a process, beside a plain loop and
    the bare hops. The whole takes fifteen minutes; --quick takes two and is good for a look only.

    Parameters
    ----------
    measures : {"latency", "cpu", "throughput", "first"}
        Only these. Default: all.
    out : Path
        Also write everything that was measured here, as JSON.
    quick : bool
        Few windows: a look, not a result.
    windows : int
        Windows a condition, for the latency. Default: 1000, quick 60.
    seconds : float
        Seconds over which CPU time is taken. Default: 120, quick 10.
    minutes : float
        Length of the replayed recording. Default: 30, quick 5.
    control : bool
        Measure the latency a second time with an outlet for each condition, pushed a third of a period
        apart, so that no condition meets another's work on the same sample.
    keep : Path
        Keep the runs' files (journals, arrivals) in this new folder.
    """
    chosen = measures or ALL
    with tempfile.TemporaryDirectory(prefix="hemostream-bench-") as scratch:
        folder = keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        stay_on_this_machine(Path(scratch))
        results = run(
            folder,
            chosen,
            windows=windows or (60 if quick else 1000),
            seconds=seconds or (10.0 if quick else 120.0),
            minutes=minutes or (5.0 if quick else 30.0),
            repeats=3 if quick else 5,
            control=control,
        )
    from tools.bench.table import markdown, rows_of

    if out is not None:
        out.write_text(json.dumps(results, indent=1), encoding="utf-8")
    print(headline(results))
    print(markdown(rows_of(results)))
    for which in ("latency", "latency_apart"):
        for condition, parts in results.get(which, {}).get("parts_ms_p50", {}).items():
            medians = ", ".join(f"{name} {value:.2f}" for name, value in parts.items())
            print(f"{which}, {condition}, median ms: {medians}")


def run(
    folder: Path,
    chosen: tuple[Measure, ...],
    *,
    windows: int,
    seconds: float,
    minutes: float,
    repeats: int,
    control: bool,
) -> dict[str, Any]:
    """Measure what was chosen, one after another.

    Returns
    -------
    dict
        JSON types.
    """
    from tools.bench.cpu import measure_cpu
    from tools.bench.first import measure_first
    from tools.bench.latency import measure_latency
    from tools.bench.processes import a_broker
    from tools.bench.stream import RATE
    from tools.bench.throughput import measure_throughput

    results: dict[str, Any] = {"machine": describe_machine(), "argv": sys.argv[1:]}
    began = time.perf_counter()
    with a_broker(folder) as (broker, name):
        results["broker"] = name
        for measure in (each for each in ALL if each in chosen):
            print(f"· {measure} …", file=sys.stderr, flush=True)
            match measure:
                case "throughput":
                    found = measure_throughput(folder / measure, minutes=minutes, repeats=repeats)
                case "first":
                    found = measure_first(folder / measure, broker)
                case "cpu":
                    found = measure_cpu(folder / measure, broker, seconds=seconds)
                case "latency":
                    found = measure_latency(folder / measure, broker, windows=windows)
            results[measure] = {**found, "load_average_after": load_average()}
        if control and "latency" in chosen:
            print("· latency, conditions apart …", file=sys.stderr, flush=True)
            apart = measure_latency(folder / "apart", broker, windows=windows, apart_s=1 / (3 * RATE))
            results["latency_apart"] = {**apart, "load_average_after": load_average()}
    results["took_s"] = round(time.perf_counter() - began, 1)
    return results


def headline(results: dict[str, Any]) -> str:
    """On what this was measured, in a line."""
    machine = results["machine"]
    versions = machine["versions"]
    windows = results.get("latency", {}).get("windows")
    return (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['system']}, Python {machine['python']}, "
        f"torch {versions['torch']}, broker {results['broker']}, load {machine['load_average']}"
        + (f"; {windows} windows a condition" if windows else "")
        + f"; {results['took_s']:.0f} s"
    )


def main() -> None:
    """Run; errors that a person can put right are shown without a traceback."""
    # Whoever ends the bench ends its broker and its conditions with it.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        App(name="tools.bench", help_format="markdown", default_command=bench)()
    except HemostreamError as error:
        print(f"bench: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
