"""Which columns of a table a study is given: the best by F, by the labels of training people or of others."""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from offline.studies.systems.models import Best

SHARE, MOST = 0.1, 200
"""A tenth of the columns is chosen, but not more than so many."""


@dataclass(frozen=True, eq=False)
class Columns:
    """The columns with the largest F.

    Parameters
    ----------
    most : int
        How many.
    looked_at : (m,) intp or None
        Rows whose labels choose; None is those that are trained on.
    always : int
        So many last columns are kept whatever, and not counted: the study takes them for something else
        than features.
    """

    most: int
    looked_at: npt.NDArray[np.intp] | None = None
    always: int = 0

    def kept(
        self, X: npt.NDArray[Any], y: npt.NDArray[np.int64], train: npt.NDArray[np.intp]
    ) -> npt.NDArray[np.bool_]:
        """Which are kept, (n_features,) bool.

        Parameters
        ----------
        X : (n, n_features) float32
            Of everybody.
        y : (n,) int64
            Labels.
        train : (n_train,) intp
            Rows that are trained on.
        """
        rows = train if self.looked_at is None else self.looked_at
        end = X.shape[1] - self.always
        chosen = Best(self.most).fit(np.asarray(X[rows, :end], dtype=np.float64), y[rows]).support_
        return np.concatenate([chosen, np.ones(self.always, dtype=np.bool_)])

    def key(self) -> list[int | str]:
        """All that they depend on, but for the fold."""
        by = "training rows"
        if self.looked_at is not None:
            by = hashlib.sha256(self.looked_at.astype(np.int64).tobytes()).hexdigest()
        return [self.most, by, *([f"and the last {self.always}"] if self.always else [])]


def how_many(n_features: int) -> int:
    """Columns that are chosen of so many."""
    return max(2, min(MOST, round(SHARE * n_features)))
