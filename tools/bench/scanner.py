"""``python -m tools.bench.scanner``: from the close of a volume's file to its region values on LSL.

The real mosaics are exported one by one by another process, at their own repetition time divided by
``--speed``; the
scanner command watches, and this process listens.  In the same run, on the same volumes and one after the
other, two
floors: the bytes of the file read and nothing else, and nibabel's reading of the mosaic with the same region
means.
Without motion correction unless ``--motion``.
"""

import json
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from cyclopts import App

from models.arrays import Floats
from realtime.sources.scanner.reading import read_images
from realtime.volumes.atlas import Atlas, RegionMeans
from tools.lsl_config import stay_on_this_machine

app = App(name="scanner", help="From a scanner's file to region values.", help_format="plaintext")
WARM = 3
"""Volumes at the start that are left out: everything is read from the disk for the first time."""


@app.default
def scanner(
    *,
    folder: Path | None = None,
    rounds: int = 3,
    speed: float = 4.0,
    regions: int = 8,
    motion: bool = False,
    out: Path | None = None,
) -> None:
    """Measure it.

    Parameters
    ----------
    folder : Path
        Of the mosaics. Default: siemens_mosaic_74 of HEMOSTREAM_DATA.
    rounds : int
        How often all of them are exported.
    speed : float
        Seconds of the scanner a second.
    regions : int
        8, or 216: each of the eight cut into 27.
    motion : bool
        Correct motion.
    out : Path
        Write the figures here, too (JSON).
    """
    from tools.bench.machine import describe_machine

    here = folder or Path(os.environ["HEMOSTREAM_DATA"]) / "fmri_dicom" / "siemens_mosaic_74"
    figures: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="hemostream-bench-") as temporary:
        stay_on_this_machine(Path(temporary))
        for number in range(rounds):
            for name, values in _round(here, Path(temporary) / str(number), speed, regions, motion).items():
                figures.setdefault(name, []).extend(values.tolist())
            print(f"[{time.strftime('%H:%M:%S')}] round {number + 1} of {rounds}", file=sys.stderr)
    print("| what | volumes | p50, ms | p99, ms | longest, ms |")
    print("|---|---|---|---|---|")  # wall time, but for what says CPU
    for name, found in figures.items():
        ms = 1e3 * np.array(found)
        print(f"| {name} | {len(ms)} | {np.median(ms):.1f} | {np.percentile(ms, 99):.1f} | {ms.max():.1f} |")
    machine = describe_machine()
    print(f"\n{json.dumps(machine)}")
    if out is not None:
        out.write_text(json.dumps({"machine": machine, "seconds": figures}, indent=1), encoding="utf-8")


def _round(mosaics: Path, folder: Path, speed: float, regions: int, motion: bool) -> dict[str, Floats]:
    from tools.emulators.scanner.phantom import ellipsoid_atlas
    from tools.faults.scanner import export_and_listen

    paths = sorted(mosaics.glob("*.dcm"))
    atlas = ellipsoid_atlas(read_images(paths[0])[0].grid)
    if regions > len(atlas.names):
        atlas = cut_smaller(atlas, 3)
    words = ["--volumes", str(mosaics), "--speed", str(speed)]
    found, _, table, truth = export_and_listen(folder, atlas, words, speed, os.environ, motion=motion)
    closed = {line["volume"]: line["closed"] for line in truth if line.get("volume")}
    numbers = {line["stamp"]: line["number"] for line in table if line["what"] == "volume"}
    whole = np.array([local - closed[numbers[stamp]] for stamp, local, _ in found])[WARM:]
    means = RegionMeans(atlas, read_images(paths[0])[0].grid)
    exported = sorted((folder / "export").glob("*.dcm"))
    works: dict[str, Callable[[Path], object]] = {
        "of that: reading and region means": lambda path: means.of(read_images(path)[0].data),
        "floor: the file's bytes read": Path.read_bytes,
        "floor: nibabel's reading and the same means": lambda path: means.of(_nibabel(path)),
    }
    out = {"file closed to region values on LSL": whole}
    for name, work in works.items():
        out[name] = _timed(exported, work)
        out[f"{name} (CPU)"] = _timed(exported, work, time.process_time)
    return out


def _nibabel(path: Path) -> "np.typing.NDArray[np.float32]":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from nibabel.nicom.dicomwrappers import wrapper_from_file

        return np.asarray(wrapper_from_file(str(path)).get_data(), np.float32)


def _timed(
    paths: list[Path], work: Callable[[Path], object], clock: Callable[[], float] = time.perf_counter
) -> Floats:
    out = []
    for path in paths:
        began = clock()
        work(path)
        out.append(clock() - began)
    return np.array(out)[WARM:]


def cut_smaller(atlas: Atlas, parts: int) -> Atlas:
    """An atlas each of whose regions is cut into so many parts along each axis."""
    labels = atlas.labels.astype(np.int64)
    index = np.stack(np.unravel_index(np.arange(labels.size), labels.shape)).reshape(3, *labels.shape)
    cells = [index[axis] * 2 * parts // labels.shape[axis] % parts for axis in range(3)]
    fine = np.where(
        labels > 0, (labels - 1) * parts**3 + cells[0] + parts * cells[1] + parts**2 * cells[2] + 1, 0
    )
    present = [int(number) for number in np.unique(fine) if number]
    names = {number: f"region {number}" for number in present}
    return Atlas(fine.astype(np.int32), atlas.grid, names, "ellipsoid, cut")


def main() -> None:
    """Run."""
    app()


if __name__ == "__main__":
    main()
