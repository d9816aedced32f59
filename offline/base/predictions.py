"""The one prediction table: what every condition of an evaluation predicted of samples it had not seen.

Every metric, interval, plot and report is a pure function of this table.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.errors import HemostreamError
from offline.base.columns import ColumnTable, read_csv, write_csv
from offline.base.sample_table import SampleTable
from offline.base.splits import Fold

COLUMNS = ("repeat", "fold", "condition", "sample", "person", "y")
BLOCK_COLUMNS = {"recording": np.str_, "block": np.int64, "event": np.str_, "into_block": np.float64}
"""Those of a block, and their types: all of them or none."""


@dataclass(frozen=True, eq=False)
class Predictions(ColumnTable):
    """Predictions, one row a repeat, sample and condition.

    Parameters
    ----------
    labels : tuple of str
        What the columns of `scores` and the numbers in `y` stand for.
    fold, condition, person : (n,) str
        Whom the fold held out, what predicted, and whose the sample is.
    sample, repeat : (n,) int64
        Row of the sample table; which division of the people into folds, from 0.
    y : (n,) int64
        The true label, as an index into `labels`.
    scores : (n, n_labels) float64
        Probabilities; each row sums to 1.
    recording, block, event, into_block : (n,) str, int64, str, float64, or None
        The block (trial) of each sample, as the sample table has it; None where samples have none.
    together : (n,) str or None
        The unit of each, where people were measured together; no column of the file.
    """

    labels: tuple[str, ...]
    fold: npt.NDArray[np.str_]
    condition: npt.NDArray[np.str_]
    sample: npt.NDArray[np.int64]
    person: npt.NDArray[np.str_]
    y: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float64]
    repeat: npt.NDArray[np.int64]
    recording: npt.NDArray[np.str_] | None = None
    block: npt.NDArray[np.int64] | None = None
    event: npt.NDArray[np.str_] | None = None
    into_block: npt.NDArray[np.float64] | None = None
    together: npt.NDArray[np.str_] | None = None

    @property
    def conditions(self) -> tuple[str, ...]:
        """What predicted, in order of first appearance."""
        return tuple(dict.fromkeys(self.condition.tolist()))

    @property
    def rounds(self) -> npt.NDArray[np.str_]:
        """Repeat and fold of each row, (n,) str: scores of two rounds share no scale."""
        return np.char.add(np.char.add(self.repeat.astype(np.str_), ":"), self.fold)

    def of_condition(self, condition: str) -> "Predictions":
        """Only what this condition predicted."""
        return self.rows(self.condition == condition)

    def of_person(self, person: str) -> "Predictions":
        """Only what was predicted of this person."""
        return self.rows(self.person == person)

    def units(self, people: Sequence[str]) -> npt.NDArray[np.str_] | None:
        """The unit of each of these people, (n,) str; None where nobody was measured together."""
        if self.together is None:
            return None
        unit = dict(zip(self.person.tolist(), self.together.tolist(), strict=True))
        return np.array([unit[person] for person in people])

    @property
    def n_units(self) -> int:
        """How many people there are, or units of people."""
        return len(set((self.person if self.together is None else self.together).tolist()))

    @staticmethod
    def of_fold(
        labels: tuple[str, ...],
        table: SampleTable,
        fold: Fold,
        scores: npt.NDArray[np.float64],
        *,
        condition: str = "",
        repeat: int = 0,
        name: str | None = None,
    ) -> "Predictions":
        """What was predicted of a fold's test samples.

        Parameters
        ----------
        labels, table : tuple of str, SampleTable
            What the columns of ``scores`` and the table's targets stand for; all samples.
        scores : (n_test, n_labels) float64
            Probabilities.
        name : str or None
            What the fold is called; None is its own name.
        """
        n = len(fold.test)
        of_block = table.columns if table.block is not None else {}
        return Predictions(
            labels=labels,
            fold=np.full(n, fold.name if name is None else name),
            condition=np.full(n, condition),
            sample=fold.test.astype(np.int64),
            person=table.person[fold.test],
            y=table.target[fold.test],
            scores=scores,
            repeat=np.full(n, repeat, dtype=np.int64),
            **{name: of_block[name][fold.test] for name in BLOCK_COLUMNS if of_block},
            together=None if table.together is None else table.together[fold.test],
        )


def write_predictions(path: Path, table: Predictions) -> None:
    """Write the table as CSV; scores with all their digits, so that reading gives the same table."""
    names = (*COLUMNS, *(BLOCK_COLUMNS if table.block is not None else ()))
    columns = {name: table.columns[name].tolist() for name in names}
    columns["y"] = [table.labels[y] for y in columns["y"]]
    scores = zip(table.labels, table.scores.T.tolist(), strict=True)
    write_csv(path, columns | {f"score:{label}": own for label, own in scores})


def read_predictions(path: Path) -> Predictions:
    """Read what `write_predictions` wrote.

    Raises
    ------
    HemostreamError
        The file's columns are not those of a prediction table.
    """
    columns = read_csv(path)
    head = list(columns)
    scored = [name for name in head if name.startswith("score:")]
    of_block = head[len(COLUMNS) : len(head) - len(scored)]
    if head != [*COLUMNS, *of_block, *scored] or of_block not in ([], list(BLOCK_COLUMNS)):
        raise HemostreamError(
            f"{path.name} has columns {head}; expected {', '.join(COLUMNS)}, with blocks also "
            f"{', '.join(BLOCK_COLUMNS)}, and one score:LABEL for each label."
        )
    labels = tuple(name.removeprefix("score:") for name in scored)
    return Predictions(
        labels,
        repeat=np.array(columns["repeat"], dtype=np.int64),
        fold=np.array(columns["fold"], dtype=np.str_),
        condition=np.array(columns["condition"], dtype=np.str_),
        sample=np.array(columns["sample"], dtype=np.int64),
        person=np.array(columns["person"], dtype=np.str_),
        y=np.array([labels.index(label) for label in columns["y"]], dtype=np.int64),
        scores=np.array([columns[name] for name in scored], dtype=np.float64).T.copy(),
        **{name: np.array(columns[name], dtype=BLOCK_COLUMNS[name]) for name in of_block},
    )
