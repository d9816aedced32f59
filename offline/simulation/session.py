"""One session of one simulated person: what all parts of the simulation are drawn from."""

from dataclasses import dataclass

import numpy as np

from models.arrays import Floats
from offline.simulation.noise import Grid
from offline.simulation.people import Person, Seed, chance, draw_person
from offline.simulation.probe import Pair, make_pairs
from offline.simulation.settings import Simulation


@dataclass(frozen=True, eq=False)
class SimulatedSession:
    """One session of one person."""

    settings: Simulation
    seed: Seed  # who
    number: int  # from 0: the same person on another day
    person: Person
    pairs: tuple[Pair, ...]  # the probe
    correlations: Floats  # (n_pairs,), of HbO and HbR

    @classmethod
    def of(cls, settings: Simulation, seed: Seed, group: int, number: int = 0) -> "SimulatedSession":
        """Draw a session of a person of group 0 or 1."""
        pairs, person = make_pairs(settings), draw_person(settings, seed, group)
        # Half the variance of the correlations is the person's.
        z = chance(seed, "hbo_hbr").standard_normal(len(pairs)) * settings.spread * np.sqrt(0.5)
        correlations = np.asarray(np.tanh(person.hbo_hbr + settings.hbo_hbr_spread * z))
        return cls(settings, seed, number, person, pairs, correlations)

    def chance(self, name: str) -> np.random.Generator:
        """A generator for one thing that differs from session to session."""
        return chance(self.seed, self.number, name)

    @property
    def times(self) -> Floats:
        """Stamps, (n_samples,) s."""
        return np.arange(self.settings.n_samples) / self.settings.rate

    @property
    def grid(self) -> Grid:
        """What its series are synthesised on."""
        return Grid(self.settings.n_samples, self.settings.rate)
