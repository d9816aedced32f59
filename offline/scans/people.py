"""A user's phenotype table as the columns that scans have, whatever X is made of."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from models.errors import RecipeError
from offline.base.cohort import OLDEST, PERSONAL, PERSONAL_PARTS
from offline.base.remarks import lines_of
from offline.base.spelling import SEXES
from offline.base.spelt_alike import nearly_alike, refuse_spelt_twice
from offline.scans.base import Scans
from offline.scans.phenotype import Phenotypes, as_number
from offline.scans.regions import listed, short_ones
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
    table: Phenotypes,
) -> tuple[Phenotypes, tuple[str, ...], npt.NDArray[np.int64], list[str]]:
    """Who has a diagnosis, the labels with the controls' first, each one's index (n,) int64, and remarks."""
    texts = table.texts("diagnosis")
    unknown = table.texts("person")[texts == ""].tolist()
    found = sorted(set(texts.tolist()) - {""})
    refuse_spelt_twice(table.path, "diagnosis", zip(texts.tolist(), table.lines, strict=True))
    controls = [name for name in found if name.lower() in CONTROLS]
    if len(controls) != 1 or len(found) < 2:
        raise RecipeError(
            f"{table.path} has the diagnoses {listed(found) or 'none at all'}; expected two or more, one of "
            f"them called like controls ({', '.join(CONTROLS)}). Rename the controls' diagnosis."
        )
    labels = (controls[0], *(name for name in found if name != controls[0]))
    chosen = table.rows(np.flatnonzero(texts != ""))
    target = np.array([labels.index(name) for name in chosen.texts("diagnosis").tolist()], dtype=np.int64)
    remarks = [f"{len(unknown)} people left out, no diagnosis: {listed(unknown)}"] if unknown else []
    return chosen, labels, target, remarks


def scans_of(
    table: Phenotypes,
    labels: Sequence[str],
    target: npt.NDArray[np.int64],
    X: npt.NDArray[np.float32] | Floats,
    names: Sequence[str],
    *,
    repetition_time: Floats,
    derivative: str,
    remarks: Sequence[str],
) -> Scans:
    """Join the columns of a phenotype table, a row for each of X, to X.

    A repetition time that the table has goes before that of the files, (n,) float64, s.
    """
    rows = list(zip(table.texts("site", needed=False).tolist(), table.lines, strict=True))
    refuse_spelt_twice(table.path, "site", rows)
    column = table.numbers("repetition_time", needed=False)
    seconds = np.where(np.isfinite(column), column, repetition_time)
    age, motion = (table.numbers(name, needed=False) for name in ("age", "motion"))
    _within(table, "repetition_time", seconds, 0.01, LONGEST_TR, "seconds (is it in milliseconds?)")
    _within(table, "age", age, 0.0, OLDEST, "years")
    _within(table, "motion", motion, 0.0, 100.0, "mm, the mean framewise displacement")
    scores, words = _scores(table)
    scans = Scans.of(
        table.texts("person"),
        target,
        recording=table.texts("file"),
        session=table.texts("session", needed=False),
        site=table.texts("site", needed=False),
        labels=labels,
        X=X,
        names=names,
        repetition_time=seconds,
        age=age,
        sex=table.coded("sex", SEXES, needed=False),
        motion=motion,
        derivative=derivative,
        scores=scores,
    )
    near = nearly_alike(zip(table.texts("person").tolist(), table.lines, strict=True))
    near += nearly_alike(((name, line) for name, line in rows if name), "sites' names")
    lines = [*remarks, *lines_of(near), *short_ones(scans)]
    if scans.is_series and (unknown := int(np.count_nonzero(np.isnan(seconds)))):
        n = len(scans)
        lines.append(f"repetition time unknown of {unknown} of {n} people: nothing by frequency for them")
    if words:
        lines.append(f"columns not used, not numeric: {listed(words)}")
    refuse_same(scans)
    return replace(scans, remarks=tuple(lines))


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
