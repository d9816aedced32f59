"""Tables of which every column is an array: what those of samples, predictions and features share."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import Field, fields, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from models.files.private import open_private


class ColumnTable:
    """For frozen dataclasses: every field that is an array is a column, of one length; others go along.

    One column is ``person``, (n,) str: whose each row is.
    """

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """The arrays by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, np.ndarray)}

    @property
    def people(self) -> tuple[str, ...]:
        """Whose rows there are, sorted."""
        return tuple(sorted(set(self.columns["person"].tolist())))

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def rows(self, chosen: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> Self:
        """Only these rows, (n,) bool or (m,) intp, in this order; a row may come more than once."""
        return replace(self, **{name: column[chosen] for name, column in self.columns.items()})

    @classmethod
    def concatenate(cls, parts: Sequence[Self]) -> Self:
        """Join tables, at least one, in order."""
        joined = {name: np.concatenate([part.columns[name] for part in parts]) for name in parts[0].columns}
        return replace(parts[0], **joined)


def write_csv(path: Path, columns: Mapping[str, Sequence[object]], *, line_end: str = "\n") -> None:
    """Write columns of equal length under their names, for this user only; a float with all its digits."""
    with open_private(path, newline="") as file:
        writer = csv.writer(file, lineterminator=line_end)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def read_csv(path: Path) -> dict[str, tuple[str, ...]]:
    """Columns of text by name."""
    with path.open(newline="", encoding="utf-8") as file:
        names, *rows = list(csv.reader(file)) or [[]]
    return dict(zip(names, zip(*rows, strict=True) if rows else [()] * len(names), strict=True))
