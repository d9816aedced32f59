"""A cohort: a table (TSV) of recordings and the people behind them.

Columns ``recording`` (a path, relative to the table) and ``person`` (a pseudonym) must be there;
``session``, ``site``, ``age``, ``sex`` and ``together`` (who was measured with whom: one value for all of a
dyad or a family, `offline.base.together`) may be; every other column can serve as a label.

Cells are taken in one form (`offline.base.spelling.canonical`), and a remark says where it changed them.  A
person, site, session or sex that is spelt in two ways that mean one (P01 and p01) is an error.
"""

import csv
import hashlib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.errors import RecipeError
from offline.base.remarks import Remark
from offline.base.spelling import SEXES, canonical, identity
from offline.base.spelt_alike import changed_cells, nearly_alike, refuse_spelt_twice
from realtime.channels.text_values import code_in, is_absent

KNOWN = ("recording", "person", "session", "site", "age", "sex", "together")
PERSONAL = frozenset({"name", "patient_id", "patientid", "surname", "forename", "mrn", "ssn", "dob"})
PERSONAL_PARTS = ("birth", "address", "email", "e-mail", "phone", "surname", "forename")
NAMES_OF_PEOPLE = ("first", "last", "full", "given", "family", "patient", "subject", "participant")
OLDEST = 130.0
"""No age may be greater, years."""
MOST_YEARS = 10.0
"""Sessions of one person lie no further apart."""


@dataclass(frozen=True)
class CohortRow:
    """One recording of one person; what the table does not say is empty, or None.

    Parameters
    ----------
    person : str
        Pseudonym.
    age : float or None
        Years.
    together : str
        The same for all people who were measured together.
    values : mapping
        All other columns: labels.
    line : int
        Where the table has it; 0 where it was made otherwise.
    """

    recording: Path
    person: str
    session: str = ""
    site: str = ""
    age: float | None = None
    sex: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    line: int = field(default=0, compare=False)
    together: str = ""


@dataclass(frozen=True)
class Cohort:
    """All rows of a table, in its order, and what a person should know of it."""

    path: Path
    rows: tuple[CohortRow, ...]
    remarks: tuple[Remark, ...] = ()

    @property
    def people(self) -> tuple[str, ...]:
        """People, in order of first appearance."""
        return tuple(dict.fromkeys(row.person for row in self.rows))

    def described(self) -> dict[str, Any]:
        """How many people, recordings, of which sites, sexes and ages; JSON types, no names."""
        first = {row.person: row for row in reversed(self.rows)}
        ages = [row.age for row in first.values() if row.age is not None]
        return {
            "people": len(first),
            "recordings": len(self.rows),
            "sites": dict(sorted(Counter(row.site for row in first.values() if row.site).items())),
            "sexes": dict(sorted(Counter(row.sex for row in first.values() if row.sex).items())),
            "ages": {"least": min(ages), "mean": sum(ages) / len(ages), "most": max(ages)} if ages else None,
        }

    def content_hash(self) -> str:
        """SHA-256 of the table and of every recording's bytes, hexadecimal; not of where they lie."""
        digest = hashlib.sha256()
        for row in self.rows:
            about: tuple[object, ...] = (row.person, row.session, row.site, row.age, row.sex)
            about += (sorted(row.values.items()), *([row.together] if row.together else []))
            digest.update(repr(about).encode())
            for part in files_of(row.recording):
                digest.update(hashlib.sha256(part.read_bytes()).digest())
        return digest.hexdigest()


def files_of(recording: Path) -> list[Path]:
    """The files of a recording, which may be a folder."""
    every = sorted(recording.rglob("*")) if recording.is_dir() else [recording]
    return [each for each in every if each.is_file()]


def read_cohort(path: str | Path) -> Cohort:
    """Read a cohort's table.

    Raises
    ------
    RecipeError
        The table is missing, empty, lacks a column, names a recording that is not there or twice,
        spells somebody in two ways, or has a column that promises personal data; the message names the line.
    """
    path = Path(path)
    if path.is_dir():
        path = path / "cohort.tsv"
    if not path.is_file():
        raise RecipeError(
            f"There is no cohort table {path}; expected a TSV file with columns recording and person."
        )
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows, changed = _rows(path, file)
    except UnicodeDecodeError as error:
        raise RecipeError(
            f"{path} is not UTF-8 text ({error}). Expected a table (TSV) with columns recording and person; "
            "if it is one, save it as UTF-8."
        ) from error
    except (OSError, csv.Error) as error:
        raise RecipeError(f"{path} cannot be read as a table: {error}.") from error
    if not rows:
        raise RecipeError(f"{path} has no rows; expected one a recording.")
    for column in ("person", "site", "sex", "session"):
        refuse_spelt_twice(path, column, [(getattr(row, column), row.line) for row in rows])
    near = nearly_alike((row.person, row.line) for row in rows)
    near += nearly_alike(((row.site, row.line) for row in rows if row.site), "sites' names")
    return Cohort(path, tuple(rows), (*changed_cells(changed), *near, *_two_in_one(rows)))


def _two_in_one(rows: Iterable[CohortRow]) -> list[Remark]:
    """On codes whose rows can hardly be of one person."""
    first: dict[str, CohortRow] = {}
    found: dict[str, str] = {}
    for row in rows:
        before = first.setdefault(row.person, row)
        if before.sex and row.sex and before.sex != row.sex:
            sexes = f"sex {before.sex} (line {before.line}) and {row.sex} (line {row.line})"
            found.setdefault(row.person, sexes)
        if before.age is not None and row.age is not None and abs(before.age - row.age) > MOST_YEARS:
            ages = f"age {before.age:g} (line {before.line}) and {row.age:g} (line {row.line})"
            found.setdefault(row.person, ages)
    text = "one code has rows that can hardly be of one person; give two people two codes"
    return [Remark(text, detail=f"{person!r}: {what}") for person, what in found.items()]


def _rows(path: Path, file: Iterable[str]) -> tuple[list[CohortRow], list[str]]:
    """The rows, and the cells that were not taken as they stand."""
    # Strict, so that a quote that is never closed is reported instead of swallowing what follows.
    reader = csv.reader(file, delimiter="\t", strict=True)
    columns = [canonical(name) for name in next(reader, [])]
    _check_columns(path, columns)
    rows: list[CohortRow] = []
    changed: list[str] = []
    seen: dict[Path, int] = {}
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        line = reader.line_num
        if len(cells) > len(columns):
            raise RecipeError(
                f"{path}, line {line}: {len(cells)} cells, but {len(columns)} columns; expected one a column."
            )
        plain = [cell.strip() for cell in cells] + [""] * (len(columns) - len(cells))
        texts = [
            text if column == "recording" else canonical(text)
            for column, text in zip(columns, plain, strict=True)
        ]
        changed += [
            f"line {line}, {column} {before!a}"
            for column, before, text in zip(columns, plain, texts, strict=True)
            if before != text
        ]
        row = _row(path, line, dict(zip(columns, texts, strict=True)))
        place = row.recording.resolve()
        if place in seen:
            raise RecipeError(
                f"{path}, line {line}: recording {row.recording.name} stands in line "
                f"{seen[place]} too; expected each once."
            )
        seen[place] = line
        rows.append(row)
    return rows, changed


def _check_columns(path: Path, columns: list[str]) -> None:
    for needed in ("recording", "person"):
        if needed not in columns:
            found = ", ".join(columns) or "nothing"
            raise RecipeError(
                f"{path} has columns {found}; expected 'recording' and 'person', separated by tabs."
            )
    for column in columns:
        if sum(identity(other) == identity(column) for other in columns) > 1:
            raise RecipeError(f"{path} has column {column!r} twice; expected each once.")
        if _is_personal(column):
            raise RecipeError(
                f"{path} has a column {column!r}, which promises personal data; take it out and use "
                "pseudonyms."
            )


def _is_personal(column: str) -> bool:
    """Whether a column's name promises personal data, which has no place in a cohort table."""
    plain = column.lower()
    return (
        plain in PERSONAL
        or any(part in plain for part in PERSONAL_PARTS)
        or ("name" in plain and plain.startswith(NAMES_OF_PEOPLE))
    )


def _row(path: Path, line: int, values: dict[str, str]) -> CohortRow:
    # Labels (all other columns) stay as they stand: a recipe may name one of them "none".
    values = {name: "" if name in KNOWN and is_absent(text) else text for name, text in values.items()}
    for needed in ("recording", "person"):
        if not values[needed]:
            raise RecipeError(
                f"{path}, line {line}: {needed} is empty, or says that it is not known; expected one for "
                "every row, or people could not be distinguished."
            )
    recording = _there(path.parent, values["recording"])
    if recording is None:
        recording = path.parent / values["recording"]
        raise RecipeError(f"{path}, line {line}: there is no recording {recording}.")
    age: float | None = None
    if values.get("age"):
        try:
            age = code_in(values["age"], f"years, 0 to {OLDEST:g}")
        except ValueError as error:
            raise RecipeError(f"{path}, line {line}: age {error}.") from error
        if age is not None and not 0 <= age <= OLDEST:
            raise RecipeError(
                f"{path}, line {line}: age is {values['age']!r}; expected years, 0 to {OLDEST:g}."
            )
    return CohortRow(
        recording=recording,
        person=values["person"],
        session=values.get("session", ""),
        site=values.get("site", ""),
        age=age,
        sex=SEXES.get(values.get("sex", "").lower(), values.get("sex", "")),
        together=values.get("together", ""),
        values={name: value for name, value in values.items() if name not in KNOWN},
        line=line,
    )


def _there(folder: Path, name: str) -> Path | None:
    """The file of that name, however its letters are composed on the disk."""
    forms = (name, canonical(name), *(unicodedata.normalize(form, name) for form in ("NFC", "NFD")))
    return next((folder / form for form in forms if (folder / form).exists()), None)
