"""Every scan cut into parts of its own length, so that a person has several rows."""

from dataclasses import replace

import numpy as np

from models.errors import HemostreamError
from offline.scans import Scans

PARTS = 4


def cut(scans: Scans, parts: int = PARTS) -> Scans:
    """Parts of series as scans of their own, a person's one after another; none overlap.

    Volumes that are left over at a scan's end are dropped.  X is (parts * n, n_regions, n_times // parts).

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
    whose, part = np.divmod(np.arange(len(scans) * parts), parts)
    out, length = scans.rows(whose), length[whose]
    X = np.full((len(whose), scans.X.shape[1], length.max()), np.nan, dtype=np.float32)
    for i, n in enumerate(length.tolist()):
        X[i, :, :n] = out.X[i, :, part[i] * n : (part[i] + 1) * n]
    part_s = length * out.repetition_time
    return replace(
        out,
        X=X,
        table=replace(out.table, start=part * part_s, stop=part * part_s + part_s),
        derivative=f"{scans.derivative}; cut into {parts} parts",
    )
