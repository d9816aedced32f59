"""Simulated fNIRS people with a known truth: for tests, demonstrations and rehearsals.

What a classifier scores on simulated people says that the machinery works; it says nothing about
autism, nor about any real group of people.
"""

from offline.simulation.cohort import bayes_ceiling, ceiling_beside, check_numbers, write_cohort
from offline.simulation.person import DrawnTruth, simulate_person
from offline.simulation.settings import Simulation, TaskBlocks

__all__ = [
    "DrawnTruth",
    "Simulation",
    "TaskBlocks",
    "bayes_ceiling",
    "ceiling_beside",
    "check_numbers",
    "simulate_person",
    "write_cohort",
]
