"""``python -m tools.fuzz.live``: hostile streams, markers and messages against running sessions.

Accelerated by default (`tools.fuzz.live_session`); ``--wire`` adds real LSL outlets and a real broker
(`tools.fuzz.wire`).
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

from tools.lsl_config import stay_on_this_machine  # noqa: E402

if TYPE_CHECKING:
    from tools.fuzz.hostile_bed import Met


def main(arguments: list[str] | None = None) -> int:
    """Run, print what was met, and say by the exit code whether the sessions stood."""
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz.live", description=__doc__)
    parser.add_argument("--inputs", type=int, default=1000, help="hostile inputs")
    parser.add_argument("--wire", type=int, default=0, help="as many through LSL and a broker, at real time")
    parser.add_argument("--seed", type=int, default=0, help="which")
    chosen = parser.parse_args(arguments)

    with tempfile.TemporaryDirectory(prefix="hemostream-fuzz-") as name:
        folder = Path(name)
        stay_on_this_machine(folder)  # before pylsl is imported
        from models.bundle import read_bundle
        from tools.fuzz import live_session
        from tools.soak.bundle import write_soak_bundle

        write_soak_bundle(folder / "bundle")
        bundle = read_bundle(folder / "bundle")
        good = True
        if chosen.inputs:
            began = time.monotonic()
            met = live_session.run(bundle, folder / "bed.hemostream", chosen.inputs, chosen.seed, _progress)
            good = _print("accelerated", met, time.monotonic() - began)
        if chosen.wire:
            from tools.faults.broker import Broker
            from tools.fuzz import wire

            began = time.monotonic()
            broker, journal = Broker(folder), folder / "wire.hemostream"
            broker.start()
            try:
                met = wire.run(bundle, journal, broker.url, chosen.wire, chosen.seed, _tell)
            finally:
                broker.stop()
            good = _print("on the wire", met, time.monotonic() - began) and good
    print("good" if good else "NOT GOOD")
    return 0 if good else 1


def _progress(done: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{done}", end="", file=sys.stderr)


def _tell(text: str) -> None:
    print(f"wire: {text}", file=sys.stderr, flush=True)


def _print(how: str, met: "Met", seconds: float) -> bool:
    inputs = ", ".join(f"{count} {kind}" for kind, count in sorted(met.inputs.items()))
    print(f"{how}: {sum(met.inputs.values())} hostile inputs ({inputs}) in {seconds:.0f} s")
    refused = ", ".join(f"{count} {kind}" for kind, count in sorted(met.refused.items()))
    print(f"refused at an edge by a declared error: {refused or 'none'}")
    print(f"session ended: {met.ended or 'no'}; errors inside: {met.faults} {met.fault}")
    labelled = f"{met.labelled} with a label ({met.labelled_after} on the good end)"
    print(f"windows decided: {met.decisions}, {labelled}")
    print(f"journal gives the same decisions: {met.same}")
    if met.status is not None:
        print(f"reported: rejected {dict(met.status.rejected)}, failing {sorted(met.failures)}")
    for error in sorted(set(met.undeclared))[:20]:
        print(f"  undeclared: {error} ({met.undeclared.count(error)} times)")
    return met.good


if __name__ == "__main__":
    sys.exit(main())
