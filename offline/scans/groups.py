"""Whether a comparison is one of diagnoses at all, or of sites that have one diagnosis each."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations

import numpy as np
import numpy.typing as npt

from models.errors import RecipeError
from offline.base.sample_table import SampleTable
from offline.base.spelling import identity
from offline.scans.base import Scans
from offline.scans.twice import same_scans


def site_by_label(scans: Scans, column: str = "site") -> dict[str, dict[str, int]]:
    """How many people of each label there are at each site; sites sorted, every label in each.

    Parameters
    ----------
    scans : Scans
        Who.
    column : str
        ``"site"``, ``"sex"`` or another column of the table to count by instead.
    """
    where = _column(scans, column)
    counts: dict[str, dict[str, int]] = {}
    for name in sorted(set(where.tolist())):
        here = scans.y[where == name]
        counts[name] = {label: int(np.count_nonzero(here == i)) for i, label in enumerate(scans.labels)}
    return counts


def as_text(counts: Mapping[str, Mapping[str, int]], column: str = "site") -> str:
    """The table of `site_by_label` in plain lines, a row a site."""
    labels = list(next(iter(counts.values()), {}))
    rows = [[column, *labels], *([name or "(none)", *map(str, row.values())] for name, row in counts.items())]
    widths = [max(len(row[i]) for row in rows) for i in range(len(labels) + 1)]
    return "\n".join(
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    )


def refuse_confounded(scans: Scans, column: str = "site") -> None:
    """Refuse to compare labels that no site holds both of: the site would distinguish them.

    Where one site holds both nothing is refused, though the table may still be lopsided; a row of what the
    site alone would give says how much.

    Parameters
    ----------
    scans : Scans
        Who is to be compared.
    column : str
        ``"site"``, ``"sex"`` or another column of the table.

    Raises
    ------
    RecipeError
        With the table, and the name of the column that stands for the label.
    """
    counts = site_by_label(scans, column)
    present = [label for i, label in enumerate(scans.labels) if (scans.y == i).any()]
    if len(present) < 2:
        raise RecipeError(
            f"All {len(scans)} people are {present[0] if present else 'absent'}; expected two of "
            f"{', '.join(scans.labels)} to compare."
        )
    for one, other in combinations(present, 2):
        if not any(row[one] and row[other] for row in counts.values()):
            raise RecipeError(
                f"{one} against {other} cannot be compared here: no {column} holds both, so {column} alone "
                f"would distinguish them (the confounded column is {column!r}):\n{as_text(counts, column)}\n"
                f"Expected at least one {column} with both, in the same derivative. Add such people."
            )


def together(first: Scans, second: Scans) -> Scans:
    """People of two sources as one, labels by name; only where X is of the same making.

    Parameters
    ----------
    first, second : Scans
        Without a person in common.  Labels of the second that the first lacks are added after its own.

    Raises
    ------
    RecipeError
        Where derivatives, names or shapes differ, or a person or a scan is in both.
    """
    if first.derivative != second.derivative:
        raise RecipeError(
            f"Two derivatives do not mix: {first.derivative!r} and {second.derivative!r}. A difference "
            "between groups would be one of preprocessing; expected scans that were prepared in the same way."
        )
    if first.target != second.target:
        raise RecipeError(
            f"Two targets do not mix: {first.target!r} and {second.target!r}; expected the same of both."
        )
    if first.is_series != second.is_series or first.names != second.names:
        raise RecipeError(
            f"Scans of {len(first.names)} and of {len(second.names)} columns do not mix, nor do series and "
            "tables, nor columns of other names; expected the same regions or features, in the same order."
        )
    others = set(map(identity, second.table.people))
    if both := [person for person in first.table.people if identity(person) in others]:
        raise RecipeError(
            f"{len(both)} people are in both, {str(sorted(both)[0])!r} for one; expected each once, or "
            "training and test would share them."
        )
    labels = (*first.labels, *(label for label in second.labels if label not in first.labels))
    renamed = np.array([labels.index(label) for label in second.labels], dtype=np.int64)[second.y]
    n, m = len(first), len(second)
    both_of = Scans(
        table=SampleTable.concatenate([first.table, replace(second.table, target=renamed)]),
        labels=labels,
        X=_side_by_side(first, second),
        names=first.names,
        repetition_time=np.concatenate([first.repetition_time, second.repetition_time]),
        age=np.concatenate([first.age, second.age]),
        sex=np.concatenate([first.sex, second.sex]),
        motion=np.concatenate([first.motion, second.motion]),
        derivative=first.derivative,
        scores={
            name: np.concatenate(
                [first.scores.get(name, np.full(n, np.nan)), second.scores.get(name, np.full(m, np.nan))]
            )
            for name in dict.fromkeys([*first.scores, *second.scores])
        },
        remarks=tuple(dict.fromkeys([*first.remarks, *second.remarks])),
        target=first.target,
    )
    if shared := [(a, b) for a, b in same_scans(both_of) if a < n <= b]:
        one, other = (str(both_of.table.person[i]) for i in shared[0])
        raise RecipeError(
            f"{len(shared)} scans are in both, that of {one!r} and {other!r} for one; expected each once, or "
            "training and test would share them."
        )
    return both_of


def _side_by_side(first: Scans, second: Scans) -> npt.NDArray[np.float32] | npt.NDArray[np.float64]:
    if not first.is_series:
        return np.concatenate([first.X, second.X])
    longest = max(first.X.shape[2], second.X.shape[2])
    parts = [
        np.pad(each.X, [(0, 0), (0, 0), (0, longest - each.X.shape[2])], constant_values=np.nan)
        for each in (first, second)
    ]
    return np.concatenate(parts)


def _column(scans: Scans, column: str) -> npt.NDArray[np.str_]:
    if column == "sex":
        return scans.sex
    if column in ("site", "session", "recording"):
        return np.asarray(getattr(scans.table, column))
    raise RecipeError(
        f"Scans have no column {column!r} to count by; expected site, sex, session or recording."
    )
