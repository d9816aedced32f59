"""``hemostream replay``: a recording as a live LSL stream, to be taken like a device's.

What it keeps of the recording and how it keeps time is told in `tools.outlet`.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from realtime.log import OriginKind
from realtime.sources.recording import Recording
from tools.outlet import Replay, Replayed, check_how

__all__ = ["Replay", "Replayed", "replay", "replay_recording"]


def replay_recording(
    recording: Recording,
    *,
    speed: float = 1.0,
    name: str | None = None,
    source_id: str | None = None,
    kind: OriginKind = OriginKind.REPLAYED,
    layout: str = "full",
    start: float = 0.0,
    seconds: float | None = None,
    wait_s: float | None = None,
    linger_s: float = 2.0,
    clock: Callable[[], float] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Replayed:
    """Send a recording as a live stream, from the first sample to the last; blocks until done.

    On a terminal it shows how far it is.

    Parameters
    ----------
    recording, speed, name, source_id, kind, layout, start, seconds, wait_s, linger_s, clock, sleep
        Those of `Replay`.

    Returns
    -------
    Replayed
        What was sent, and how late.

    Raises
    ------
    StreamError
        If speed or layout cannot be had, or no consumer came in time.
    RecordingError
        If nothing is left to send.
    """
    from rich.console import Console
    from rich.progress import Progress

    console = Console(file=sys.stderr)
    with (
        Replay(
            recording,
            speed=speed,
            name=name,
            source_id=source_id,
            kind=kind,
            layout=layout,
            start=start,
            seconds=seconds,
            wait_s=wait_s,
            linger_s=linger_s,
            clock=clock,
            sleep=sleep,
        ) as outlets,
        Progress(console=console, disable=not console.is_terminal, transient=True) as progress,
    ):
        total = sum(item.event is None for item in outlets.items)
        bar = progress.add_task(f"Waiting for a consumer of {outlets.name!r}", total=total)

        def told(sent: int) -> None:
            if sent == 1:
                progress.update(bar, description=f"Replaying {outlets.name!r} at {speed:g}x")
            progress.update(bar, completed=sent)

        return outlets.run(told if console.is_terminal else None)


def replay(
    recording: Path,
    *,
    speed: float = 1.0,
    describe: Literal["full", "bare"] = "full",
    name: str | None = None,
    source_id: str | None = None,
    kind: Literal["replayed", "simulated"] | None = None,
    start: float = 0.0,
    seconds: float | None = None,
    wait: float | None = None,
    layout: Path | None = None,
    length_unit: str | None = None,
    repetition_time: float | None = None,
    stream: str | None = None,
) -> str:
    """Send a recording as a live LSL stream.

    The stream waits for a first consumer, then sends sample by sample, stamped as recorded. It says
    that it is replayed, and how fast, so a session takes it only with --allow-replay. Events go out
    on a second stream, named like the first with "-events" added.

    Parameters
    ----------
    recording
        SNIRF, Homer .nirs, NIRx folder, XDF, region series (.1D, .tsv) or a journal.
    speed
        Recorded seconds a second: 1 is real time, 20 is twenty times as fast.
    describe
        How the stream describes itself: "full" with every channel, "bare" with none, as a
        Cortivision device does.
    name
        Name of the stream; the recording's own by default.
    source_id
        LSL source id; unique by default. Give one to find the stream again after a restart.
    kind
        What the stream says that it is; by default simulated where the file says so, as those of
        "simulate" do, else replayed.
    start
        Skip so many seconds of the recording.
    seconds
        Send so many seconds of it; all by default.
    wait
        Give up when nobody has connected after so many seconds; waits for ever by default.
    layout
        Side file (JSON) that says what the channels are, for recordings that do not; its form is told in
        realtime/layout.py.
    length_unit
        Unit of positions (m, cm, mm) where the file's own claim is wrong.
    repetition_time
        Seconds between the volumes of a region series, where no side file tells.
    stream
        Which stream of an XDF file that holds several.

    Returns
    -------
    str
        What was done, in a sentence.

    Raises
    ------
    RecordingError
        If the recording cannot be read, or nothing of it is left to send.
    StreamError
        If speed or layout cannot be had, or nobody connected in time.
    """
    from offline.recordings import read_recording

    check_how(speed, describe)
    read = read_recording(
        recording,
        layout=layout,
        length_unit=length_unit,
        repetition_time=repetition_time,
        stream=stream,
    )
    if kind is None:
        kind = "simulated" if read.notes.get("simulated") is True else "replayed"
    done = replay_recording(
        read,
        speed=speed,
        name=name,
        source_id=source_id,
        kind=OriginKind(kind),
        layout=describe,
        start=start,
        seconds=seconds,
        wait_s=wait,
    )
    late = f", at most {1e3 * done.lateness.max():.1f} ms late" if done.samples else ""
    return f"Sent {done.samples} samples and {done.events} events of {read.name} at {speed:g}x{late}."
