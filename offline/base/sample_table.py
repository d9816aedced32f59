"""The sample table: one row for each thing that is learnt from or judged, and whose it is.

A window is a sample; so, later, are a scan and a person.  Whoever divides, trains or judges looks
at this table and nothing else to know what belongs together.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.files.private import open_private


@dataclass(frozen=True, eq=False)
class SampleTable:
    """Samples, one a row; a sample's number is its row.

    Parameters
    ----------
    recording : (n,) str
        Which recording of the cohort each comes from.
    person, session, site : (n,) str
        Whose it is; a session's name is unique only together with the person's.  Empty where the
        cohort does not say.
    start, stop : (n,) float64, s
        What it covers, on the recording's clock: ``[start, stop)``.
    target : (n,) int64
        Its label, as an index.
    """

    recording: npt.NDArray[np.str_]
    person: npt.NDArray[np.str_]
    session: npt.NDArray[np.str_]
    site: npt.NDArray[np.str_]
    start: npt.NDArray[np.float64]
    stop: npt.NDArray[np.float64]
    target: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.target)

    @property
    def people(self) -> tuple[str, ...]:
        """Whose samples there are, sorted."""
        return tuple(sorted(set(self.person.tolist())))

    @property
    def elapsed(self) -> npt.NDArray[np.float64]:
        """Start of each sample since the first sample of its recording, s: (n,) float64."""
        _, whose = np.unique(self.recording, return_inverse=True)
        first = np.full(int(whose.max(initial=-1)) + 1, np.inf)
        np.minimum.at(first, whose, self.start)
        return np.asarray(self.start - first[whose])

    def rows(self, chosen: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> "SampleTable":
        """Only these rows, (n,) intp or bool, in this order."""
        return SampleTable(*(getattr(self, field.name)[chosen] for field in fields(self)))

    @staticmethod
    def concatenate(parts: Sequence["SampleTable"]) -> "SampleTable":
        """Join tables, in order."""
        columns = [[getattr(part, field.name) for part in parts] for field in fields(SampleTable)]
        return SampleTable(*(np.concatenate(column) for column in columns))


def write_table(path: Path, table: SampleTable, labels: Sequence[str]) -> None:
    """Write the table as CSV, times with all their digits and targets by their label's name."""
    names = [field.name for field in fields(table)]
    with open_private(path, newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["sample", *names])
        for i in range(len(table)):
            texts = (table.recording[i], table.person[i], table.session[i], table.site[i])
            times = (repr(float(table.start[i])), repr(float(table.stop[i])))
            writer.writerow([i, *texts, *times, labels[table.target[i]]])
