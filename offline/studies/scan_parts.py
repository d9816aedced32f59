"""Every scan cut into parts of its own length, so that a person has several rows."""

from dataclasses import replace

import numpy as np

from models.errors import HemostreamError
from offline.scans import Scans

PARTS = 4


def cut(scans: Scans, parts: int = PARTS) -> Scans:
    """Parts of scans as scans of their own, a person's one after another; none overlap.

    Parameters
    ----------
    scans : Scans
        Series, one scan a person.
    parts : int
        Of each scan; volumes that are left over at its end are dropped.

    Returns
    -------
    Scans
        X is (parts * n, n_regions, n_times // parts) float32.

    Raises
    ------
    HemostreamError
        The data are a table, or a scan has fewer volumes than parts.
    """
    if not scans.is_series:
        raise HemostreamError("These data are a table, and only series can be cut into windows.")
    length = scans.n_times // parts
    if length.min() < 1:
        raise HemostreamError(f"A scan has {scans.n_times.min()} volumes; expected {parts} or more.")
    X = np.full((len(scans), parts, scans.X.shape[1], length.max()), np.nan, dtype=np.float32)
    for i, n in enumerate(length.tolist()):
        for part in range(parts):
            X[i, part, :, :n] = scans.X[i, :, part * n : (part + 1) * n]
    whose = np.repeat(np.arange(len(scans)), parts)
    out = scans.rows(whose)
    part_s = length[whose] * out.repetition_time
    start = np.tile(np.arange(parts), len(scans)) * part_s
    return replace(
        out,
        X=X.reshape(len(whose), *X.shape[2:]),
        table=replace(out.table, start=start, stop=start + part_s),
        derivative=f"{scans.derivative}; cut into {parts} parts",
    )
