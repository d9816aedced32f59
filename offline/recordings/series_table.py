"""A table of region signals as text, in the dialects that programs write: which of its columns are regions.

C-PAC and AFNI mark the header or comments with ``#``; pandas adds an index without a name and numbers columns
that have none; R's header is one name short and its names stand in quotes; Excel in much of Europe writes
decimal commas.  A column that counts volumes, or holds their times, is no region: it is ignored, and a
remark says so.  Where a table could mean two things it is refused, and the message says what to write.
"""

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from models.arrays import Floats
from models.errors import RecordingError
from offline.recordings.series_roles import FEWEST, SeriesTable, counts, regions_of
from realtime.channels.text_values import has_decimal_comma, is_absent

FEW_WHOLE = 0.05
"""Part of the cells of measured signals that may be whole numbers by chance."""
COMMENTS = ("#", "%", "//")
"""How a line begins that is no volume."""
_NUMBER = re.compile(
    r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|[+-]?(nan|inf|infinity)", re.IGNORECASE
)
_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}")
_MOST_SHOWN = 60
_QUOTED = re.compile(r'"((?:[^"]|"")*)"|(\S+)')


class _Row(NamedTuple):
    line: int
    cells: list[str]


def read_table(path: Path) -> SeriesTable:
    """Read a table of a row for each volume and a column for each region, whatever stands between.

    Raises
    ------
    RecordingError
        Where it is no table of numbers, or could mean two things; the message names the line.
    """
    comments, rows, separator = _rows(path)
    header: list[str] | None = None
    where = str(path)
    if rows and (not _is_data(rows[0].cells) or _is_numbered(rows, path)):
        where = f"{path}, line {rows[0].line} ({' '.join(rows[0].cells)[:_MOST_SHOWN]!r})"
        header = rows.pop(0).cells
    width = _width(path, rows)
    weak = header is None  # a comment may have as many words as there are columns
    if header is None:
        header = _marked_header(comments, width, separator)
    if header is not None and len(header) == width - 1 and width > 1 and separator in ("", "\t", ";"):
        header = ["", *header]  # as R writes the names of rows
    if header is not None and len(header) != width:
        split = separator == "," and width == 2 * len(header)
        advice = " Are there decimal commas? Write points." if split else ""
        raise RecordingError(f"{where} names {len(header)} regions and has {width} columns.{advice}")
    data, commas = _numbers(path, rows, separator, named=header is not None)
    remarks = ["decimal commas were read as points"] if commas else []
    return regions_of(path, header, data, weak=weak, remarks=remarks)


def _rows(path: Path) -> tuple[list[str], list[_Row], str]:
    """Comments that stand before the table, its rows, and what stands between columns."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise RecordingError(
            f"{path} is no text in UTF-8; expected a table of region signals. Save it as UTF-8."
        ) from error
    except OSError as error:
        raise RecordingError(f"{path} cannot be read: {error.strerror}.") from error
    numbered = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    content = [(number, line) for number, line in numbered if not line.lstrip().startswith(COMMENTS)]
    first = content[0][0] if content else len(lines) + 1
    comments = [line for number, line in numbered if line.lstrip().startswith(COMMENTS) and number < first]
    separator = _separator([line for _, line in content])
    try:
        rows = [_Row(number, _cells(line, separator)) for number, line in content]
    except csv.Error as error:
        raise RecordingError(f"{path} is no table of region signals: {error}.") from error
    # A separator at the end of every line closes it; of some lines, the last cell is empty.
    if separator and all(len(row.cells) > 1 and row.cells[-1] == "" for row in rows):
        rows = [_Row(row.line, row.cells[:-1]) for row in rows]
    return comments, rows, separator


def _separator(lines: Sequence[str]) -> str:
    """What stands between columns everywhere; empty for spaces."""
    volumes = lines[1:] or lines  # a line of one name, the header of a single region, has none
    for separator in ("\t", ";", ","):
        if lines and all(separator in line for line in volumes):
            one_name = "," not in lines[0] and all(map(has_decimal_comma, lines[1:]))
            decimal = separator == "," and (one_name or all(map(_are_comma_numbers, volumes)))
            return "" if decimal else separator
    return next((separator for separator in ("\t", ",", ";") if any(separator in line for line in lines)), "")


def _are_comma_numbers(line: str) -> bool:
    """Whether a line is numbers with decimal commas and spaces between them, more than one or quoted."""
    cells = [match[1] or match[2] or "" for match in _QUOTED.finditer(line)]
    return len(cells) > 1 and all(has_decimal_comma(cell) or _is_plain(cell) for cell in cells)


def _cells(line: str, separator: str) -> list[str]:
    if not separator:
        return [(match[1] if match[2] is None else match[2]).strip() for match in _QUOTED.finditer(line)]
    return [cell.strip() for cell in next(csv.reader([line.strip("\r\n")], delimiter=separator))]


def _words(comment: str, separator: str) -> list[str]:
    """The words of a comment, where they could be names."""
    if not separator or separator not in comment:
        return _cells(comment, "")
    return [word.strip() for word in comment.split(separator)]


def _is_data(cells: Sequence[str]) -> bool:
    """Whether all cells are numbers, or say that they are not known."""
    return all(is_absent(cell) or _is_number(cell) for cell in cells)


def _is_stated(word: str) -> bool:
    """Whether a word of a comment tells a number or an attribute (``TR = 2``), and names no region."""
    return _is_data([word]) or "=" in word or word.endswith(":")


def _is_plain(cell: str) -> bool:
    return bool(_NUMBER.fullmatch(cell))


def _is_number(cell: str) -> bool:
    return _is_plain(cell) or has_decimal_comma(cell)


def _is_numbered(rows: Sequence[_Row], path: Path) -> bool:
    """Whether the first row is a header of numbers, as pandas writes for columns without names.

    Its cells are whole and differ, and hardly any cell below is whole in a column that changes.
    """
    first, others = rows[0].cells, rows[1:]
    named = first if first[0] else first[1:]  # above an index there is no name
    if not others or not named or not all(map(_is_plain, named)):
        return False
    labels = [float(cell) for cell in named]
    if not all(map(_is_whole, named)) or min(labels) < 0 or len(set(labels)) < len(labels):
        return False
    if not first[0] and counts(np.array([_value(row.cells[0]) for row in others])):
        return True
    counted = np.array_equal(labels, labels[0] + np.arange(len(labels))) and labels[0] in (0, 1)
    whole = _share_of_whole([row.cells[-len(named) :] for row in others if len(row.cells) >= len(named)])
    if whole <= FEW_WHOLE:
        sure = len(labels) > 1 and (counted or not any("." in cell for cell in named))
        if not sure and len(others) >= FEWEST:
            raise _two_meanings(path, rows[0].line, named)
        return sure
    # Whole numbers all over: it is a volume, unless it counts, and then it cannot be known.
    if counted and (len(labels) > 2 or labels == [0, 1]) and len(others) >= FEWEST:
        raise _two_meanings(path, rows[0].line, named)
    return False


def _share_of_whole(below: Sequence[Sequence[str]]) -> float:
    """Of the cells in columns that change, how many are whole."""
    changing = [cells for cells in zip(*below, strict=False) if len(set(cells)) > 1 or len(cells) == 1]
    every = [_is_whole(cell) for cells in changing for cell in cells if not is_absent(cell)]
    return sum(every) / len(every) if every else 1.0


def _two_meanings(path: Path, line: int, named: Sequence[str]) -> RecordingError:
    return RecordingError(
        f"{path}, line {line} is {', '.join(named[:4])}: it could number the regions or be a volume. Give "
        "the regions names (region 1, region 2 ...), or write the volume with as many decimals as the others."
    )


def _value(cell: str) -> float:
    return float(cell.replace(",", ".")) if _is_number(cell) else np.nan


def _is_whole(cell: str) -> bool:
    plain = cell.replace(",", ".")
    return _is_plain(plain) and np.isfinite(float(plain)) and float(plain) == np.floor(float(plain))


def _width(path: Path, rows: Sequence[_Row]) -> int:
    if not rows:
        raise RecordingError(f"{path} holds no volumes; expected a table of region signals.")
    width = len(rows[0].cells)
    for row in rows:
        if len(row.cells) != width:
            raise RecordingError(
                f"{path}, line {row.line} has {len(row.cells)} columns; expected {width} (is it cut off?)."
            )
    return width


def _marked_header(comments: Sequence[str], width: int, separator: str) -> list[str] | None:
    """Names that stand in the last comment before the table, where it has as many words as columns.

    C-PAC marks every name (``#1  #2``: kept as they stand), others the line (``# a b``).
    """
    for line in reversed(comments):
        words = _words(line, separator)
        if len(words) == width and all(len(word) > 1 and word.startswith("#") for word in words):
            return words
        words = _words(line.lstrip().lstrip("".join(COMMENTS)).strip(), separator)
        if len(words) == width and not any(" " in word or _is_stated(word) for word in words):
            return words
    return None


def _numbers(path: Path, rows: Sequence[_Row], separator: str, *, named: bool) -> tuple[Floats, bool]:
    """(n_columns, n_volumes) float64, and whether decimal commas stand in it."""
    every = [cell for row in rows for cell in row.cells]
    commas = any(map(has_decimal_comma, every))
    if separator == "," and not commas and not named:
        _refuse_split_numbers(path, rows)
    for row in rows:
        for column, cell in enumerate(row.cells, start=1):
            if not _is_data([cell]):
                raise RecordingError(
                    f"{path}, line {row.line}, column {column} is {cell[:_MOST_SHOWN]!r}; expected a number "
                    "of a region series."
                )
    data = np.array([[_value(cell) for cell in row.cells] for row in rows]).T.copy()
    with_comma = next(filter(has_decimal_comma, every), "")
    if commas and any("." in cell for cell in every if _is_plain(cell) and not is_absent(cell)):
        raise RecordingError(
            f"{path} writes {with_comma!r} with a decimal comma, and other numbers with a point; expected "
            "one of the two."
        )
    if commas and _may_be_thousands([[row.cells[k] for row in rows] for k in range(len(data))]):
        raise RecordingError(
            f"{path} writes {with_comma!r}, which could be a number with a decimal comma, or thousands; "
            "expected decimal points, and nothing between thousands."
        )
    return data, commas


def _may_be_thousands(columns: Sequence[Sequence[str]]) -> bool:
    """Whether commas may stand between thousands: three digits behind each, and whole numbers around them."""
    with_commas = [column for column in columns if any(map(has_decimal_comma, column))]
    cells = [cell for column in with_commas for cell in column]
    return all(_THOUSANDS.fullmatch(cell) for cell in cells if has_decimal_comma(cell)) and any(
        _is_plain(cell) and _is_whole(cell) for cell in cells
    )


def _refuse_split_numbers(path: Path, rows: Sequence[_Row]) -> None:
    """Refuse what could be decimal commas without another separator: ``0,1257`` is one region, or two."""
    cells = [cell for row in rows for cell in row.cells]
    if len(rows[0].cells) > 1 and all(re.fullmatch(r"[+-]?[0-9]+([eE][+-]?[0-9]+)?", cell) for cell in cells):
        shown = ",".join(rows[0].cells[:2])
        raise RecordingError(
            f"{path}, line {rows[0].line} has {shown!r}: it could be a number with a decimal comma, or two "
            "numbers. Write decimal points, or name the regions in the first line."
        )
