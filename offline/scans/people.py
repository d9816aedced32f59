"""A user's phenotype table as the columns that scans have, whatever X is made of."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from models.errors import RecipeError
from offline.base.cohort import OLDEST, PERSONAL, PERSONAL_PARTS
from offline.base.remarks import lines_of
from offline.base.sample_table import SampleTable
from offline.base.spelling import SEXES
from offline.base.spelt_alike import nearly_alike, refuse_spelt_twice
from offline.scans.base import Scans
from offline.scans.phenotype import Phenotypes, as_number
from offline.scans.regions import SHORTEST, listed, short_ones
from offline.scans.twice import refuse_same
from realtime.channels.text_values import has_decimal_comma

NEEDED = ("person", "file", "diagnosis")
OPTIONAL = ("session", "site", "age", "sex", "motion", "repetition_time")
CONTROLS = ("td", "tdc", "tc", "hc", "nt", "control", "controls", "typical", "healthy", "0")
"""Diagnoses that say that there is none, in lower case."""
LONGEST_TR = 100.0
"""A repetition time above this (s) was given in milliseconds."""


def check_columns(table: Phenotypes) -> None:
    """Refuse a table that lacks a column that is needed, or promises personal data.

    Raises
    ------
    RecipeError
        With the columns that there are.
    """
    lacking = [name for name in NEEDED if name not in table]
    if lacking:
        raise RecipeError(
            f"{table.path} has columns {listed(list(table.columns))}; expected {', '.join(NEEDED)} "
            f"({', '.join(lacking)} not found), and where known {', '.join(OPTIONAL)}."
        )
    for name in table.columns:
        if name.lower() in PERSONAL or any(part in name.lower() for part in PERSONAL_PARTS):
            raise RecipeError(
                f"{table.path} has a column {name!r}, which promises personal data; take it out."
            )
    table.once("person")


def with_diagnosis(
    table: Phenotypes, labels: Sequence[str] | None
) -> tuple[Phenotypes, tuple[str, ...], npt.NDArray[np.int64], list[str]]:
    """Who has a diagnosis, what the labels are, and each one's.

    Parameters
    ----------
    table : Phenotypes
        With a column ``diagnosis``.
    labels : sequence of str or None
        Diagnoses in order, the controls' first.  None: as found, where one of them is among `CONTROLS`.

    Returns
    -------
    table : Phenotypes
        Without those whose diagnosis is not known.
    labels : tuple of str
        In order.
    target : (n,) int64
        Index into `labels`.
    remarks : list of str
        Who was left out.
    """
    texts = table.texts("diagnosis")
    unknown = table.texts("person")[texts == ""].tolist()
    found = sorted(set(texts.tolist()) - {""})
    if labels is None:
        refuse_spelt_twice(table.path, "diagnosis", zip(texts.tolist(), table.lines, strict=True))
        controls = [name for name in found if name.lower() in CONTROLS]
        if len(controls) != 1 or len(found) < 2:
            raise RecipeError(
                f"{table.path} has the diagnoses {listed(found) or 'none at all'}; expected two or more, one "
                f"of them called like controls ({', '.join(CONTROLS)}). Say labels=(controls, disorder, ...)."
            )
        labels = (controls[0], *(name for name in found if name != controls[0]))
    chosen = table.rows(np.flatnonzero(texts != ""))
    known = chosen.coded("diagnosis", {name.lower(): name for name in labels})
    target = np.array([list(labels).index(name) for name in known.tolist()], dtype=np.int64)
    remarks = [f"{len(unknown)} people left out, no diagnosis: {listed(unknown)}"] if unknown else []
    return chosen, tuple(labels), target, remarks


def scans_of(
    table: Phenotypes,
    labels: Sequence[str],
    target: npt.NDArray[np.int64],
    X: npt.NDArray[np.float32] | Floats,
    names: Sequence[str],
    *,
    n_times: npt.NDArray[np.int64] | None,
    repetition_time: Floats,
    derivative: str,
    remarks: Sequence[str],
    shortest: float = SHORTEST,
) -> Scans:
    """Join the columns of a phenotype table to X.

    Parameters
    ----------
    table : Phenotypes
        A row for each of X.
    labels : sequence of str
        What targets stand for.
    target : (n,) int64
        Index into `labels`.
    X : (n, n_regions, n_times) float32, or (n, n_features) float64
        Series or a table.
    names : sequence of str
        Of regions or features.
    n_times : (n,) int64 or None
        Volumes of each scan, where X is series.
    repetition_time : (n,) float64, s
        As files say it; a column of the table goes before it.
    derivative : str
        What X is.
    remarks : sequence of str
        What is known already.
    shortest : float, s
        Scans shorter than this are named.
    """
    if "site" in table:
        refuse_spelt_twice(table.path, "site", zip(table.texts("site").tolist(), table.lines, strict=True))
    n = len(table)
    seconds = repetition_time
    if "repetition_time" in table:
        column = table.numbers("repetition_time")
        seconds = np.where(np.isfinite(column), column, seconds)
    _within(table, "repetition_time", seconds, 0.01, LONGEST_TR, "seconds (is it in milliseconds?)")
    age = table.numbers("age") if "age" in table else np.full(n, np.nan)
    _within(table, "age", age, 0.0, OLDEST, "years")
    motion = table.numbers("motion") if "motion" in table else np.full(n, np.nan)
    _within(table, "motion", motion, 0.0, 100.0, "mm, the mean framewise displacement")
    length = np.full(n, np.nan) if n_times is None else np.asarray(n_times * seconds, dtype=np.float64)
    person = table.texts("person")
    scores, words = _scores(table)
    near = nearly_alike(zip(person.tolist(), table.lines, strict=True))
    if "site" in table:
        sites = zip(table.texts("site").tolist(), table.lines, strict=True)
        near += nearly_alike(((name, line) for name, line in sites if name), "sites' names")
    lines = [*remarks, *lines_of(near), *short_ones(length, person.tolist(), shortest)]
    if n_times is not None and (unknown := int(np.count_nonzero(np.isnan(seconds)))):
        lines.append(f"repetition time unknown of {unknown} of {n} people: nothing by frequency for them")
    if words:
        lines.append(f"columns not used, not numeric: {listed(words)}")
    empty = np.full(n, "", dtype=str)
    scans = Scans(
        table=SampleTable(
            recording=table.texts("file"),
            person=person,
            session=table.texts("session") if "session" in table else empty,
            site=table.texts("site") if "site" in table else empty,
            start=np.zeros(n),
            stop=length,
            target=target,
        ),
        labels=tuple(labels),
        X=X,
        names=tuple(names),
        repetition_time=np.asarray(seconds, dtype=np.float64),
        age=age,
        sex=table.coded("sex", SEXES) if "sex" in table else empty,
        motion=motion,
        derivative=derivative,
        scores=scores,
        remarks=tuple(lines),
    )
    refuse_same(scans)
    return scans


def _within(table: Phenotypes, name: str, values: Floats, least: float, most: float, unit: str) -> None:
    wrong = np.flatnonzero((values < least) | (values > most))
    if wrong.size:
        i = int(wrong[0])
        raise RecipeError(
            f"{table.path}, line {table.lines[i]}: {name} is {values[i]:g}; expected {least:g} to {most:g}, "
            f"{unit}."
        )


def _scores(table: Phenotypes) -> tuple[dict[str, Floats], list[str]]:
    """Every other column of numbers, and the names of those that are words."""
    scores, words = {}, []
    for name, cells in table.columns.items():
        if name in NEEDED or name in OPTIONAL:
            continue
        # A number with a decimal comma is no word: `numbers` refuses it, and shows it.
        texts = [cell for cell in cells if as_number(cell) is None and not has_decimal_comma(cell)]
        if not texts:
            scores[name] = table.numbers(name)
        else:
            words.append(f"{name} ({texts[0][:30]!r})")
    return scores, words
