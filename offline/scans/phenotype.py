"""A phenotype table: who was scanned, what they were found to have, and what else is known of them.

Comma, tab or semicolon stand between columns.  What a table does not know it says in one of many ways
(`realtime.channels.text_values`), and -9999 must not be taken for an age.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from models.errors import RecipeError, RecordingError, near_match
from offline.base.spelling import canonical
from offline.base.spelt_alike import refuse_spelt_twice
from offline.scans.regions import listed
from realtime.channels.text_values import code_in

Texts = npt.NDArray[np.str_]


@dataclass(frozen=True)
class Phenotypes:
    """A table as read, every cell a text without spaces around it; path and lines are for messages."""

    path: Path
    columns: Mapping[str, tuple[str, ...]]
    """Cells of each column, from above."""
    lines: tuple[int, ...]
    """Line in the file of each row."""

    def __len__(self) -> int:
        return len(self.lines)

    def __contains__(self, name: str) -> bool:
        return name in self.columns

    def texts(self, name: str, *, needed: bool = True) -> Texts:
        """A column as it stands, (n,) str; empty where the table says that it does not know.

        Raises
        ------
        RecipeError
            Where there is no such column although it is needed; the message names those that there are.
        """
        if name not in self.columns:
            if not needed:
                return np.full(len(self), "", dtype=str)
            raise RecipeError(f"{self.path} has no column {name!r}. {near_match(name, self.columns)}")
        return np.array(["" if _absent(cell) else cell for cell in self.columns[name]], dtype=str)

    def numbers(self, name: str, *, needed: bool = True) -> Floats:
        """A column of numbers, (n,) float64; NaN where the table does not know.

        Raises
        ------
        RecipeError
            Where a cell is neither a number nor one of the ways to say that it is not known.
        """
        values = np.full(len(self), np.nan)
        for i, cell in enumerate(self.texts(name, needed=needed).tolist()):
            if not cell:
                continue
            try:
                number = code_in(cell)
            except ValueError as error:
                raise RecipeError(f"{self.path}, line {self.lines[i]}: {name} {error}.") from error
            values[i] = np.nan if number is None else number
        return values

    def coded(self, name: str, codes: Mapping[str, str], *, needed: bool = True) -> Texts:
        """A column of codes (in lower case) by what they mean, (n,) str; empty where the table does not know.

        Raises
        ------
        RecipeError
            Where a code is none of these.
        """
        meant = []
        for i, cell in enumerate(self.texts(name, needed=needed).tolist()):
            known = codes.get(_plain(cell), "" if not cell else None)
            if known is None:
                expected = ", ".join(f"{code} ({meaning})" for code, meaning in codes.items())
                raise RecipeError(
                    f"{self.path}, line {self.lines[i]}: {name} is {cell!r}; expected one of {expected}."
                )
            meant.append(known)
        return np.array(meant, dtype=str)

    def rows(self, chosen: Sequence[int] | npt.NDArray[np.intp]) -> "Phenotypes":
        """Only these rows, (m,) intp, in this order."""
        picked = [int(i) for i in chosen]
        columns = {name: tuple(cells[i] for i in picked) for name, cells in self.columns.items()}
        return Phenotypes(self.path, columns, tuple(self.lines[i] for i in picked))

    def of_people(self, people: Sequence[str], name: str) -> "Phenotypes":
        """The rows of these people in their order, by the column that says whose they are.

        Raises
        ------
        RecordingError
            Somebody has no row.
        """
        self.once(name)
        place = {person: i for i, person in enumerate(self.texts(name).tolist())}
        if lacking := [person for person in people if person not in place]:
            raise RecordingError(
                f"{self.path} has no row for {len(lacking)} of {len(people)} people: {listed(lacking)}."
            )
        return self.rows([place[person] for person in people])

    def features(self, person: str) -> tuple[tuple[str, ...], Floats]:
        """Names and numbers, (n, n_features) float64, of all columns but the one that says whose they are.

        Raises
        ------
        RecordingError
            There is no other column, or a number is not known.
        """
        names = tuple(name for name in self.columns if name != person)
        if not names:
            raise RecordingError(f"{self.path} has no column but {person!r}; expected features.")
        X = np.stack([self.numbers(name) for name in names], axis=1)
        if (holes := np.argwhere(~np.isfinite(X))).size:
            i, k = (int(each) for each in holes[0])
            raise RecordingError(
                f"{self.path}, line {self.lines[i]}: {names[k]} is not known ({len(holes)} such); expected a "
                "number for everybody. Leave the column or the person out."
            )
        return names, X

    def once(self, name: str) -> None:
        """Refuse a table in which two rows have the same value in a column that says whose they are."""
        seen: dict[str, int] = {}
        rows = list(zip(self.texts(name).tolist(), self.lines, strict=True))
        refuse_spelt_twice(self.path, name, rows)
        for cell, line in rows:
            if not cell:
                raise RecipeError(f"{self.path}, line {line}: {name} is empty; expected a pseudonym.")
            if cell in seen:
                raise RecipeError(
                    f"{self.path}, line {line}: {name} {cell!r} stands in line {seen[cell]} too; expected "
                    "one scan a person. Keep the better of the two, or give two people two names."
                )
            seen[cell] = line


def read_phenotypes(path: Path) -> Phenotypes:
    """Read a table of text: commas, tabs or semicolons between columns, whose names stand in the first line.

    Raises
    ------
    RecipeError
        Where there is no such file, or it is no table; the message names the line.
    """
    if not path.is_file():
        raise RecipeError(f"There is no phenotype table {path}.")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise RecipeError(f"{path} is not UTF-8 text ({error.reason}); save the table as UTF-8.") from error
    except OSError as error:
        raise RecipeError(f"{path} cannot be read: {error.strerror}.") from error
    first = text.partition("\n")[0]
    separator = next((each for each in ("\t", ";") if each in first), ",")
    reader = csv.reader(text.splitlines(), delimiter=separator, strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    try:
        names = [canonical(name) for name in next(reader, [])]
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(names):
                raise RecipeError(
                    f"{path}, line {reader.line_num}: {len(cells)} cells, but {len(names)} columns; expected "
                    "one a column (is the file cut off?)."
                )
            rows.append(
                [
                    cell.strip() if name == "file" else canonical(cell)
                    for name, cell in zip(names, cells, strict=True)
                ]
            )
            lines.append(reader.line_num)
    except csv.Error as error:
        raise RecipeError(f"{path}, line {reader.line_num}: {error}.") from error
    for name in names:
        if names.count(name) > 1:
            raise RecipeError(f"{path} has a column {name!r} twice; expected each once.")
    if not rows:
        raise RecipeError(f"{path} has no rows; expected a header and one row a person.")
    columns = dict(zip(names, zip(*rows, strict=True), strict=True))
    return Phenotypes(path, columns, tuple(lines))


def as_number(cell: str) -> float | None:
    """The finite number that a cell holds, NaN where it is a code for nothing; None where it is no number."""
    try:
        value = code_in(cell)
    except ValueError:
        return None
    return float("nan") if value is None else value


def _absent(cell: str) -> bool:
    number = as_number(cell)
    return number is not None and bool(np.isnan(number))


def _plain(cell: str) -> str:
    """A code in lower case, whole numbers without their point: 1.0 is 1."""
    number = as_number(cell) if cell else None
    if number is not None and np.isfinite(number) and number == int(number):
        return str(int(number))
    return cell.lower()
