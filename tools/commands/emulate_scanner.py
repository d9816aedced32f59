"""``hemostream emulate-scanner``: a folder that fills as a scanner's export would."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tools.outputs import Out

if TYPE_CHECKING:
    from tools.emulators.scanner.images import ExportedVolume


def emulate_scanner(
    *,
    out: Out,
    volumes: Path | None = None,
    recording: Path | None = None,
    atlas: Path | None = None,
    format: Literal["mosaic", "enhanced", "slices", "nifti", "nifti-gz"] = "mosaic",
    count: int | None = None,
    tr: float | None = None,
    speed: float = 1.0,
    motion_mm: float = 0.0,
    motion_degrees: float = 0.0,
    noise: float = 5.0,
    fault: tuple[str, ...] = (),
    renamed: bool = False,
    write_atlas: Path | None = None,
    truth: Path | None = None,
    seed: int = 0,
    overwrite: bool = False,
) -> None:
    """Export volumes into a folder at their repetition time, as a scanner would.

    Every file says in itself that it is no live scanner's; so does the stream that "hemostream scanner"
    makes of it,
    and a session takes that only with --allow-replay.

    Parameters
    ----------
    out
        Folder that is exported into.
    volumes
        Folder of DICOM or NIfTI whose first series is exported again. Default: a simulated head of eight
        regions
        that are active in turn.
    recording
        Recording of region signals (.1D, .tsv) that the simulated head's regions follow.
    atlas
        Label NIfTI whose regions the simulated head has.
    format
        What is written: Siemens mosaics, enhanced DICOM (a frame a slice), DICOM of one slice a file, or
        NIfTI.
    count
        So many volumes. Default: all there are, or 100 simulated ones.
    tr
        Repetition time, s. Default: that of the volumes or the recording, else 1.5.
    speed
        Seconds of the scanner a second.
    motion_mm
        The simulated head sways by so much.
    motion_degrees
        It turns by so much.
    noise
        Of each voxel of the simulated head, whose intensity is about 1000.
    fault
        What goes wrong, such as "missing:at=5", "slow:at=5,by=0.5" or "clock:at=5,by=3600"; give it several
        times for several. Kinds: missing, truncated, cut, slow, swap, late, twice, other, jitter, series,
        restart, pause, clock, matrix, foreign.
    renamed
        Write each file under a hidden name first, then rename it.
    write_atlas
        Write here the atlas of the simulated head (NIfTI), with a table of its regions' names beside it.
    truth
        Write here what is true (JSON, one line a file): when it was closed, its volume; first a line for each
        volume with its regions' signals and its move.
    seed
        Of noise and jitter.
    overwrite
        Export into a folder that holds something, and replace files that are there.
    """
    import json
    from itertools import chain

    import numpy as np
    import pylsl
    from pydicom.uid import generate_uid

    from models.errors import HemostreamError
    from models.files.output_place import check_folder
    from realtime.log import Origin, OriginKind
    from realtime.volumes.atlas_file import read_atlas
    from tools.emulators.scanner.export import export
    from tools.emulators.scanner.faults import export_fault, plan
    from tools.emulators.scanner.formats import FORMATS
    from tools.emulators.scanner.images import ExportedSeries
    from tools.emulators.scanner.phantom import Phantom, block_signals, ellipsoid_atlas, head_grid, slow_moves
    from tools.emulators.scanner.sources import exported, renumbered, signals_of, volumes_of_folder
    from tools.emulators.scanner.written_atlas import save_atlas
    from tools.lsl_config import hide_lsl_information
    from tools.messages import say
    from tools.outputs import check_new_file, refuse_existing

    for option, value in {"--speed": speed, "--tr": tr, "--count": count}.items():
        if value is not None and not 0 < value < 1e6:
            raise HemostreamError(f"{option} is {value:g}; expected a number above 0.")
    if volumes is not None and (recording is not None or atlas is not None or write_atlas is not None):
        raise HemostreamError(
            "--volumes brings its own head; leave out --recording, --atlas and --write-atlas."
        )
    faults = [export_fault(text) for text in fault]
    check_folder(out, "The export")
    refuse_existing(out, overwrite=overwrite)
    for option, path in {"--truth": truth, "--write-atlas": write_atlas}.items():
        if path is not None:
            check_new_file(path, "The output", overwrite=overwrite, option=option)
    hide_lsl_information()
    kind, series_number = OriginKind.SIMULATED, 7
    source: Iterator[ExportedVolume]
    if volumes is not None:
        found = volumes_of_folder(volumes)
        first = next(found)
        tr = tr or first.image.tr or 1.5
        kind = OriginKind.REPLAYED if first.image.origin.kind is OriginKind.LIVE else first.image.origin.kind

        source = exported(chain([first], found), tr)
    else:
        grid = head_grid()
        regions = ellipsoid_atlas(grid) if atlas is None else read_atlas(atlas)
        if recording is not None:
            from offline.recordings import read_recording

            percent, declared = signals_of(read_recording(recording), regions)
            tr = tr or declared
        else:
            tr = tr or 1.5
            percent = block_signals(len(regions.names), count or 100, tr)
        moves = slow_moves(percent.shape[1], motion_mm, float(np.radians(motion_degrees)))
        source = Phantom(regions, grid, noise=noise, seed=seed).run(percent, moves, tr)
        if write_atlas is not None:
            save_atlas(regions, write_atlas)
    out.mkdir(parents=True, exist_ok=True)
    uid = generate_uid(entropy_srcs=["hemostream series", str(out.resolve()), str(pylsl.local_clock())])
    series = ExportedSeries(str(uid)[:55], series_number, "hemostream", tr, Origin(kind, speed))
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(truth.open("w", encoding="utf-8")) if truth is not None else None

        def noted() -> Iterator["ExportedVolume"]:
            for volume in renumbered(source, count):
                if file is not None:
                    file.write(json.dumps({"number": volume.number, **volume.truth}) + "\n")
                yield volume

        done = export(
            plan(noted(), series, FORMATS[format], faults, seed),
            out,
            speed=speed,
            renamed=renamed,
            truth=file,
            clock=pylsl.local_clock,
            progress=_shown,
        )
    say(
        f"{done.volumes} volumes in {done.files} files ({format}, TR {tr:g} s at {speed:g}x), at most "
        f"{1e3 * done.late_s:.1f} ms late"
    )
    if write_atlas is not None:
        say(f"atlas: {write_atlas}")
    say(f"folder: {out}")


def _shown(volumes: int) -> None:
    if sys.stderr.isatty():
        print(f"\rvolume {volumes} ", end="", file=sys.stderr, flush=True)
