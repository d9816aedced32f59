"""``python -m tools.bench.scanner_faults``: a scanner's export under each fault, a line of a table for
each."""

import json
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from cyclopts import App

from tools.faults.scanner import ROWS, play
from tools.lsl_config import stay_on_this_machine

app = App(name="scanner_faults", help="A scanner's export under fault.", help_format="plaintext")


@app.default
def scanner_faults(*, speed: float = 4.0, form: str = "mosaic", only: str = "") -> None:
    """Play every row, real processes, and print the table.

    Parameters
    ----------
    speed : float
        Seconds of the scanner a second.
    form : str
        In which files.
    only : str
        Only rows whose name holds this.
    """
    from tools.bench.machine import describe_machine

    print(
        "| what goes wrong | exported | sent, in order | wrong | said as | said after, TR | to LSL, p50 ms |"
    )
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="hemostream-bench-") as temporary:
        stay_on_this_machine(Path(temporary))
        for number, row in enumerate(ROWS):
            if only not in row.name:
                continue
            print(f"[{time.strftime('%H:%M:%S')}] {row.name}", file=sys.stderr, flush=True)
            found = play(row, Path(temporary) / str(number), form, speed, os.environ)
            whole = found.numbers == [n for n in range(1, row.count + 1) if n not in row.lost]
            said = "-" if row.said is None else f"`{row.said}`" if row.said in found.remarks else "NOT SAID"
            after = "-" if found.said_tr is None else f"{found.said_tr:.2f}"
            sent = f"{len(found.numbers)}" if whole else f"NOT AS EXPECTED: {found.numbers}"
            late = f"{1e3 * np.median(found.latency_s):.0f}" if len(found.latency_s) else "-"
            print(
                f"| {row.name} | {row.count} | {sent} | {found.wrong} | {said} | {after} | {late} |",
                flush=True,
            )
    print(f"\n{json.dumps(describe_machine())}")


def main() -> None:
    """Run."""
    app()


if __name__ == "__main__":
    main()
