"""``python -m tools.fuzz``: damaged input for every reader.

Linux only: memory is bounded and measured with what Linux tells.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

# One thread a process, set before numpy is imported: children are forked.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

from tools.fuzz.runner import ReaderTally, run  # noqa: E402
from tools.fuzz.targets import TARGETS  # noqa: E402


def main(arguments: list[str] | None = None) -> int:
    """Try readers, print a table, and say by the exit code whether all went well."""
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz", description=__doc__)
    parser.add_argument(
        "readers", nargs="*", choices=[*TARGETS, []], metavar="READER", help=", ".join(TARGETS)
    )
    parser.add_argument("--inputs", type=int, default=1000, help="damaged inputs for each reader")
    parser.add_argument("--seed", type=int, default=0, help="which family of inputs")
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--only", help="numbers of inputs, separated by commas, instead of a range")
    parser.add_argument("--json", type=Path, help="write all that was found to this file")
    parser.add_argument("--keep", type=Path, help="write the (first) input to this folder and stop")
    chosen = parser.parse_args(arguments)
    tallies = []
    for name in chosen.readers or TARGETS:
        target = TARGETS[name]()
        if chosen.keep:
            chosen.keep.mkdir(parents=True, exist_ok=True)
            for each, content in target.input(chosen.seed, chosen.first).items():
                (chosen.keep / each).write_bytes(content)
            return 0
        numbers: Sequence[int] = range(chosen.first, chosen.first + chosen.inputs)
        if chosen.only:
            numbers = [int(number) for number in chosen.only.split(",")]
        tally = run(target, chosen.seed, numbers, _progress(name))
        tallies.append(tally)
        _print(tally, header=len(tallies) == 1)
        if chosen.json:
            chosen.json.write_text(json.dumps([_values(each) for each in tallies], indent=1))
    return 1 if any(tally.bad for tally in tallies) else 0


def _values(tally: ReaderTally) -> dict[str, object]:
    """A tally as JSON types."""
    return {**vars(tally), "bad": [asdict(trial) for trial in tally.bad]}


def _progress(name: str) -> Callable[[int], None]:
    def tell(done: int) -> None:
        if sys.stderr.isatty() and done % 50 == 0:
            print(f"\r{name}: {done}", end="", file=sys.stderr)

    return tell


def _print(tally: ReaderTally, *, header: bool) -> None:
    row = "{:<12}{:>8}{:>8}{:>10}{:>11}{:>8}{:>8}{:>7}{:>9}{:>11}{:>9}"
    if header:
        print(
            row.format(
                "reader",
                "inputs",
                "read",
                "declared",
                "contained",
                "undecl.",
                "memory",
                "crash",
                "timeout",
                "growth MiB",
                "seconds",
            )
        )
    counts = tally.counts
    print(
        row.format(
            tally.name, sum(counts.values()), counts["read"], counts["declared"],
            sum(tally.contained.values()),
            counts["undeclared"], counts["memory"], counts["crash"], counts["timeout"],
            f"{tally.growth / 2**20:.1f}", f"{tally.seconds:.0f}",
        ),
        flush=True,
    )  # fmt: skip
    seen: set[str] = set()
    for trial in tally.bad:
        if trial.where + trial.outcome not in seen:
            seen.add(trial.where + trial.outcome)
            print(
                f"  --seed {tally.seed} --first {trial.number}: {trial.outcome} {trial.where}: "
                f"{trial.message}",
                flush=True,
            )


if __name__ == "__main__":
    sys.exit(main())
