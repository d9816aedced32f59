"""The one prediction table: what every condition of an evaluation said of every sample it had never seen.

Every metric, interval, plot and report is a pure function of this table.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.errors import HemostreamError
from models.files.private import open_private
from offline.base.sample_table import SampleTable
from offline.base.splits import Fold

COLUMNS = ("repeat", "fold", "condition", "sample", "person", "y")


@dataclass(frozen=True, eq=False)
class Predictions:
    """Predictions, one row a repeat, sample and condition.

    Parameters
    ----------
    labels : tuple of str
        What the columns of `scores` and the numbers in `y` stand for.
    fold, condition : (n,) str
        Whom the fold held out, and what predicted.
    sample : (n,) int64
        Row of the sample table.
    person : (n,) str
        Whose the sample is.
    y : (n,) int64
        The true label, as an index into `labels`.
    scores : (n, n_labels) float64
        Probabilities; each row sums to 1.
    repeat : (n,) int64
        Which division of the people into folds, from 0.
    """

    labels: tuple[str, ...]
    fold: npt.NDArray[np.str_]
    condition: npt.NDArray[np.str_]
    sample: npt.NDArray[np.int64]
    person: npt.NDArray[np.str_]
    y: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float64]
    repeat: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.y)

    @property
    def conditions(self) -> tuple[str, ...]:
        """What predicted, in order of first appearance."""
        return tuple(dict.fromkeys(self.condition.tolist()))

    @property
    def people(self) -> tuple[str, ...]:
        """Whose samples were judged, sorted."""
        return tuple(sorted(set(self.person.tolist())))

    @property
    def rounds(self) -> npt.NDArray[np.str_]:
        """Repeat and fold of each row, (n,) str: scores of two rounds share no scale."""
        return np.char.add(np.char.add(self.repeat.astype(np.str_), ":"), self.fold)

    def rows(self, chosen: npt.NDArray[np.bool_]) -> "Predictions":
        """Only the rows where ``chosen``, (n,) bool, is true."""
        return Predictions(self.labels, **{name: getattr(self, name)[chosen] for name in _ROWS})

    def take(self, rows: npt.NDArray[np.intp]) -> "Predictions":
        """These rows, (m,) intp, in this order; a row may come more than once."""
        return Predictions(self.labels, **{name: getattr(self, name)[rows] for name in _ROWS})

    def of_condition(self, condition: str) -> "Predictions":
        """Only what this condition predicted."""
        return self.rows(self.condition == condition)

    def of_person(self, person: str) -> "Predictions":
        """Only what was predicted of this person."""
        return self.rows(self.person == person)

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
        labels : tuple of str
            What the columns of ``scores`` and the table's targets stand for.
        table : SampleTable
            All samples, with the labels to compare with.
        fold : Fold
            Its test samples were predicted.
        scores : (n_test, n_labels) float64
            Probabilities.
        condition : str
            What predicted.
        repeat : int
            Which division into folds.
        name : str or None
            What the fold is called; None is its own name.
        """
        n = len(fold.test)
        return Predictions(
            labels=labels,
            fold=np.full(n, fold.name if name is None else name),
            condition=np.full(n, condition),
            sample=fold.test.astype(np.int64),
            person=table.person[fold.test],
            y=table.target[fold.test],
            scores=scores,
            repeat=np.full(n, repeat, dtype=np.int64),
        )

    @staticmethod
    def concatenate(parts: Sequence["Predictions"]) -> "Predictions":
        """Join tables of the same labels, in order."""
        return Predictions(
            parts[0].labels,
            **{name: np.concatenate([getattr(part, name) for part in parts]) for name in _ROWS},
        )


_ROWS = tuple(field.name for field in fields(Predictions) if field.name != "labels")


def write_predictions(path: Path, table: Predictions) -> None:
    """Write the table as CSV; scores with all their digits, so that reading gives the same table."""
    with open_private(path, newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*COLUMNS, *(f"score:{label}" for label in table.labels)])
        for i in range(len(table)):
            row = (
                table.fold[i],
                table.condition[i],
                table.sample[i],
                table.person[i],
                table.labels[table.y[i]],
            )
            writer.writerow([table.repeat[i], *row, *(repr(float(score)) for score in table.scores[i])])


def read_predictions(path: Path) -> Predictions:
    """Read what `write_predictions` wrote.

    Raises
    ------
    HemostreamError
        The file's columns are not those of a prediction table.
    """
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.reader(file)
        header = next(reader, [])
        n = len(COLUMNS)
        if tuple(header[:n]) != COLUMNS or not all(name.startswith("score:") for name in header[n:]):
            raise HemostreamError(
                f"{path.name} has columns {header}; expected {', '.join(COLUMNS)} "
                "and one score:LABEL for each label."
            )
        labels = tuple(name.removeprefix("score:") for name in header[n:])
        rows = list(reader)
    return Predictions(
        labels,
        repeat=np.array([int(row[0]) for row in rows], dtype=np.int64),
        fold=np.array([row[1] for row in rows], dtype=np.str_),
        condition=np.array([row[2] for row in rows], dtype=np.str_),
        sample=np.array([int(row[3]) for row in rows], dtype=np.int64),
        person=np.array([row[4] for row in rows], dtype=np.str_),
        y=np.array([labels.index(row[5]) for row in rows], dtype=np.int64),
        scores=np.array([[float(value) for value in row[n:]] for row in rows], dtype=np.float64).reshape(
            len(rows), len(labels)
        ),
    )
