"""``hemostream replay``: a recording as a live LSL stream, to be taken like a device's.

What it keeps of the recording and how it keeps time is described in `tools.replay.outlet`.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from models.errors import StreamError
from realtime.log import Origin, OriginKind
from realtime.sources.recording import Recording
from tools.emulators import LAYOUTS, emulator
from tools.lsl_config import hide_lsl_information
from tools.messages import columns, wrapped
from tools.outputs import check_new_file, whole_file
from tools.replay.outlet import Replay, ReplayReport, check_how

__all__ = ["Replay", "ReplayReport", "replay", "replay_recording"]


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
) -> ReplayReport:
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
    from rich.markup import escape
    from rich.progress import Progress

    from models.outside import printable

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
        called = escape(printable(outlets.name))
        bar = progress.add_task(f"Waiting for a consumer of '{called}'", total=total)

        def shown(sent: int) -> None:
            if sent == 1:
                progress.update(bar, description=f"Replaying '{called}' at {speed:g}x")
            progress.update(bar, completed=sent)

        return outlets.run(shown if console.is_terminal else None)


def replay(
    recording: Path,
    *,
    model: Path | None = None,
    speed: float = 1.0,
    layout: tuple[str, ...] = (),
    side_file: Path | None = None,
    name: str | None = None,
    source_id: str | None = None,
    kind: Literal["replayed", "simulated"] | None = None,
    start: float = 0.0,
    seconds: float | None = None,
    wait: float | None = None,
    length_unit: str | None = None,
    haemoglobin_unit: str | None = None,
    repetition_time: float | None = None,
    stream: str | None = None,
    events: str | None = None,
    allow_damaged: bool = False,
    overwrite: bool = False,
) -> str:
    """Send a recording as a live LSL stream.

    The stream waits for a first consumer, then sends sample by sample, stamped as recorded. It says
    that it is replayed, and how fast, so a session takes it only with --allow-replay. Events go out
    on a second stream, named like the first with "-events" added.

    Parameters
    ----------
    recording
        SNIRF, Homer .nirs, NIRx folder, XDF, region series (.1D, .tsv) or a journal.
    model
        Bundle folder: the recording is read as those of its training were; the options below go before.
    speed
        Recorded seconds a second: 1 is real time, 20 is twenty times as fast.
    layout
        How it is sent: "full" describes every channel, "bare" none, "xdf" by the convention of the XDF wiki;
        "aurora", "oxysoft", "cortivision" and "ninjanirs" as those devices do, oddities included.
        Anything else is a side file (JSON) that says what the channels are, for recordings that do not
        (form: realtime/channels/montage.py). Give --layout twice for both.
    side_file
        Write here the side file that a session needs for this stream ("live --layout"), where it needs one.
    name
        Name of the stream; by default what the layout calls it: the recording's name, or the vendor's.
    source_id
        LSL source id; unique by default. Give one to find the stream again after a restart.
    kind
        What the stream declares itself to be; by default simulated where the file says so, as those of
        "simulate" do, else replayed.
    start
        Skip so many seconds of the recording.
    seconds
        Send so many seconds of it; all by default.
    wait
        Give up when nobody has connected after so many seconds; waits for ever by default.
    length_unit
        Unit of positions (m, cm, mm) where the file's own claim is wrong.
    haemoglobin_unit
        Unit of concentrations (umol/L, uM ...) where a SNIRF file does not say it, or wrongly.
    repetition_time
        Seconds between the volumes of a region series, where no side file gives them.
    stream
        Which stream of an XDF file that holds several: its name, source_id, uid, number, or a predicate
        such as "source_id='42'". Of a SNIRF file which measurement, for instance nirs2.
    events
        Which marker stream of an XDF file, chosen likewise; all by default.
    allow_damaged
        Take what is left of a file of which much cannot be read.
    overwrite
        Replace a side file that is there already.

    Returns
    -------
    str
        What was done, in a sentence.

    Raises
    ------
    RecordingError
        If the recording cannot be read, or nothing of it is left to send.
    StreamError
        If speed or layout cannot be had, the recording does not fit the layout, or nobody connected in time.
    """
    from models.bundle_files import recording_of
    from offline.base.remarks import show_remarks
    from offline.recordings.as_trained import read_as_trained

    sent_as, rows = split_layouts(layout)
    check_how(speed, sent_as)
    if side_file is not None:
        check_new_file(side_file, "The side file", overwrite=overwrite, option="--side-file")
    hide_lsl_information()
    read = read_as_trained(
        recording,
        recording_of(model),
        layout=rows,
        length_unit=length_unit,
        haemoglobin_unit=haemoglobin_unit,
        repetition_time=repetition_time,
        stream=stream,
        events=events,
        allow_damaged=allow_damaged,
    )
    show_remarks(read, recording)
    if kind is None:
        kind = "simulated" if read.notes.get("simulated") is True else "replayed"
    if side_file is not None:
        write_side_file(read, sent_as, side_file)
    done = replay_recording(
        read,
        speed=speed,
        name=name,
        source_id=source_id,
        kind=OriginKind(kind),
        layout=sent_as,
        start=start,
        seconds=seconds,
        wait_s=wait,
    )
    late = f", at most {1e3 * done.lateness.max():.1f} ms late" if done.samples else ""
    sent = f"Sent {done.samples} samples and {done.events} events of {read.name}"
    last = f" Side file: {side_file}" if side_file is not None else ""
    return wrapped(
        f"{sent}, {done.samples / read.spec.rate:.1f} s of signal at {speed:g}x{late}.{last}",
        columns(sys.stdout),
    )


def split_layouts(given: Sequence[str]) -> tuple[str, Path | None]:
    """What ``--layout`` means, which names a way of sending, a side file, or (given twice) both.

    Parameters
    ----------
    given : sequence of str
        As given.

    Returns
    -------
    str, Path or None
        How the recording is sent, and the side file that describes its channels.

    Raises
    ------
    StreamError
        More than one of either, or a word that is neither.
    """
    names = [word for word in given if word in LAYOUTS]
    files = [Path(word) for word in given if word not in LAYOUTS]
    if len(names) > 1 or len(files) > 1:
        raise StreamError(
            f"--layout is {' and '.join(map(repr, given))}; expected at most one of {', '.join(LAYOUTS)}, "
            "and at "
            "most one side file."
        )
    if files and not files[0].suffix and not files[0].exists():
        emulator(str(files[0]))  # a misspelt name is refused as one, with what there is
    return names[0] if names else "full", files[0] if files else None


def write_side_file(recording: Recording, layout: str, path: Path) -> None:
    """Write the side file that a session needs for a stream that does not describe itself.

    Parameters
    ----------
    recording : Recording
        What is sent.
    layout : str
        How it is sent.
    path : Path
        The file; replaced where there is one.

    Raises
    ------
    StreamError
        The stream needs no side file, or it cannot be written.
    """
    side = emulator(layout)(recording, Origin(OriginKind.REPLAYED)).side
    if side is None:
        raise StreamError(f"A stream of layout {layout!r} needs no side file; leave out --side-file.")
    try:
        with whole_file(path) as part:
            part.write_text(json.dumps(side, indent=1), encoding="utf-8")
    except OSError as error:
        raise StreamError(
            f"Side file {path} cannot be written: {error.strerror}. Name a new file."
        ) from error
