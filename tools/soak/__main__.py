"""``python -m tools.soak``: a day on four beds."""

import asyncio
import contextlib
import json
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from cyclopts import App

from models.errors import HemostreamError
from tools.lsl_config import stay_on_this_machine

app = App(name="soak", help="A day of stream time on several beds, with faults.", help_format="plaintext")

LOOK_EVERY_S = 2.0
GROWTH = 0.02
"""Most that a session's memory may grow, as a share."""


@app.default
def soak(
    *,
    hours: float = 24.0,
    speed: float = 40.0,
    beds: int = 4,
    broker_stops: int = 4,
    seed: int = 1,
    out: Path | None = None,
) -> None:
    """Run beds through a day of faults, and add up what became of it.

    Parameters
    ----------
    hours : float
        Stream time.
    speed : float
        Stream seconds a local second.
    beds : int
        Sessions, a process each.
    broker_stops : int
        How often the broker is stopped for some seconds.
    seed : int
        Of everything that is drawn by chance.
    out : Path
        Folder for logs and journals; it stays. Default: one that goes.
    """
    with tempfile.TemporaryDirectory(prefix="hemostream-soak-") as temporary:
        folder = out or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o777)  # mosquitto, started by root, becomes a user of its own and writes here
        stay_on_this_machine(folder)
        found = asyncio.run(_run(folder, hours, speed, beds, broker_stops, seed))
    print(json.dumps(found, indent=1))
    if not found["passed"]:
        raise SystemExit(1)


async def _run(
    folder: Path, hours: float, speed: float, beds: int, broker_stops: int, seed: int
) -> dict[str, object]:
    from tools.bench.machine import describe_machine
    from tools.faults.broker import Broker, end
    from tools.faults.hearing import Ear
    from tools.soak.account import account
    from tools.soak.beds import a_broker_that_stops, a_day, journal_of, live
    from tools.soak.bundle import MAX_AGE_S, PAIRS, RATE, write_soak_bundle
    from tools.soak.plan import draw
    from tools.soak.watch import Look, look, trend

    def report(text: str) -> None:
        print(f"[{time.monotonic() - begun:7.1f} s] {text}", file=sys.stderr, flush=True)

    begun = time.monotonic()
    names = [f"bed-{number}" for number in range(1, beds + 1)]
    write_soak_bundle(folder / "bundle")
    broker = Broker(folder)
    broker.start()
    ear = Ear(broker.port)
    looks: dict[str, list[Look]] = {name: [] for name in names}
    sessions = {name: live(name, folder / "bundle", folder, broker.port) for name in names}
    listening = asyncio.create_task(ear.listen())
    ended_early: list[str] = []

    async def watch() -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            for name, process in sessions.items():
                seen = look(process.pid, time.monotonic())
                if seen is not None and process.poll() is None:
                    looks[name].append(seen)
                elif name not in ended_early:
                    ended_early.append(name)
                    report(f"{name}: the session has ended (exit status {process.poll()}); see {name}.log")

    watching = asyncio.create_task(watch())
    stops = asyncio.create_task(
        a_broker_that_stops(broker, hours * 3600.0 / speed, broker_stops, seed, report)
    )

    async def day_of(number: int, name: str) -> None:
        await a_day(name, draw(number, hours, seed), speed=speed, pairs=PAIRS, rate=RATE, report=report)
        watching.cancel()  # behind the end of the first, sessions hold less than they did all day

    try:
        await asyncio.gather(*(day_of(number, name) for number, name in enumerate(names, start=1)))
        await stops
        await asyncio.sleep(5.0)  # the last decisions, and what waited for the broker
    finally:
        watching.cancel()
        stops.cancel()
        for process in sessions.values():
            await asyncio.to_thread(end, process)
        await asyncio.sleep(1.0)
        listening.cancel()
        for task in (watching, stops, listening):
            with contextlib.suppress(asyncio.CancelledError):
                await task
        broker.stop()
    results: dict[str, object] = {}
    passed = not ended_early
    for name in names:
        sums = account(journal_of(name, folder), ear.heard[name], max_age_s=MAX_AGE_S + speed)
        held = trend(looks[name])
        states = [json.loads(text)["state"] for _, text in ear.statuses[name]]
        passed &= held.growth < GROWTH and held.descriptors[0] == held.descriptors[1]
        passed &= held.threads[0] == held.threads[1]
        nothing = (sums.missing_entries, sums.undelivered, sums.unknown, sums.stale, sums.disordered)
        passed &= not any(nothing)
        results[name] = {
            **asdict(sums),
            "memory_mib": [round(one / 2**20, 1) for one in held.memory],
            "memory_growth": round(held.growth, 4),
            "descriptors": held.descriptors,
            "threads": held.threads,
            "states": {state: states.count(state) for state in dict.fromkeys(states)},
        }
    return {
        "passed": passed,
        "stream_hours": hours,
        "speed": speed,
        "local_minutes": round((time.monotonic() - begun) / 60.0, 1),
        "machine": describe_machine(),
        "beds": results,
    }


def main() -> None:
    """Run, and say plainly what cannot be."""
    try:
        app()
    except HemostreamError as error:
        print(f"soak: {error}", file=sys.stderr)
        raise SystemExit(2) from error


if __name__ == "__main__":
    main()
