"""Classifiers of tables: scikit-learn's where it has one, ours where it lacks it."""

from offline.estimators.consensus import Consensus
from offline.estimators.consensus_members import MEMBERS
from offline.estimators.elimination import ClusterElimination, RecursiveElimination
from offline.estimators.export import NotExportable, layers_of

__all__ = [
    "MEMBERS",
    "ClusterElimination",
    "Consensus",
    "NotExportable",
    "RecursiveElimination",
    "layers_of",
]
