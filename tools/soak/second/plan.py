"""What goes wrong at a bed, and when: drawn by chance from a seed, in lives of one outlet after another."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

EVERY_S = 9.0
"""Mean time between two groups of faults, s."""
QUIET_S = 5.0
"""No fault so soon after an outlet's start, s."""
TOGETHER = 0.45
"""Chance that a further fault comes with the one before ..."""
WITHIN_S = 2.0
"""... within so many seconds."""
FREEZE = 0.3
"""Chance that a life holds a freeze of the whole process (SIGSTOP)."""

WEIGHTS: Mapping[str, float] = {
    "duplicate": 3.0,
    "resend": 2.0,
    "late resend": 3.0,
    "early": 3.0,
    "shift": 3.0,
    "loss": 4.0,
    "jitter": 2.0,
    "disorder": 1.5,
    "pause": 1.5,
    "jump": 0.7,
}
"""Faults of the device, and how often each is drawn.

duplicate: the last push again, at once.  resend: the last ``count`` samples again, with their stamps.  late
resend: the same ``seconds`` later, mostly with a comparison of the clocks in between.  early: one sample (or
push) is stamped ``seconds`` too early.  shift: sampling itself moves by ``seconds`` (its true times too).
loss: ``count`` samples are never sent.  jitter: stamps scatter by ``by`` (SD, s) for ``seconds``.  disorder:
``count`` pushes in another order.  pause: nothing is sent for ``seconds``, then all of it at once.  jump:
stamps are off by ``by`` (s) for ``seconds``, as those of a clock that is set and set right again.
"""


@dataclass(frozen=True, slots=True)
class Device:
    """A bed's device, the same for all its lives.

    Parameters
    ----------
    rate, declared : float
        Samples a second, truly and by the stream's header.
    chunk : int
        Samples a push; more than 1 are pushed with the last one's stamp only.
    """

    rate: float
    declared: float
    chunk: int

    @property
    def period(self) -> float:
        """True sampling period, s."""
        return 1.0 / self.rate


DEVICES: Mapping[str, Device] = {
    "stamps": Device(10.002, 10.0, 1),  # an oscillator that runs 200 ppm fast
    "chunks": Device(9.13, 7.88, 8),  # as a real device declares and keeps
}
"""Each bed by name: one whose every sample is stamped, one whose chunks are."""


@dataclass(frozen=True, slots=True)
class PlannedFault:
    """Something that goes wrong.

    Parameters
    ----------
    kind : str
        Of `WEIGHTS`.
    at : float
        Seconds since the life's start.
    seconds, by, count : float, float, int
        As the kind needs them.
    """

    kind: str
    at: float
    seconds: float = 0.0
    by: float = 0.0
    count: int = 1


@dataclass(frozen=True, slots=True)
class Life:
    """One outlet from its opening to its end.

    Parameters
    ----------
    number : int
        From 0.
    seconds : float
        How long it sends.
    killed : bool
        Whether it is killed at the end; else it closes in order.
    away_s : float
        How long until the next begins.
    freeze : tuple of float, or None
        When and for how long the process is stopped as a whole, s.
    faults : tuple of Fault
        In the order of their times.
    """

    number: int
    seconds: float
    killed: bool
    away_s: float
    freeze: tuple[float, float] | None
    faults: tuple[PlannedFault, ...]

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Undo `to_json`."""
        freeze = values["freeze"]
        faults = tuple(PlannedFault(**one) for one in values["faults"])
        return cls(**{**values, "freeze": tuple(freeze) if freeze else None, "faults": faults})


def draw(
    bed: str, seconds: float, seed: int, *, life_s: float = 240.0, every_s: float = EVERY_S
) -> list[Life]:
    """The lives of a bed's outlet.

    Parameters
    ----------
    bed : str
        Of `DEVICES`.
    seconds : float
        For how long altogether; the time between two lives is part of it.
    seed : int
        The same seed gives the same lives.
    life_s : float
        Mean length of a life, s.
    every_s : float
        Mean time between two groups of faults, s.
    """
    chance = random.Random(f"second/{seed}/{bed}")
    lives: list[Life] = []
    left = seconds
    while left > 0.0:
        lasts = chance.uniform(0.5, 1.5) * life_s
        away_s = chance.choice((chance.uniform(0.0, 1.0), chance.uniform(1.0, 8.0)))
        if left - lasts - away_s < 0.5 * life_s:
            lasts, away_s = left, 0.0
        freeze = None
        if chance.random() < FREEZE and lasts > 40.0:
            freeze = (chance.uniform(15.0, lasts - 20.0), chance.uniform(2.0, 12.0))
        faults = _faults(chance, lasts, every_s)
        lives.append(Life(len(lives), lasts, bool(chance.random() < 0.5), away_s, freeze, faults))
        left -= lasts + away_s
    last = lives[-1]
    lives[-1] = Life(last.number, last.seconds, False, 0.0, last.freeze, last.faults)
    return lives


def _faults(chance: random.Random, lasts: float, every_s: float) -> tuple[PlannedFault, ...]:
    faults: list[PlannedFault] = []
    at = QUIET_S + chance.expovariate(1.0 / every_s)
    shifted = 0.0
    jumped_until = 0.0
    while at < lasts - QUIET_S:
        group = at
        while True:
            kind = chance.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
            if kind == "jump" and group < jumped_until:
                kind = "loss"  # one jump within another is one jump
            fault = _fault(chance, kind, group, shifted)
            if kind == "shift":
                shifted += fault.seconds
            if kind == "jump":
                jumped_until = fault.at + fault.seconds + 10.0
            faults.append(fault)
            if chance.random() > TOGETHER:
                break
            group += chance.uniform(0.0, WITHIN_S)
        at = group + chance.expovariate(1.0 / every_s)
    return tuple(sorted(faults, key=lambda one: one.at))


def _fault(chance: random.Random, kind: str, at: float, shifted: float) -> PlannedFault:
    match kind:
        case "resend":
            return PlannedFault(kind, at, count=chance.randint(2, 40))
        case "late resend":
            return PlannedFault(kind, at, seconds=chance.uniform(0.2, 9.0), count=chance.randint(1, 30))
        case "early":
            return PlannedFault(kind, at, seconds=chance.uniform(0.02, 0.09))
        case "shift":
            sign = -1.0 if shifted > 0.0 else 1.0 if shifted < 0.0 else chance.choice((-1.0, 1.0))
            return PlannedFault(kind, at, seconds=sign * chance.uniform(0.02, 0.09))
        case "loss":
            return PlannedFault(kind, at, count=round(50.0 ** chance.random()))
        case "jitter":
            return PlannedFault(kind, at, seconds=chance.uniform(5.0, 40.0), by=chance.uniform(0.001, 0.012))
        case "disorder":
            return PlannedFault(kind, at, count=chance.randint(2, 5))
        case "pause":
            return PlannedFault(kind, at, seconds=chance.uniform(0.5, 9.0))
        case "jump":
            by = chance.choice((-1.0, 1.0)) * 10.0 ** chance.uniform(1.5, 3.5)
            return PlannedFault(kind, at, seconds=chance.uniform(4.0, 30.0), by=by)
        case _:
            return PlannedFault(kind, at)


def count_faults(lives: Sequence[Life]) -> dict[str, int]:
    """How often each kind occurs."""
    found = dict.fromkeys(WEIGHTS, 0)
    for life in lives:
        for fault in life.faults:
            found[fault.kind] += 1
    return found
