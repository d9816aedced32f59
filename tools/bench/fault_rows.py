"""``python -m tools.bench.fault_rows``: every row of the fault table in real time, and what it cost.

A bed a row, real processes, a few rows at once; a table in Markdown on standard output.
"""

import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from cyclopts import App

from models.errors import HemostreamError
from tools.bench.faults import MAX_AGE_S, PAIRS, RATE, write_bundle_of_the_bench
from tools.faults.bed import BedOutcome, FaultyBed
from tools.faults.rows import ROWS, FaultRow

app = App(name="fault_rows", help="The fault table, in real time.", help_format="plaintext")

EXPECTED = frozenset({"warming up"})
"""Reasons that say nothing of a fault."""


@app.default
def fault_rows(*, speed: float = 1.0, at_once: int = 4, only: str = "") -> None:
    """Run the rows and print the table.

    Parameters
    ----------
    speed : float
        Stream seconds a local second.
    at_once : int
        Rows at a time.
    only : str
        Only rows whose name holds this.
    """
    from tools.bench.machine import describe_machine

    names = [name for name in ROWS if only in name and name != "two alike"]
    with tempfile.TemporaryDirectory(prefix="hemostream-rows-") as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)
        write_bundle_of_the_bench(folder / "bundle")
        lines = asyncio.run(_all(folder, names, speed, at_once))
    print("| what goes wrong | lost | time error, s | shown, wrong, stale | noticed, s | labels again, s |")
    print("|---|---|---|---|---|---|")
    print("\n".join(lines))
    print(f"\n{json.dumps(describe_machine())}")


async def _all(folder: Path, names: list[str], speed: float, at_once: int) -> list[str]:
    turns = asyncio.Semaphore(at_once)

    async def one(name: str) -> str:
        async with turns:
            print(f"[{time.strftime('%H:%M:%S')}] {name} ...", file=sys.stderr, flush=True)
            bed = FaultyBed(
                folder / name.replace(" ", "-"),
                folder / "bundle",
                speed=speed,
                rate=RATE,
                pairs=PAIRS,
                max_age_s=MAX_AGE_S * max(speed, 1.0),
            )
            try:
                async with bed:
                    await ROWS[name].play(bed)
                    begun = bed.outlets[0].event_at("begin") or 0.0
                    found = await bed.end()
            except HemostreamError as error:
                return f"| {ROWS[name].what} | {str(error)[:200]} | | | | |"
            return row_of(ROWS[name], found, begun + time.time() - time.monotonic(), speed)

    return list(await asyncio.gather(*(one(name) for name in names)))


def row_of(row: FaultRow, found: BedOutcome, begun: float, speed: float) -> str:
    """A line of the table.

    Parameters
    ----------
    row : Row
        What was done.
    found : Found
        What became of it.
    begun : float
        When the first outlet began, s since 1970.
    speed : float
        Stream seconds a local second.
    """
    labelled = [json.loads(text) for text in found.journaled if '"label":"abstain"' not in text]
    first = min((values["window_start"] for values in labelled), default=np.inf)
    error = found.times.error[found.times.given >= first]
    worst = f"{error.max():.3f}" if error.size else "-"
    begin, end = span(row, found, begun, speed)
    same = "" if list(found.journaled) == list(found.again) else " (classified differently!)"
    return " | ".join(
        [
            f"| {row.what}{same}",
            str(found.times.pushed - found.times.received),
            worst,
            f"{found.shown.labelled}, {found.shown.wrong}, {found.shown.stale}",
            seconds_until(noticed(found), begin),
            seconds_until(again(found), end) + " |",
        ]
    )


def span(row: FaultRow, found: BedOutcome, begun: float, speed: float) -> tuple[float | None, float | None]:
    """When a row's fault began and ended, s since 1970."""
    if row.span is not None:
        return begun + row.span[0] / speed, begun + row.span[1] / speed
    if row.marks is not None:
        return found.marks.get(row.marks[0]), found.marks.get(row.marks[1])
    return None, None


def noticed(found: BedOutcome) -> list[float]:
    """When the subscriber heard that something is wrong, s since 1970."""
    moments = [
        at
        for at, values in found.statuses
        if values["state"] in ("stalled", "lost", "recovering", "offline")
        or (values["journal"] or {}).get("failing")
    ]
    moments += [one.at_utc for one in found.heard if set(json.loads(one.text)["reasons"]) - EXPECTED]
    return sorted(moments)


def again(found: BedOutcome) -> list[float]:
    """When the subscriber was shown a label as current, s since 1970."""
    return sorted(
        one.at_utc for one in found.heard if one.topic == "decision" and '"label":"abstain"' not in one.text
    )


def seconds_until(moments: list[float], since: float | None) -> str:
    """From a moment to the first of others behind it, s; a dash where there is none."""
    behind = [at - since for at in moments if since is not None and at >= since]
    return f"{behind[0]:.1f}" if behind else "-"


def main() -> None:
    """Run, and say plainly what cannot be."""
    try:
        app()
    except HemostreamError as error:
        print(f"fault_rows: {error}", file=sys.stderr)
        raise SystemExit(2) from error


if __name__ == "__main__":
    main()
