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

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")


def main(arguments: list[str] | None = None) -> int:
    """Run, print what was met, and say by the exit code whether the sessions stood."""
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz.live", description=__doc__)
    parser.add_argument("--inputs", type=int, default=1000, help="hostile inputs")
    parser.add_argument("--seed", type=int, default=0, help="which")
    chosen = parser.parse_args(arguments)

    from models.bundle import read_bundle
    from tools.fuzz.live_session import Met, run
    from tools.soak.bundle import write_soak_bundle

    def progress(done: int) -> None:
        if sys.stderr.isatty():
            print(f"\r{done} of {chosen.inputs}", end="", file=sys.stderr)

    with tempfile.TemporaryDirectory(prefix="hemostream-fuzz-") as folder:
        write_soak_bundle(Path(folder) / "bundle")
        bundle = read_bundle(Path(folder) / "bundle")
        began = time.monotonic()
        met: Met = run(bundle, Path(folder) / "bed.hemostream", chosen.inputs, chosen.seed, progress)
        seconds = time.monotonic() - began
    inputs = ", ".join(f"{count} {kind}" for kind, count in sorted(met.inputs.items()))
    print(f"{sum(met.inputs.values())} hostile inputs ({inputs}), seed {chosen.seed}, in {seconds:.0f} s")
    refused = ", ".join(f"{count} {kind}" for kind, count in sorted(met.refused.items()))
    print(f"refused at an edge by a declared error: {refused}")
    print(f"session ended: {met.ended or 'no'}; errors inside: {met.faults} {met.fault}")
    labelled = f"{met.labelled} with a label ({met.labelled_after} on the good end)"
    print(f"windows decided: {met.decisions}, {labelled}")
    print(f"journal gives the same decisions: {met.same}")
    if met.status is not None:
        print(f"told: rejected {dict(met.status.rejected)}, failing {sorted(met.failures)}")
    for error in sorted(set(met.undeclared))[:20]:
        print(f"  undeclared: {error} ({met.undeclared.count(error)} times)")
    print("good" if met.good else "NOT GOOD")
    return 0 if met.good else 1


if __name__ == "__main__":
    sys.exit(main())
