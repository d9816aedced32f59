"""A scanner's export under one fault, real processes: ``emulate-scanner``, ``scanner``, and a listener on
LSL.

What was sent is held against the truth: every sample must be the region means of the very volume that the
table names
for its stamp, computed here from the emulated head without any file.
"""

import json
import resource
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.arrays import Floats
from models.errors import StreamError
from realtime.sources.scanner.remarks import ScannerFault
from realtime.volumes.atlas import Atlas, RegionMeans
from tools.emulators.scanner.phantom import Phantom, block_signals, ellipsoid_atlas, head_grid, slow_moves
from tools.emulators.scanner.written_atlas import save_atlas

ROOT = Path(__file__).resolve().parents[2]
TR = 1.5
PATIENCE_S = 60.0
"""Longest wait for what must come, local s."""
RECOVERY_S = 15.0
"""How long a listener may take to find a stream that came in another's place, local s."""


@dataclass(frozen=True)
class ScannerRow:
    """One fault and what must come of it.

    Parameters
    ----------
    name : str
        For a table.
    faults : tuple of str
        Of the emulator.
    lost : tuple of int
        Volumes that cannot be published.
    said : ScannerFault or None
        What must be said.
    at : int
        The volume at whose time it happens.
    after_tr : float
        How much later than that, in repetition times.
    scanner : tuple of str
        Options of the scanner command.
    count : int
        Volumes that are exported.
    no_room : bool
        Whether the disk of the table is full from the start until half of the run is over.
    """

    name: str
    faults: tuple[str, ...] = ()
    lost: tuple[int, ...] = ()
    said: ScannerFault | None = None
    at: int = 1
    after_tr: float = 0.0
    scanner: tuple[str, ...] = ()
    count: int = 12
    no_room: bool = False


ROWS = (
    ScannerRow("nothing"),
    ScannerRow("first file truncated, whole 1.5 TR later", ("truncated:at=1",)),
    ScannerRow("a file is never whole", ("cut:at=5",), (5,), ScannerFault.UNFINISHED, 5),
    ScannerRow("a file written over 0.8 TR", ("slow:at=5,by=1.2",)),
    ScannerRow("two volumes change places", ("swap:at=5",)),
    ScannerRow("a volume comes 4 TR late", ("late:at=5,by=6",), (5,), ScannerFault.MISSING, 5),
    ScannerRow("a volume twice", ("twice:at=5",), (), ScannerFault.DUPLICATE, 6),
    ScannerRow("another volume under the same number", ("other:at=5",), (), ScannerFault.CONFLICT, 6),
    ScannerRow("a volume is missing", ("missing:at=5",), (5,), ScannerFault.MISSING, 5),
    ScannerRow("files up to 0.9 TR late", ("jitter:by=1.35",)),
    ScannerRow("another series in the same folder", ("series:at=3",), (), ScannerFault.OTHER_SERIES, 3),
    ScannerRow("no events: by looking only", (), scanner=("--poll", "0.05")),
    ScannerRow("no room for the table", (), no_room=True),
    ScannerRow(
        "scanner stopped and started again",
        ("restart:at=7,by=12",),
        (),
        ScannerFault.NEW_SERIES,
        7,
        8.0,
        count=14,
    ),
    ScannerRow("console's clock an hour off", ("clock:at=1,by=3600",)),
    ScannerRow("console's clock set by an hour", ("clock:at=5,by=-3600",), (), ScannerFault.CLOCK, 5),
    ScannerRow("scanner pauses for 4 TR", ("pause:at=5,by=6",), (), ScannerFault.PAUSE, 5, 4.0),
    ScannerRow("another matrix in mid-run", ("matrix:at=5",), (5,), ScannerFault.OTHER_GRID, 5),
    ScannerRow("a file that is no image", ("foreign:at=5",), (), ScannerFault.FOREIGN, 5),
)
"""The rows of the table."""


@dataclass(frozen=True, eq=False)
class ScannerOutcome:
    """What became of a row.

    Parameters
    ----------
    numbers : list of int
        Exported volumes that were sent, in order, counted through the run.
    wrong : int
        Samples that are not the region means of the volume they stand for.
    steps : (n - 1,) float64
        From one stamp to the next, in repetition times.
    said_tr : float or None
        From the fault to the first remark of its kind, in repetition times; None where none came.
    remarks : mapping of str to int
        How many of each kind.
    latency_s : (n,) float64
        From the close of a volume's file to its sample here, s.
    stderr : str
        What the scanner command said.
    code : int
        Its exit status.
    lines : int
        Lines of volumes in the table.
    """

    numbers: list[int]
    wrong: int
    steps: Floats
    said_tr: float | None
    remarks: Mapping[str, int]
    latency_s: Floats
    stderr: str
    code: int
    lines: int


def play(
    row: ScannerRow, folder: Path, form: str, speed: float, environ: Mapping[str, str]
) -> ScannerOutcome:
    """Export under a fault, and see.

    Parameters
    ----------
    row : ScannerRow
        What goes wrong.
    folder : Path
        Of its own.
    form : str
        In which files.
    speed : float
        Seconds of the scanner a second.
    environ : mapping
        Of the processes; liblsl's configuration in it must be that of this process.
    """
    words = ["--format", form, "--count", str(row.count), "--speed", str(speed), "--tr", str(TR)]
    words += [word for fault in row.faults for word in ("--fault", fault)]
    atlas = ellipsoid_atlas(head_grid())
    found, code, table, truth = export_and_listen(folder, atlas, words, speed, environ, row)
    return _outcome(row, found, table, truth, (folder / "stderr").read_text(), code, speed)


Heard = list[tuple[float, float, list[float]]]
"""Samples as they came: stamp (s), local time (s), values."""


def export_and_listen(
    folder: Path,
    atlas: Atlas,
    export: Sequence[str],
    speed: float,
    environ: Mapping[str, str],
    row: ScannerRow = ROWS[0],
    *,
    motion: bool = False,
) -> tuple[Heard, int, list[dict[str, Any]], list[dict[str, Any]]]:
    """Export into a folder that the scanner command watches, and listen to its stream.

    Parameters
    ----------
    folder : Path
        Of its own.
    atlas : Atlas
        The regions.
    export : sequence of str
        Options of ``emulate-scanner``.
    speed : float
        Seconds of the scanner a second.
    environ : mapping
        Of the processes.
    row : ScannerRow
        For the options of the scanner command, and whether its disk is full.
    motion : bool
        Whether motion is corrected.

    Returns
    -------
    samples, exit status, lines of the table, lines of the truth
    """
    place, atlas_file, table, truth = (
        folder / name for name in ("export", "atlas.nii.gz", "volumes.jsonl", "truth.jsonl")
    )
    place.mkdir(parents=True)
    save_atlas(atlas, atlas_file)
    name = f"scanner-{uuid.uuid4().hex[:8]}"
    words: list[str | Path] = ["scanner", "--watch", place, "--atlas", atlas_file, "--out", table]
    words += ["--name", name, *([] if motion else ["--no-motion"]), *row.scanner]
    with (folder / "stderr").open("wb") as err, (folder / "stdout").open("wb") as out:
        scanner = subprocess.Popen(_command(words), cwd=ROOT, env=dict(environ), stdout=out, stderr=err)
        try:
            _wait(lambda: b"watching" in (folder / "stdout").read_bytes(), scanner)
            if row.no_room:
                _room(scanner.pid, 1024)
            words = ["emulate-scanner", "--out", place, "--truth", truth, *export]
            emulator = subprocess.Popen(
                _command(words), cwd=ROOT, env=dict(environ), stdout=subprocess.DEVNULL
            )
            found = _listen(name, emulator, scanner, speed, row)
        finally:
            scanner.send_signal(signal.SIGINT)
            code = scanner.wait(PATIENCE_S)
    return found, code, _lines(table), _lines(truth)


def _listen(
    name: str,
    emulator: "subprocess.Popen[bytes]",
    scanner: "subprocess.Popen[bytes]",
    speed: float,
    row: ScannerRow,
) -> Heard:
    """Samples until nothing more can come."""
    import pylsl  # late: it reads its configuration when it is imported

    streams: list[pylsl.StreamInfo] = []
    end = time.monotonic() + PATIENCE_S
    while not streams and time.monotonic() < end and scanner.poll() is None:
        streams = pylsl.resolve_byprop("name", name, 1, 1.0)
    if not streams:
        raise StreamError(f"No stream {name!r} came within {PATIENCE_S:g} s.")
    inlet = pylsl.StreamInlet(streams[0], max_buflen=600)
    found: Heard = []
    last = time.monotonic()
    # A listener finds a stream that came in another's place within seconds, on a busy machine later.
    quiet = 6 * TR / speed + 1.5
    while (since := time.monotonic() - last) < quiet or (
        len(found) < row.count - len(row.lost) and since < RECOVERY_S
    ):
        values, stamp = inlet.pull_sample(timeout=0.2)
        if emulator.poll() is None:
            last = time.monotonic()
        if row.no_room and len(found) == row.count // 2:
            _room(scanner.pid, resource.RLIM_INFINITY)
        if values is not None:
            found.append((stamp, pylsl.local_clock(), values))
    return found


def _outcome(
    row: ScannerRow,
    found: Heard,
    table: Sequence[Mapping[str, Any]],
    truth: Sequence[Mapping[str, Any]],
    stderr: str,
    code: int,
    speed: float,
) -> ScannerOutcome:
    expected = _expected(row)
    closed = {(line["series"], line["volume"]): line["closed"] for line in truth if line.get("volume")}
    begins = next(line["due"] for line in truth if "due" in line)
    by_stamp = {line["stamp"]: line for line in table if line["what"] == "volume"}
    series = list(dict.fromkeys(line["series"] for line in table if line["what"] == "volume"))
    again = next((int(fault.split("at=")[1].split(",")[0]) for fault in row.faults if "restart" in fault), 1)
    numbers, wrong, latency = [], 0, []
    for stamp, local, values in found:
        line = by_stamp.get(stamp)
        if line is None:
            wrong += 1
            continue
        number = line["number"] + (again - 1) * series.index(line["series"])
        numbers.append(number)
        wrong += not np.allclose(values, expected[number - 1], rtol=1e-9, atol=0)
        latency.append(local - closed.get((line["series"], line["number"]), local))
    kinds = [line["fault"] for line in table if line["what"] == "remark"]
    said = [line["local"] for line in table if line["what"] == "remark" and line["fault"] == row.said]
    due = begins + (row.at - 1 + row.after_tr) * TR / speed
    return ScannerOutcome(
        numbers,
        wrong,
        np.diff([stamp for stamp, _, _ in found]) / TR,
        (said[0] - due) * speed / TR if said else None,
        {kind: kinds.count(kind) for kind in kinds},
        np.array(latency),
        stderr,
        code,
        len(by_stamp),
    )


def _expected(row: ScannerRow) -> list[Floats]:
    """The region means of each exported volume, from the emulated head itself."""
    grid = head_grid()
    atlas = ellipsoid_atlas(grid)
    means = RegionMeans(atlas, grid)
    signals, moves = block_signals(8, row.count, TR), slow_moves(row.count, 0.0, 0.0)
    volumes = Phantom(atlas, grid).run(signals, moves, TR)
    return [means.of(volume.stored.astype(np.float32)) for volume in volumes]


def _room(pid: int, size: int) -> None:
    """Let no file of a process grow beyond so many bytes: what a full disk does to it."""
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def _command(words: Sequence[str | Path]) -> list[str]:
    return [sys.executable, "-m", "tools.cli", *map(str, words)]


def _wait(ready: Callable[[], bool], process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + PATIENCE_S
    while not ready():
        if process.poll() is not None or time.monotonic() > end:
            raise StreamError(f"The scanner command did not begin (exit status {process.poll()}).")
        time.sleep(0.02)


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
