"""What is predicted of people: a diagnosis, types of a disorder, or a continuous target such as severity.

A target is a property of the data: readers say which labels they know, and every score that they bring along
may be predicted as a continuous target (never predicted from).  Types of ADHD are known from phenotype tables
alone; the labels that ADHD-200's graphs were shipped with are no diagnoses and are no target.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from models.errors import RecipeError, near_match
from offline.scans.base import DIAGNOSIS, Scans

TYPES: Mapping[str, str] = {"type": "three", "type-pair": "subtype"}
"""Targets that are types of ADHD, and the task of `offline.scans.adhd200` that each is."""


def options_for(target: str, layout: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """What the reader of a layout (`offline.scans.reader.LAYOUTS`) is given, so that it knows the target.

    Raises
    ------
    RecipeError
        The layout knows no types.
    """
    if target not in TYPES:
        return dict(options)
    if layout != "adhd200":
        raise RecipeError(
            f"The target {target!r} is types of ADHD, which only the phenotypes of ADHD-200 hold; these data "
            f"are read as {layout!r}. In a table of your own, write the types into the column diagnosis: all "
            "of them are then distinguished."
        )
    return {**options, "task": TYPES[target]}


def with_target(scans: Scans, target: str, *, types: bool = True) -> Scans:
    """The same people with what is predicted of them; those whose value is not known are left out.

    Parameters
    ----------
    scans : Scans
        As read.
    target : str
        ``"diagnosis"``, one of `TYPES`, or one of the data's scores.
    types : bool
        Whether these data know types of ADHD: only then does the message about an unknown target list them.

    Raises
    ------
    RecipeError
        The data have no such score, or it is known of no one.
    """
    if target == DIAGNOSIS or target in TYPES:
        return replace(scans, target=target)
    if target not in scans.scores:
        targets = (DIAGNOSIS, *(TYPES if types else ()), *scans.scores)
        raise RecipeError(f"These data have no target {target!r}. {near_match(target, targets)}")
    known = np.isfinite(scans.scores[target])
    if not known.any():
        raise RecipeError(f"{target!r} is known of no one here, so it cannot be predicted.")
    remarks = scans.remarks
    if absent := int(np.count_nonzero(~known)):
        remarks += (f"{absent} people left out: their {target!r} is not known",)
    return replace(scans.rows(known), target=target, remarks=remarks)
