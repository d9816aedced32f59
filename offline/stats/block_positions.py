"""Which block of a recording each sample is of, and the label of every block there: positions in a session.

A position is a block's number in its recording (its person, where no recording holds two labels): as the
table has it, or else a run of windows of one label with no long pause in it.
"""

from collections import Counter

import numpy as np
import numpy.typing as npt

from offline.base.sample_table import SampleTable
from offline.stats.permutation import Labels, block_unit

Positions = npt.NDArray[np.intp]

PAUSE = 5
"""A pause of so many steps between windows (and longer than a window and a step) ends a block."""


def block_positions(table: SampleTable) -> tuple[Positions, Positions, Labels] | None:
    """Recordings with as many blocks as most, and where each sample lies in its own.

    Returns
    -------
    unit, position : (n,) intp
        Whose each sample is, and its block's number there, from 0; those with another number of blocks last.
    orders : (n_units, n_positions) int64
        The label of each block, of the others.  None in place of all where there are not two such, of two
        blocks or more.
    """
    within = block_unit(table)
    _, unit = np.unique(within, return_inverse=True)
    numbered = "block" in table.columns and np.array_equal(within, table.recording)
    block = _numbered(table) if numbered else _blocks(table, unit)
    counts, present = np.zeros((2, int(unit.max()) + 1), dtype=np.int64)
    np.maximum.at(counts, unit, block + 1)
    np.add.at(present, np.unique(np.stack([unit, block]), axis=1)[0], 1)
    often = Counter(counts.tolist())
    most = max(often, key=lambda number: (often[number], number))
    # Where blocks have numbers one that was lost leaves a place, else it moves all that follow.
    in_line = (counts <= most) & (2 * present > most) if numbered else counts == most
    if most < 2 or in_line.sum() < 2:
        return None
    unit = np.argsort(np.argsort(~in_line, kind="stable"), kind="stable")[unit]
    orders = np.full((int(in_line.sum()), most), -1, dtype=np.int64)
    here = unit < len(orders)
    orders[unit[here], block[here]] = table.target[here]
    orders = _filled(orders)
    return unit, block, orders


def _numbered(table: SampleTable) -> Positions:
    """Number of each sample's block, (n,) intp, among those of which anybody has a window."""
    return np.asarray(np.unique(table.columns["block"], return_inverse=True)[1], dtype=np.intp)


def _filled(orders: Labels) -> Labels:
    """Blocks that somebody lost (-1) with the label that most others have at the position.

    A position at which nobody in line has a window takes its neighbour's.
    """
    out = orders.copy()
    for k in range(orders.shape[1]):
        known = orders[:, k][orders[:, k] >= 0]
        most = Counter(known.tolist()).most_common(1)[0][0] if len(known) else out[0, max(k - 1, 0)]
        out[:, k] = np.where(orders[:, k] < 0, most, orders[:, k])
    return out


def _blocks(table: SampleTable, unit: Positions) -> Positions:
    """Number of each sample's block in its unit, (n,) intp, from 0."""
    _, recording = np.unique(table.recording, return_inverse=True)
    rows = np.lexsort((table.start, recording, unit))
    apart = np.diff(table.start[rows])
    another = (np.diff(unit[rows]) != 0) | (np.diff(recording[rows]) != 0)
    steps = apart[~another & (apart > 0)]
    step = float(np.median(steps)) if len(steps) else 0.0
    longest = max(PAUSE * step, step + float(np.median(table.stop - table.start)))
    new = another | (np.diff(table.target[rows]) != 0) | (apart > longest + 1e-6)
    number = np.concatenate([[0], np.cumsum(new)])
    out = np.empty(len(rows), dtype=np.intp)
    out[rows] = number
    first = np.full(int(unit.max()) + 1, len(rows), dtype=np.int64)
    np.minimum.at(first, unit, out)
    return np.asarray(out - first[unit], dtype=np.intp)
