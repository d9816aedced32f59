"""The strong present-day model: an average over many connectivity measures."""

from typing import Any

from offline.estimators.connectivity_ensemble import ConnectivityEnsembleClassifier
from offline.studies.base import Role, Study
from offline.studies.tables import ALL_MEASURES


def model(*, random_state: int) -> Any:
    """There is no chance in it."""
    return ConnectivityEnsembleClassifier()


STUDY = Study(
    name="connectivity-ensemble",
    title="Connectivity ensemble of ten measures",
    ours="Ridge directions in ten connectivity measures, each with and without the person's own level, "
    "averaged with equal weights; penalties, and how little training sites may matter, chosen on training "
    "sites that are left out.",
    table=ALL_MEASURES,
    model=model,
    role=Role.BASELINE,
    revision=3,
    not_auditable_because="it needs all columns of its measures, and several sites to choose its "
    "penalties on",
)
