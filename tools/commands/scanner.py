"""``hemostream scanner``: the volumes that a scanner exports as a stream of regions."""

import signal
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from tools.outputs import Out

CORRECTED = "rigid registration to the first volume of the series, resliced by cubic B-splines"


def scanner(
    *,
    watch: Path,
    atlas: Path,
    region_names: Path | None = None,
    from_start: bool = False,
    poll: float | None = None,
    series: str = "",
    tr: float | None = None,
    motion: Annotated[bool, Parameter(negative="--no-motion")] = True,
    device: str = "auto",
    name: str = "hemostream-scanner",
    out: Out | None = None,
    seconds: float | None = None,
    overwrite: bool = False,
) -> None:
    """Send what a scanner exports as region signals over LSL until Ctrl-C.

    Watches a folder for Siemens mosaics, enhanced DICOM, DICOM of one slice a file, and NIfTI. Each volume
    is taken once, in the order of its series, as soon as its file is whole; what is late, double, missing,
    damaged or of another series is named. "hemostream live" classifies the stream.

    Research use only: a region signal describes an image, it is not a diagnosis.

    Parameters
    ----------
    watch
        Folder that the scanner exports into.
    atlas
        Label NIfTI (whole numbers, 0 is no region) in the space of this person's volumes.
    region_names
        Table of the regions' names: columns index and name, or a number and a name a line. By default one
        beside the atlas of its own name (.tsv, .csv, .txt, .lut).
    from_start
        Publish the volumes that lie in the folder already, too. By default only those that come.
    poll
        Look at the folder every so many seconds, and do not rely on the system to tell of files: for network
        mounts. By default the system tells, and the folder is looked at every second as well.
    series
        Only series whose name at the console (number and description) holds this.
    tr
        Seconds between volumes, where files do not say it, or wrongly.
    motion
        Estimate how the head moved from the first volume of a series, and put each volume back onto it. Six
        motion channels and the framewise displacement then travel beside the regions, and windows in which
        the head moved are marked.
    device
        Where motion is computed: cuda, cpu, or auto.
    name
        Name of the LSL stream.
    out
        Table of volumes (JSON, one a line): identity, file, times, motion, and all that was remarked.
        Default:
        scanner-DATE.volumes.jsonl in this folder.
    seconds
        End after so many seconds. Default: at Ctrl-C.
    overwrite
        Replace a table that is there already.
    """
    import pylsl

    from models.errors import HemostreamError
    from realtime.inference import choose_device, one_thread
    from realtime.signal import motion_channels
    from realtime.sources.scanner.head_motion import MotionValues
    from realtime.sources.scanner.intake import Intake
    from realtime.sources.scanner.outlet import RegionOutlet, region_channels
    from realtime.sources.scanner.region_signal import RegionSignal
    from realtime.sources.scanner.session import ScannerSession
    from realtime.sources.scanner.volume_table import VolumeTable
    from realtime.sources.scanner.watch import FolderWatch
    from realtime.volumes.atlas_file import read_atlas
    from realtime.volumes.motion import MotionCorrector
    from realtime.volumes.volume import Volume
    from tools.lsl_config import hide_lsl_information
    from tools.messages import say
    from tools.outputs import check_new_file

    for option, value in {"--poll": poll, "--tr": tr, "--seconds": seconds}.items():
        if value is not None and not 0 < value < 1e9:
            raise HemostreamError(f"{option} is {value:g}; expected seconds, more than 0.")
    path = out or Path(f"scanner-{datetime.now(UTC):%Y%m%d-%H%M%S}.volumes.jsonl")
    check_new_file(path, "The table of volumes", overwrite=overwrite)
    regions = read_atlas(atlas, region_names)
    one_thread()  # the same numbers on a busy machine, and faster for volumes of this size
    where = choose_device(device)

    def corrector(reference: Volume) -> MotionCorrector:
        return MotionCorrector(reference, device=where)

    hide_lsl_information()
    stopped = threading.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: stopped.set())
    with FolderWatch(watch, poll_s=poll) as folder:
        table = VolumeTable(path)
        shown: list[str] = []

        def tell(text: str) -> None:
            say(text, error=True)

        def done() -> bool:
            if table.trouble and not shown:
                shown.append(table.trouble)
                tell(f"The table {path} cannot be written ({table.trouble}); it is kept and tried again.")
            elif not table.trouble and shown:
                shown.clear()
                tell(f"The table {path} is written again.")
            if table.trouble:
                table.flush()
            return stopped.is_set() or (seconds is not None and pylsl.local_clock() - began > seconds)

        began = pylsl.local_clock()
        session = ScannerSession(
            folder,
            Intake(series=series, tr=tr),
            RegionSignal(regions, corrector if motion else None),
            (*region_channels(regions), *(motion_channels() if motion else ())),
            lambda spec, origin, about, source_id: RegionOutlet(
                spec, origin, about, name=name, source_id=source_id
            ),
            table=table,
            say=tell,
            clock=pylsl.local_clock,
            utc=lambda: datetime.now(UTC).timestamp(),
            further=MotionValues().of if motion else None,
            about={"motion": CORRECTED if motion else "not corrected", "units": "a.u."},
        )
        how = "as the system tells of them" if folder.asks_the_kernel else "by looking"
        say(f"watching {watch} for volumes {how}; {len(regions.names)} regions of {regions.title}")
        try:
            session.run(done, from_start=from_start)
        finally:
            session.close()
            table.close()
    counts = session.counts
    faults = ", ".join(f"{number} {fault}" for fault, number in sorted(counts.faults.items()))
    say(f"{counts.volumes} volumes of {counts.series} series" + (f"; remarks: {faults}" if faults else ""))
    if table.trouble:
        raise HemostreamError(f"{path}: {table.trouble}. {table.waiting} lines of the table are lost.")
    say(f"volumes: {path}")
