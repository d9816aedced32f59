"""Several classifiers of columns of their own, their votes fused as if they erred independently.

Xu L, Krzyzak A, Suen CY (1992). Methods of combining multiple classifiers. IEEE Transactions on Systems,
Man and Cybernetics 22:418-435.  In the review: Aghdam MA, Sharifi A, Pedram MM (2019), Journal of Digital
Imaging 32:899-918.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from models.parts.convolution import Convolutions
from models.parts.experts import Experts
from models.parts.network import TableNetwork
from models.parts.packing import run, unpacked
from models.parts.tree_bayes import TreeBayes

MEMBERS: dict[str, Any] = {kind.__name__: kind for kind in (Convolutions, Experts, TableNetwork, TreeBayes)}
"""Parts of which a member's chain may be made."""


@dataclass(frozen=True, eq=False)
class VoteFusion:
    """Naive Bayes over the labels for which the members vote.

    Parameters
    ----------
    numbers : (n_numbers,) float64
        All arrays of all members' parts.
    members : tuple of chains
        What they are (`models.parts.packing`), one a member.
    channel : (n_columns,) int64
        Which member sees a column, from 0.
    confusion : (n_members, n_labels, n_labels) float64
        Log probability of a vote (last axis) given the true label.
    prior : (n_labels,) float64
        Log probability of each label.
    """

    numbers: Floats
    members: tuple[Any, ...]
    channel: npt.NDArray[np.int64]
    confusion: Floats
    prior: Floats

    def __call__(self, X: Floats) -> Floats:
        """(n, n_columns) float64 to logits (n, n_labels) float64."""
        logits = np.tile(self.prior, (len(X), 1))
        for k, chain in enumerate(unpacked(self.numbers, self.members, MEMBERS)):
            vote = run(chain, X[:, self.channel == k]).argmax(axis=1)
            logits += self.confusion[k][:, vote].T
        return logits
