"""Whom early stopping listens to, of those who are trained on."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from offline.base.sample_table import SampleTable
from offline.base.splits import Indices, Names, holds

FEWEST_PEOPLE = 5
"""With fewer training people, none of them is spared for early stopping."""
END_FRACTIONS = (0.25, 0.3, 0.2, 0.4, 0.15, 0.5)
"""Last parts of the recordings that are tried for early stopping, the preferred first."""


class ValidationKind(StrEnum):
    """What early stopping listens to."""

    PEOPLE = "held-out people"
    SESSIONS = "held-out sessions of training people"
    ENDS = "last part of the training recordings"
    NONE = "none"


@dataclass(frozen=True, eq=False)
class Validation:
    """The samples that early stopping listens to, taken from those of training, and how they were chosen.

    Both sides ascend, (n,) intp, and are together no more than what was to be divided.
    """

    kind: ValidationKind
    train: Indices
    validation: Indices


def validation_split(table: SampleTable, within: Indices, *, seed: int, fraction: float = 0.2) -> Validation:
    """Choose what early stopping listens to.

    Held-out people, whole units of those measured together; with fewer than `FEWEST_PEOPLE`, whole sessions
    of the training people; where no person has two, the last part of each recording, a window's length away
    from what is trained on.  Both sides hold every label; where no choice allows that, there is none.

    Parameters
    ----------
    table, within : SampleTable, (n,) intp
        All samples, and those to divide.
    fraction : float
        About how much of the people or sessions to hold out.
    """
    within = np.sort(within)
    rng = np.random.default_rng(seed)
    own = table.rows(within)
    units = sorted(set(own.unit.tolist()))
    if len(units) >= FEWEST_PEOPLE:
        chosen = _spare(own.unit, units, own.target, rng, max(round(fraction * len(units)), 1))
        if chosen is not None:
            return Validation(ValidationKind.PEOPLE, within[~chosen], within[chosen])
    owned = np.array([f"{p}\n{s}" for p, s in zip(own.unit, own.session, strict=True)])
    alone = own.unit == own.person  # sessions of partners were at one time, whatever they are called
    candidates, total = _spare_sessions(own.person[alone], owned[alone], rng)
    if candidates:
        n = min(max(round(fraction * total), 1), len(candidates))
        chosen = _spare(owned, candidates, own.target, rng, n)
        if chosen is not None:
            return Validation(ValidationKind.SESSIONS, within[~chosen], within[chosen])
    return _ends(own, within)


def _spare_sessions(person: Names, owned: Names, rng: np.random.Generator) -> tuple[list[str], int]:
    """One session of every person who has two or more, and how many sessions there are."""
    sessions = {name: sorted({str(s) for s in owned[person == name]}) for name in np.unique(person)}
    spare = [str(rng.choice(its)) for its in sessions.values() if len(its) > 1]
    return spare, sum(len(its) for its in sessions.values())


def _spare(
    unit: Names, candidates: Sequence[str], y: npt.NDArray[np.int64], rng: np.random.Generator, n: int
) -> npt.NDArray[np.bool_] | None:
    """Draw units until training and validation hold every label; more units only where fewer cannot."""
    labels = np.unique(y)
    for size in range(n, len(candidates) + 1):
        for _ in range(50):
            chosen = np.isin(unit, rng.choice(candidates, size=size, replace=False))
            if holds(y[chosen], labels) and holds(y[~chosen], labels):
                return chosen
    return None


def _ends(own: SampleTable, within: Indices) -> Validation:
    labels = np.unique(own.target)
    for fraction in END_FRACTIONS:
        trained = np.zeros(len(own), dtype=bool)
        spared = np.zeros(len(own), dtype=bool)
        for name in np.unique(own.recording):
            here = own.recording == name
            cut = float(np.quantile(own.start[here], 1.0 - fraction))
            length = float((own.stop - own.start)[here].max())
            spared |= here & (own.start >= cut)
            trained |= here & (own.stop <= cut - length)
        if holds(own.target[trained], labels) and holds(own.target[spared], labels):
            return Validation(ValidationKind.ENDS, within[trained], within[spared])
    return Validation(ValidationKind.NONE, within, np.empty(0, dtype=np.intp))
