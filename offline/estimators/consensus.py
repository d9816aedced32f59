"""The consensus of eighteen classifiers, reduced and fitted inside the fold."""

import warnings
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import clone
from sklearn.utils import check_random_state

from models.arrays import Floats
from models.errors import near_match
from models.probabilities import probabilities
from offline.estimators.base import LogitClassifier, TableError, labelled
from offline.estimators.consensus_members import MEMBERS
from offline.estimators.elimination import ClusterElimination, f_values
from offline.estimators.standardised import predicted_logits

VOTES = ("majority", "mean")


class MemberWarning(UserWarning):
    """A member of a consensus is left out, and why."""


@dataclass(eq=False, repr=False)
class Consensus(LogitClassifier):
    """Many classifiers, one vote each, on the same few hundred columns.

    The columns come from the people it is fitted to: those with the greatest F first, then recursive cluster
    elimination.  A member that cannot be fitted does not vote; `failed_` names which and why, and a
    `MemberWarning` too.  `remarks_` holds what the others complained of.

    Parameters
    ----------
    members : sequence of (str, estimator) or None
        Names and classifiers; None is the eighteen of `offline.estimators.consensus_members.MEMBERS`.
    n_filter : int
        Columns that the F filter leaves.
    n_features : int
        Columns that cluster elimination leaves, at most.
    vote : {"majority", "mean"}
        Of labels, with the mean probability to settle ties; or the mean of probabilities.
    random_state : int, RandomState or None
        For the reduction, and for every member that takes one.
    """

    members: Sequence[tuple[str, Any]] | None = None
    _: KW_ONLY
    n_filter: int = 2000
    n_features: int = 500
    vote: str = "majority"
    random_state: Any = 0

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
        self.members_: list[Any] = []
        for name, estimator in members:
            member = _seeded(clone(estimator), rng.randint(2**31 - 1))
            with warnings.catch_warnings(record=True) as heard:
                warnings.simplefilter("always")
                try:
                    member.fit(rows, index)
                except (ValueError, np.linalg.LinAlgError) as error:
                    self.failed_[name] = f"{type(error).__name__}: {error}"
                    continue
            if heard:
                self.remarks_[name] = sorted({f"{one.category.__name__}: {one.message}" for one in heard})
            self.voting_.append(name)
            self.members_.append(member)
        if not self.members_:
            reasons = "; ".join(f"{name}: {why}" for name, why in self.failed_.items())
            raise TableError(
                f"None of {len(members)} members could be fitted ({reasons or 'there are none'})."
            )
        for name, why in self.failed_.items():
            warnings.warn(f"{name} does not vote: {why}", MemberWarning, stacklevel=2)
        return self

    def logits_of_rows(self, X: Floats) -> Floats:
        """Log probabilities (n, n_labels) float64 of rows (n, n_columns) float64."""
        rows = X[:, self.columns_]
        each = np.stack([probabilities(predicted_logits(member, rows)) for member in self.members_])
        mean = each.mean(axis=0)
        if self.vote == "majority":
            votes = np.eye(mean.shape[1])[each.argmax(axis=2)].sum(axis=0)
            # The mean is one vote more: it settles ties, and orders people with the same votes.
            mean = (votes + mean) / (len(each) + 1)
        return np.asarray(np.log(np.maximum(mean, np.finfo(float).tiny)))


def _seeded(estimator: Any, seed: int) -> Any:
    """The same estimator with a seed wherever it draws at random."""
    names = [name for name in estimator.get_params() if name.split("__")[-1] == "random_state"]
    return estimator.set_params(**dict.fromkeys(names, seed))
