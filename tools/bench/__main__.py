"""``python -m tools.bench``: measure hemostream beside its peers, on this machine, in one run."""

import json
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
    apart: float = 0.0,
    keep: Path | None = None,
) -> None:
    """Measure latency, CPU time, replay throughput and the time to the first decision.

    Everything runs on this machine, with one computing thread a process, beside a plain loop and
    the bare hops. The whole takes nine minutes; --quick takes two and is good for a look only.

    Parameters
    ----------
    measures : {"latency", "cpu", "throughput", "first"}
        Only these. Default: all.
    out : Path
        Also write everything that was measured here, as JSON.
    quick : bool
        Few windows: a look, not a result.
    windows : int
        Windows an arm, for the latency. Default: 1000, quick 60.
    seconds : float
        Seconds over which CPU time is taken. Default: 120, quick 10.
    minutes : float
        Length of the replayed recording. Default: 30, quick 5.
    apart : float
        Give each arm of the latency an outlet of its own, so many seconds after the one before, so
        that no arm meets another's work on the same sample. Default: one outlet for all.
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
            apart=apart,
        )
    from tools.bench.table import markdown, rows_of

    if out is not None:
        out.write_text(json.dumps(results, indent=1), encoding="utf-8")
    print(headline(results))
    print(markdown(rows_of(results)))
    for arm, parts in results.get("latency", {}).get("parts_ms_p50", {}).items():
        print(f"{arm}, median ms: " + ", ".join(f"{name} {value:.2f}" for name, value in parts.items()))


def run(
    folder: Path,
    chosen: tuple[Measure, ...],
    *,
    windows: int,
    seconds: float,
    minutes: float,
    repeats: int,
    apart: float,
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
                    found = measure_latency(folder / measure, broker, windows=windows, apart_s=apart)
            results[measure] = {**found, "load_average_after": load_average()}
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
        + (f"; {windows} windows an arm" if windows else "")
        + f"; {results['took_s']:.0f} s"
    )


def main() -> None:
    """Run; errors that a person can put right are shown without a traceback."""
    try:
        App(name="tools.bench", help_format="markdown", default_command=bench)()
    except HemostreamError as error:
        print(f"bench: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
