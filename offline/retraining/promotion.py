"""When a candidate takes the old bundle's place: a rule that is fixed before any look."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import t

from offline.stats.intervals import standard_error

CONFIDENCE = 0.95
FEWEST = 10
"""With fewer locked people, or units of people measured together, no difference is reported."""
MARGIN = 0.02
"""By so much log loss (nats) a candidate may be worse and still count as good as the old one."""


@dataclass(frozen=True)
class Verdict:
    """What the comparison gave: whether and why the candidate takes the old one's place."""

    promoted: bool
    why: str
    people: int  # how many were compared
    margin: float  # fixed beforehand, nats
    difference: float  # mean of old less new log loss, nats, above 0 where the candidate is better
    bound: float  # its one-sided 95 % bound
    groups: Mapping[str, float]  # the difference in each declared subgroup

    def to_json(self) -> dict[str, Any]:
        """As JSON types."""
        finite = {"difference": _finite(self.difference), "bound": _finite(self.bound)}
        return asdict(self) | finite | {"confidence": CONFIDENCE}


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def decide(
    old: npt.NDArray[np.float64],
    new: npt.NDArray[np.float64],
    groups: Mapping[str, npt.NDArray[np.bool_]],
    margin: float = MARGIN,
    *,
    unit: npt.NDArray[np.str_] | None = None,
) -> Verdict:
    """Compare the log losses, (n_people,) float64 nats, of the same locked people by paired differences.

    ``groups`` say who belongs to each declared subgroup, (n_people,) bool; the margin is in nats, above 0.
    ``unit``, (n_people,) str, says who was measured together; None: nobody was.
    """
    apart = old - new
    n = len(apart)
    unit = np.arange(n).astype(np.str_) if unit is None else unit
    units = len(set(unit.tolist()))
    mean = float(apart.mean()) if n else float("nan")
    bound = float("nan")
    if units > 1:
        bound = mean - float(t.ppf(CONFIDENCE, units - 1)) * standard_error(apart, unit)
    of_groups = {name: float(apart[own].mean()) for name, own in groups.items() if own.any()}
    worse = [name for name, value in of_groups.items() if value < -margin]
    promoted = False
    if units < FEWEST:
        whose = f"{n} locked people" + (f" in {units} units measured together" if units < n else "")
        why = f"not shown to be as good: {whose} are too few (at least {FEWEST})"
    elif not bound > -margin:
        why = f"not shown to be as good: it may be worse by {-bound:.3f} nats, the margin is {margin:g}"
    elif worse:
        why = f"not shown to be as good: it falls by more than {margin:g} nats in {', '.join(sorted(worse))}"
    else:
        promoted = True
        why = f"as good or better: the difference is at least {bound:+.3f} nats, above -{margin:g}"
    return Verdict(promoted, why, n, margin, mean, float(bound), of_groups)
