"""Classifiers of tables: scikit-learn's where it has one, ours where it lacks it."""

from collections.abc import Callable
from typing import Any

from offline.estimators.consensus import Consensus
from offline.estimators.elimination import ClusterElimination, RecursiveElimination
from offline.estimators.export import NotExportable, parts_of
from offline.estimators.members import MEMBERS
from offline.estimators.ridge import RidgeDiscriminant

ESTIMATORS: dict[str, Callable[[], Any]] = {**MEMBERS, "ridge": RidgeDiscriminant, "consensus": Consensus}
"""Name to a new, unfitted classifier; each takes a table and can be exported."""

__all__ = [
    "ESTIMATORS",
    "MEMBERS",
    "ClusterElimination",
    "Consensus",
    "NotExportable",
    "RecursiveElimination",
    "RidgeDiscriminant",
    "parts_of",
]
