"""What an emulated scanner sees: volumes of a folder, of a recording of regions, or simulated (`Phantom`)."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from models.arrays import Floats
from models.errors import HemostreamError, VolumeError
from realtime.signal import Kind
from realtime.sources.recording import Recording
from realtime.sources.scanner.intake import Intake, natural
from realtime.sources.scanner.series import OrderedVolume
from realtime.volumes.atlas import Atlas
from tools.emulators.scanner.images import ExportedVolume
from tools.emulators.scanner.phantom import BEGAN


def volumes_of_folder(folder: Path) -> Iterator[OrderedVolume]:
    """The volumes of a folder's first series, in order.

    Raises
    ------
    VolumeError
        There is none.
    """
    intake = Intake(joined=True)
    series, found = "", 0
    paths = [path for path in folder.iterdir() if path.is_file()] if folder.is_dir() else []
    for path in sorted(paths, key=natural):
        intake.take(path, 0.0)
        for happening in intake.due(0.0):
            if isinstance(happening, OrderedVolume) and series in ("", happening.image.series):
                series, found = happening.image.series, found + 1
                yield happening
    for happening in intake.due(1e9):
        if isinstance(happening, OrderedVolume) and happening.image.series == series:
            found += 1
            yield happening
    if not found:
        raise VolumeError(f"{folder} holds no volumes; expected DICOM or NIfTI of one series (--volumes).")


def exported(found: Iterator[OrderedVolume], tr: float) -> Iterator[ExportedVolume]:
    """Volumes that were read, to be written again."""
    for index, one in enumerate(found):
        image = one.image
        acquired = BEGAN + index * tr if image.acquired is None else image.acquired
        yield ExportedVolume(image.data, image.grid, index + 1, acquired, {"of": one.file})


def signals_of(recording: Recording, atlas: Atlas) -> tuple[Floats, float]:
    """What a recording of regions says of each region of an atlas: (n_regions, n_volumes) float64 percent,
    and its
    TR (s).

    Regions go by name, else by their order; a series in arbitrary units is a part of its own mean, or of ten
    standard deviations where it has none.

    Raises
    ------
    HemostreamError
        It is no recording of regions, or has fewer than the atlas.
    """
    spec = recording.spec
    if spec.kinds != (Kind.BOLD,) or not spec.rate:
        kinds = ", ".join(spec.kinds)
        raise HemostreamError(f"{recording.name} has channels of kind {kinds}; expected region signals.")
    names = list(atlas.names.values())
    rows = [spec.names.index(n) for n in names] if set(names) <= set(spec.names) else list(range(len(names)))
    if len(rows) > len(spec):
        raise HemostreamError(
            f"{recording.name} has {len(spec)} regions, atlas {atlas.title!r} has {len(names)}; expected "
            f"as many."
        )
    data = np.where(recording.missing, np.nan, recording.data)[rows]
    out = np.zeros_like(data)
    for row, values in enumerate(data):
        known = values[np.isfinite(values)]
        if not len(known):
            continue
        if spec.channels[rows[row]].unit == "percent":
            out[row] = values
            continue
        mean, spread = float(known.mean()), float(known.std())
        scale = mean if mean > 5 * spread else 10 * spread
        out[row] = 100 * (values - mean) / scale if scale > 0 else 0.0
    return np.nan_to_num(out), 1.0 / spec.rate


def renumbered(volumes: Iterator[ExportedVolume], most: int | None) -> Iterator[ExportedVolume]:
    """The first so many, counted from 1."""
    for index, volume in enumerate(volumes):
        if most is not None and index >= most:
            return
        yield replace(volume, number=index + 1)
