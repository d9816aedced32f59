"""Small series of a scanner for tests."""

from collections.abc import Sequence
from functools import cache

import numpy as np

from tools.emulators.scanner.formats import FORMATS
from tools.emulators.scanner.images import ExportedSeries, ExportedVolume
from tools.emulators.scanner.phantom import Phantom, block_signals, ellipsoid_atlas, head_grid, slow_moves

SERIES = ExportedSeries("1.2.826.0.1.7", 7, "run one", 1.5)
GRID = head_grid((12, 10, 7), 16.0)
ATLAS = ellipsoid_atlas(GRID)


@cache
def volumes(count: int = 12) -> tuple[ExportedVolume, ...]:
    """A run of so many volumes."""
    signals, moves = block_signals(8, count, SERIES.tr), slow_moves(count, 0.0, 0.0)
    return tuple(Phantom(ATLAS, GRID).run(signals, moves, SERIES.tr))


def files(form: str, which: Sequence[ExportedVolume], series: ExportedSeries = SERIES) -> dict[str, bytes]:
    """Names and contents of volumes."""
    out: dict[str, bytes] = {}
    for volume in which:
        contents = FORMATS[form].write(series, volume)
        out |= dict(zip(FORMATS[form].names(series, volume.number, len(contents)), contents, strict=True))
    return out


def stored(volume: ExportedVolume, form: str) -> np.ndarray:
    """What a reader gets of a volume."""
    if form.startswith("nifti"):
        return np.rint(volume.data / 0.5) * np.float32(0.5)
    return volume.stored.astype(np.float32)
