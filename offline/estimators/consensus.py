"""The consensus of eighteen classifiers, reduced and fitted inside the fold."""

import warnings
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import clone
from sklearn.utils import check_random_state

from models.errors import near_match
from models.parts import Part
from models.parts.columns import SelectColumns
from models.parts.ensemble import ensemble_of
from offline.estimators.base import PartsClassifier, TableError, labelled
from offline.estimators.elimination import ClusterElimination, f_values
from offline.estimators.export import NotExportable, parts_of
from offline.estimators.members import MEMBERS

VOTES = {"majority": "majority", "mean": "probability"}
"""What is asked for, and how `models.parts.ensemble.Ensemble` calls it."""


class MemberWarning(UserWarning):
    """A member of a consensus is left out, and why."""


class Consensus(PartsClassifier):
    """Many classifiers, one vote each, on the same few hundred columns.

    The columns come from the people it is fitted to: those with the greatest F first, then recursive cluster
    elimination.  A member that cannot be fitted, or has no array form, does not vote; `failed_` says which
    and why, and a `MemberWarning` too.  `remarks_` holds what the others complained of.

    Parameters
    ----------
    members : sequence of (str, estimator) or None
        Names and classifiers; None is the eighteen of `offline.estimators.members.MEMBERS`.
    n_filter : int
        Columns that the F filter leaves.
    n_features : int
        Columns that cluster elimination leaves, at most.
    vote : {"majority", "mean"}
        Of labels, with the mean probability to settle ties; or the mean of probabilities.
    random_state : int, RandomState or None
        For the reduction, and for every member that takes one.
    """

    def __init__(
        self,
        members: Sequence[tuple[str, Any]] | None = None,
        *,
        n_filter: int = 2000,
        n_features: int = 500,
        vote: str = "majority",
        random_state: Any = 0,
    ) -> None:
        self.members = members
        self.n_filter = n_filter
        self.n_features = n_features
        self.vote = vote
        self.random_state = random_state

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> Self:
        """Fit to a table (n, n_columns) float64 and its labels (n,) str or int."""
        if self.vote not in VOTES:
            raise TableError(f"vote is {self.vote!r}. {near_match(str(self.vote), VOTES)}")
        table, index = labelled(self, X, y)
        rng = check_random_state(self.random_state)
        strength = f_values(table, index)
        columns = np.sort(np.argsort(-strength, kind="stable")[: self.n_filter])
        reduce = ClusterElimination(self.n_features, random_state=rng.randint(2**31 - 1))
        self.columns_ = columns[reduce.fit(table[:, columns], index).support_]
        rows = table[:, self.columns_]
        members = self.members
        if members is None:
            members = [(name, make()) for name, make in MEMBERS.items()]
        self.voting_: list[str] = []
        self.failed_: dict[str, str] = {}
        self.remarks_: dict[str, list[str]] = {}
        chains: list[Sequence[Part]] = []
        for name, estimator in members:
            member = _seeded(clone(estimator), rng.randint(2**31 - 1))
            with warnings.catch_warnings(record=True) as heard:
                warnings.simplefilter("always")
                try:
                    chain = parts_of(member.fit(rows, index))
                except (ValueError, np.linalg.LinAlgError, NotExportable) as error:
                    self.failed_[name] = f"{type(error).__name__}: {error}"
                    continue
            if heard:
                self.remarks_[name] = sorted({f"{one.category.__name__}: {one.message}" for one in heard})
            self.voting_.append(name)
            chains.append(chain)
        if not chains:
            reasons = "; ".join(f"{name}: {why}" for name, why in self.failed_.items())
            raise TableError(
                f"None of {len(members)} members could be fitted ({reasons or 'there are none'})."
            )
        for name, why in self.failed_.items():
            warnings.warn(f"{name} does not vote: {why}", MemberWarning, stacklevel=2)
        self.parts_ = (
            SelectColumns(self.columns_.astype(np.int64)),
            ensemble_of(chains, VOTES[self.vote]),
        )
        return self


def _seeded(estimator: Any, seed: int) -> Any:
    """The same estimator, wherever it draws at random told how."""
    names = [name for name in estimator.get_params() if name.split("__")[-1] == "random_state"]
    return estimator.set_params(**dict.fromkeys(names, seed))
