"""The strong present-day model: an average over many kinds of connectivity (`offline.studies.headline`)."""

from typing import Any

from offline.studies.base import Role, Study
from offline.studies.headline.ensemble import Headline


def model(*, random_state: int) -> Any:
    """There is no chance in it."""
    return Headline()


STUDY = Study(
    name="many-kinds",
    title="Average over ten kinds of connectivity",
    ours="Ridge directions in ten kinds of connectivity, each with and without the person's own level, "
    "averaged with equal weights; penalties, and how little training sites may matter, chosen on training "
    "sites that are left out.",
    table="many kinds",
    model=model,
    role=Role.BASELINE,
    revision=3,
    not_auditable_because="it needs all columns of its kinds, and several sites to choose its penalties on",
)
