"""Region series of many people, of different lengths, in one array."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from models.errors import RecordingError
from offline.recordings.series_roles import SeriesTable
from offline.scans.base import Scans

SHORTEST = 240.0
"""Scans shorter than this (s) are declared: correlations only become steady within about five minutes
(Van Dijk et al. 2010, J Neurophysiol 103:297-321).  Nobody is left out for it."""
MOST_NAMED = 12
"""People, or regions of one, that a remark names before it only counts."""


def read_alike(files: Sequence[Path], read: Callable[[Path], SeriesTable]) -> list[SeriesTable]:
    """What each file holds.

    Raises
    ------
    RecordingError
        The columns of one are not those of the first.
    """
    tables: list[SeriesTable] = []
    for file in files:
        tables.append(read(file))
        own, names = tables[-1].names, tables[0].names
        if own != names:
            raise RecordingError(
                f"{file} has {len(own)} columns, {listed(own, 3)}; expected {len(names)} as {files[0].name} "
                f"has, {listed(names, 3)}, in the same order."
            )
    return tables


def stack(
    series: Sequence[Floats], names: Sequence[str], people: Sequence[str]
) -> tuple[npt.NDArray[np.float32], tuple[str, ...]]:
    """Put series side by side; a region that never changes holds no signal and becomes zero.

    Parameters
    ----------
    series : sequence of (n_regions, n_times) float64
        One a person.
    names : sequence of str
        Of regions.
    people : sequence of str
        Whose, for messages.

    Returns
    -------
    (n, n_regions, n_times) float32, tuple of str
        NaN after a scan's own end; who has constant regions, and which.

    Raises
    ------
    RecordingError
        Where a person has another number of regions, or a series has holes.
    """
    lengths = np.array([data.shape[1] for data in series], dtype=np.int64)
    X = np.full((len(series), len(names), int(lengths.max(initial=0))), np.nan, dtype=np.float32)
    constant: dict[str, list[str]] = {}
    for i, (person, data) in enumerate(zip(people, series, strict=True)):
        if len(data) != len(names):
            raise RecordingError(
                f"{person} has {len(data)} regions; expected {len(names)}, as the others have. "
                "All scans must be of one atlas."
            )
        there = np.isfinite(data)
        if (large := np.argwhere(there & (np.abs(data) > np.finfo(np.float32).max))).size:
            region, volume = (int(k) for k in large[0])
            raise RecordingError(
                f"{person}, region {names[region]}, volume {volume + 1} is {data[region, volume]:g}; "
                f"expected a number that float32 can hold ({len(large)} such). Is the file damaged?"
            )
        changes = np.zeros(len(data), dtype=bool)
        changes[there.any(axis=1)] = np.ptp(np.where(there, data, np.nan), axis=1)[there.any(axis=1)] != 0
        if (hole := np.argwhere(~there & changes[:, np.newaxis])).size:
            region, volume = (int(k) for k in hole[0])
            raise RecordingError(
                f"{person}, region {names[region]}, volume {volume + 1} is {data[region, volume]}; expected "
                f"a number ({len(hole)} such). Interpolate the volume or cut the series there."
            )
        if not changes.all():
            constant[person] = [names[k] for k in np.flatnonzero(~changes).tolist()]
        X[i, :, : lengths[i]] = np.where(changes[:, np.newaxis], data, 0.0)
    return X, _constant(constant, len(series))


def short_ones(scans: Scans) -> tuple[str, ...]:
    """A remark on people who were scanned for less than `SHORTEST`, and for how long; none without any."""
    seconds = scans.table.stop
    short = np.flatnonzero(seconds < SHORTEST)
    if not short.size:
        return ()
    named = listed([f"{scans.table.person[i]} ({seconds[i]:.0f} s)" for i in short.tolist()])
    return (f"{short.size} of {len(scans)} people were scanned for less than {SHORTEST:g} s: {named}",)


def listed(names: Sequence[str], most: int = MOST_NAMED) -> str:
    """Names with commas between them, the last ones only counted where they are many."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")


def _constant(constant: Mapping[str, Sequence[str]], n: int) -> tuple[str, ...]:
    if not constant:
        return ()
    # The worst first: whoever lacks half the regions should be seen.
    worst = sorted(constant, key=lambda person: (-len(constant[person]), person))
    named = [
        f"{person} ({len(constant[person])}: {listed(constant[person], 4)})" for person in worst[:MOST_NAMED]
    ] + worst[MOST_NAMED:]
    return (
        f"{len(constant)} of {n} people have regions that never change, set to zero: "
        f"{listed(named, len(named))}",
    )
