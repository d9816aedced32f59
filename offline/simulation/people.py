"""Who is simulated: what differs between people, drawn from what identifies them.

Every stream of chance is seeded by the person's seed and the name of what is drawn, never by
order: a person is the same in a cohort of 2 and of 200, and switching one part off leaves the
others as they were.  The group does not enter any draw; it shifts two numbers afterwards.
"""

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from offline.simulation.settings import Simulation

Seed = int | Sequence[int]

DFA_SPREAD = 0.08
HOMOTOPIC_SPREAD = 0.2  # Fisher z


def chance(seed: Seed, *names: str | int) -> np.random.Generator:
    """A generator for one thing that is drawn of a person, independent of those of other names or seeds."""
    who = [seed] if isinstance(seed, int) else list(seed)
    what = [zlib.crc32(name.encode()) if isinstance(name, str) else name for name in names]
    # By the length (1, 2) + (3,) differs from (1,) + (2, 3).
    return np.random.default_rng([len(who), *who, *what])


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What one simulated person brings to every session."""

    group: int  # 0 (A) or 1 (B)
    age: float  # years; means nothing
    sex: str  # F or M; means nothing
    dfa_hbo: float  # DFA exponents of the slow part
    dfa_hbr: float
    homotopic: float  # correlation of the slow cerebral HbO of mirrored pairs
    cardiac_hz: float  # mean rates (Hz)
    respiration_hz: float
    mayer_hz: float
    fluctuation: float  # factor on all spontaneous fluctuations
    response: float  # factor on the evoked response
    latency_s: float  # time to peak (s) of the response to a brief stimulus
    lateral: float  # by which fraction the side of the hand responds less; 0 where the task has no sides
    pathlength: float  # partial pathlength factor
    gain: float  # factor on all intensities
    noise: float  # factor on the measurement noise
    hbo_hbr: float  # middle (Fisher z) of this person's correlations between HbO and HbR


def draw_person(settings: Simulation, seed: Seed, group: int) -> Person:
    """Draw a person of group 0 or 1, which with ``group_effect`` 0 changes nothing but `Person.group`."""

    def normal(name: str) -> float:
        return float(chance(seed, "person", name).standard_normal()) * settings.spread

    def factor(name: str, sigma: float) -> float:
        return math.exp(sigma * normal(name))

    shift = settings.group_effect * group
    # The two exponents of a person belong together; the group moves both alike.
    memory = DFA_SPREAD * (normal("memory") + shift)
    homotopic = math.atanh(settings.homotopic) + HOMOTOPIC_SPREAD * (normal("homotopic") - shift)
    task = settings.task
    lateral = 0.0 if task is None or task.lateral is None else task.lateral
    years = chance(seed, "person", "age").uniform(7.0, 13.0)
    return Person(
        group=group,
        age=round(float(years), 1),
        sex="FM"[int(chance(seed, "person", "sex").integers(2))],
        dfa_hbo=float(np.clip(settings.dfa_hbo + memory, 0.5, 1.95)),
        dfa_hbr=float(np.clip(settings.dfa_hbr + memory, 0.5, 1.95)),
        homotopic=math.tanh(homotopic),
        cardiac_hz=settings.cardiac_hz * factor("cardiac", 0.1),
        respiration_hz=settings.respiration_hz * factor("respiration", 0.12),
        mayer_hz=float(np.clip(settings.mayer_hz + 0.007 * normal("mayer"), 0.08, 0.12)),
        fluctuation=factor("fluctuation", 0.25),
        response=factor("response", 0.25),
        latency_s=(task.latency_s if task else 5.0) * factor("latency", 0.08),
        lateral=min(1.0, lateral * factor("lateral", 0.25)),
        pathlength=6.0 * factor("pathlength", 0.1),
        gain=factor("gain", 0.4),
        noise=factor("noise", 0.3),
        hbo_hbr=settings.hbo_hbr_spread * math.sqrt(0.5) * normal("hbo_hbr"),
    )
