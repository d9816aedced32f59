"""The sample table: one row for each thing that is learnt from or predicted, and whose it is.

A window is a sample; so are a scan and a person.  Whoever divides, trains or predicts looks at this
table and nothing else to know what belongs together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from offline.base.columns import ColumnTable, write_csv


@dataclass(frozen=True, eq=False)
class SampleTable(ColumnTable):
    """Samples, one a row; a sample's number is its row.

    Parameters
    ----------
    recording, person, session, site : (n,) str
        Of the cohort, and whose it is; a session's name is unique only together with the person's.  Empty
        where the cohort does not say.
    start, stop : (n,) float64, s
        What it covers, on the recording's clock: ``[start, stop)``.
    target : (n,) int64
        Its label, as an index.
    block : (n,) int64 or None
        The number of its block (trial) among its recording's, from 0; None where the label is the person's.
    event : (n,) str or None
        The event that began the block.
    into_block : (n,) float64 or None, s
        How much of the block had passed when it ended: `stop` less the block's start.
    together : (n,) str or None
        The `unit` of each, where people were measured together (`offline.base.together`).
    """

    recording: npt.NDArray[np.str_]
    person: npt.NDArray[np.str_]
    session: npt.NDArray[np.str_]
    site: npt.NDArray[np.str_]
    start: npt.NDArray[np.float64]
    stop: npt.NDArray[np.float64]
    target: npt.NDArray[np.int64]
    block: npt.NDArray[np.int64] | None = None
    event: npt.NDArray[np.str_] | None = None
    into_block: npt.NDArray[np.float64] | None = None
    together: npt.NDArray[np.str_] | None = None

    @property
    def unit(self) -> npt.NDArray[np.str_]:
        """What stands on one side of every division, (n,) str: a person, or all measured together."""
        return self.person if self.together is None else self.together

    @property
    def elapsed(self) -> npt.NDArray[np.float64]:
        """Start of each sample since the first sample of its recording, s: (n,) float64."""
        _, whose = np.unique(self.recording, return_inverse=True)
        first = np.full(int(whose.max(initial=-1)) + 1, np.inf)
        np.minimum.at(first, whose, self.start)
        return np.asarray(self.start - first[whose])


def write_table(path: Path, table: SampleTable, labels: Sequence[str]) -> None:
    """Write the table as CSV, times with all their digits and targets by their label's name."""
    columns = {name: column.tolist() for name, column in table.columns.items()}
    columns["target"] = [labels[target] for target in columns["target"]]
    write_csv(path, {"sample": range(len(table)), **columns})
