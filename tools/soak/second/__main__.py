"""``python -m tools.soak.second``: half an hour at real time, and what became of it."""

import json
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

from cyclopts import App

from models.errors import HemostreamError
from tools.lsl_config import stay_on_this_machine
from tools.soak.second.account import account, read_truth
from tools.soak.second.plan import DEVICES, EVERY_S, count_faults, draw
from tools.soak.second.processes import HEMOSTREAM, BedsideSubscriber, SoakBed, end, start_mosquitto
from tools.soak.second.sums import BedSums, find_violations

app = App(name="second", help="Real time, known true times, many faults at once.", help_format="plaintext")

LOOK_EVERY_S = 1.0
TELL_EVERY_S = 30.0
SETTLES_S = 4.0
"""How long the sessions go on behind the last sample, s: what is under way arrives."""


@app.default
def second(
    *,
    minutes: float = 30.0,
    seed: int = 1,
    bed: list[str] | None = None,
    life: float = 240.0,
    every: float = EVERY_S,
    coverage: float = 0.99,
    out: Path | None = None,
    json_out: Path | None = None,
) -> None:
    """Run real sessions on devices whose true times are known, and add up what became of it.

    Exit status 1 where anything is violated: a sample lost that was sent while the session was connected,
    a label on a window whose times are wrong by more than a period, times outside their claim, decisions that
    `classify` does not give again byte for byte, a session that ended by itself.

    Parameters
    ----------
    minutes : float
        How long, at real time.
    seed : int
        Of everything that is drawn by chance.
    bed : list of str
        Devices, a session each: stamps, chunks. Default: both.
    life : float
        Mean time between two restarts of an outlet, s.
    every : float
        Mean time between two groups of faults, s.
    coverage : float
        Least share of the samples whose time is within the claimed uncertainty.
    out : Path
        Folder for journals, truth and logs; it stays. Default: one that goes.
    json_out : Path
        Write the sums here too.
    """
    names = list(dict.fromkeys(bed or DEVICES))
    if unknown := [name for name in names if name not in DEVICES]:
        raise HemostreamError(f"Beds {', '.join(unknown)}; expected some of {', '.join(DEVICES)}.")
    if not minutes > 0.0 or not life > 0.0:
        raise HemostreamError(f"--minutes is {minutes:g}, --life {life:g}; expected more than 0.")
    with tempfile.TemporaryDirectory(prefix="hemostream-second-") as temporary:
        folder = out or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise HemostreamError(f"{folder} is not empty; give a new folder.")
        stay_on_this_machine(folder)
        found = _run(folder, names, minutes * 60.0, seed, life, every, coverage)
    print(_table(found))
    text = json.dumps({name: sums.to_json() for name, sums in found.items()}, indent=1, allow_nan=False)
    print(text)
    if json_out is not None:
        json_out.write_text(text + "\n", encoding="utf-8")
    if any(sums.violations for sums in found.values()):
        raise SystemExit(1)


def _run(
    folder: Path, names: list[str], seconds: float, seed: int, life_s: float, every_s: float, coverage: float
) -> dict[str, BedSums]:
    from models.bundle import read_bundle
    from tools.soak.second.bundle import write_small_bundle

    begun = time.monotonic()
    stop = threading.Event()

    def tell(text: str) -> None:
        print(f"[{time.monotonic() - begun:7.1f} s] {text}", file=sys.stderr, flush=True)

    bundle = folder / "bundle"
    write_small_bundle(bundle)
    model_hash = read_bundle(bundle).card.hash
    beds = []
    for name in names:
        lives = draw(name, seconds, seed, life_s=life_s, every_s=every_s)
        beds.append(SoakBed(name, folder, lives, seed))
        beds[-1].plan.write_text(json.dumps([one.to_json() for one in lives]), encoding="utf-8")
        counts = ", ".join(f"{kind} {count}" for kind, count in count_faults(lives).items())
        tell(f"{name}: {len(lives)} outlets; faults: {counts}")
    by_themselves: set[str] = set()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what was started is ended then too
    with ExitStack() as stack:
        broker, port = start_mosquitto()
        stack.callback(end, broker)
        subscriber = BedsideSubscriber(port)
        stack.callback(subscriber.close)
        for one in beds:
            stack.callback(one.end_session)
            one.start_session(bundle, port)
        threads = [threading.Thread(target=one.live, args=(stop, tell), name=one.name) for one in beds]
        for thread in threads:
            stack.callback(thread.join)
            thread.start()
        stack.callback(stop.set)
        reported = time.monotonic()
        while any(thread.is_alive() for thread in threads):
            time.sleep(LOOK_EVERY_S)
            for one in beds:
                if not one.running and one.name not in by_themselves:
                    by_themselves.add(one.name)
                    tell(f"{one.name}: the session has ended by itself; see {one.log.name}")
            if time.monotonic() - reported >= TELL_EVERY_S:
                reported = time.monotonic()
                tell(", ".join(f"{one.name}: {_so_far(subscriber, one.name)}" for one in beds))
        time.sleep(SETTLES_S)
        for one in beds:
            if not one.running:
                by_themselves.add(one.name)
            one.end_session()
        time.sleep(1.0)
    tell("adding up")
    return {
        one.name: _account(one, bundle, model_hash, subscriber, coverage, one.name in by_themselves)
        for one in beds
    }


def _so_far(subscriber: BedsideSubscriber, name: str) -> str:
    came = list(subscriber.decisions[name])
    labels = sum('"label":"abstain"' not in text for text in came)
    states = subscriber.states[name]
    state = json.loads(states[-1]).get("state", "?") if states else "no status"
    return f"{len(came)} decisions, {labels} labels, {state}"


def _account(
    bed: SoakBed,
    bundle: Path,
    model_hash: str,
    subscriber: BedsideSubscriber,
    coverage: float,
    by_itself: bool,
) -> BedSums:
    from realtime.sinks.journal.reader import read_decisions

    sums = account(
        device=DEVICES[bed.name],
        lives=bed.lives,
        truth=read_truth(bed.truth),
        journal=bed.journal,
        bundle=bundle,
        model_hash=model_hash,
    )
    again = bed.journal.with_suffix(".again.jsonl")
    command = [*HEMOSTREAM, "classify", str(bed.journal), "--model", str(bundle), "--out", str(again)]
    done = subprocess.run([*command, "--device", "cpu"], capture_output=True, check=False)
    decisions = list(read_decisions(bed.journal))
    whole = "".join(f"{text}\n" for text in decisions).encode()
    sums.classify_equal = done.returncode == 0 and again.read_bytes() == whole
    came = subscriber.decisions[bed.name]
    sums.published_equal = bed.published.read_bytes() == whole and set(came) == set(decisions)
    if done.returncode:
        sums.violations.append(f"classify ended with {done.returncode}: {done.stderr.decode()[-300:]}")
    if by_itself or bed.exit_status != 0:
        sums.violations.append(f"the session ended by itself, or not in order: status {bed.exit_status}")
    find_violations(sums, least_coverage=coverage)
    return sums


def _table(found: dict[str, BedSums]) -> str:
    rows: list[tuple[str, list[str]]] = []

    def row(what: str, *values: object) -> None:
        rows.append((what, [str(value) for value in values]))

    every = list(found.values())
    row("", *found)
    row("samples sent", *(one.pushed for one in every))
    row("  journaled", *(one.journaled for one in every))
    row("  sent before the session was connected", *(one.before_connected for one in every))
    row("  died with the outlet", *(one.with_the_killed for one in every))
    row("  lost", *(one.lost for one in every))
    row("  changed, disordered, foreign", *(one.changed + one.disordered + one.foreign for one in every))
    row("outlets heard / openings declared", *(f"{one.lives} / {one.opened}" for one in every))
    row("windows decided", *(one.windows for one in every))
    row("  labelled", *(one.labelled for one in every))
    for reason in dict.fromkeys(reason for one in every for reason in one.abstained):
        row(f"  {reason}", *(one.abstained.get(reason, 0) for one in every))
    row("labels on wrong times", *(one.wrong_labels for one in every))
    row("worst error, labelled windows (s)", *(f"{one.worst_labelled_s:.4f}" for one in every))
    row("worst error, all windows (s)", *(f"{one.worst_s:.4f}" for one in every))
    row("samples within their claim", *(_share(one.samples_covered, one.samples_claimed) for one in every))
    row("labelled windows within their claim", *(f"{one.covered_labelled:.2%}" for one in every))
    row("all windows within their claim", *(f"{one.covered:.2%}" for one in every))
    row("labelled: most beyond the claim (s)", *(f"{one.beyond_claim_labelled_s:.4f}" for one in every))
    row("classify byte for byte", *("yes" if one.classify_equal else "NO" for one in every))
    row("published = journaled", *("yes" if one.published_equal else "NO" for one in every))
    wide = max(len(what) for what, _ in rows)
    lines = [f"{what:<{wide}}" + "".join(f"{value:>12}" for value in values) for what, values in rows]
    for name, sums in found.items():
        lines += [f"{name}: {text}" for text in sums.wrong[:20]]
        lines += [f"VIOLATED, {name}: {text}" for text in sums.violations]
    return "\n".join(lines)


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2%}" if whole else "-"


def main() -> None:
    """Run, and say plainly what cannot be."""
    try:
        app()
    except HemostreamError as error:
        print(f"second: {error}", file=sys.stderr)
        raise SystemExit(2) from error


if __name__ == "__main__":
    main()
