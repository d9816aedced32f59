"""What careless protocols would have claimed of a study, each beside its honest twin."""

from offline.studies.careless.auditing import audit_study
from offline.studies.careless.habits import Habit

__all__ = ["Habit", "audit_study"]
