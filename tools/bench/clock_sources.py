"""Sources whose true times are known, one family for each thing that sources do to stamps.

A source is a list of samples as they would come (raw stamp on the source's clock, frame count where the
device counts, true time on our clock) and the comparisons of the two clocks between them.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from models.arrays import Floats

ON_THE_WAY_S = 0.005
"""From the device to us, s."""
COMPARED_EVERY_S = 5.0
"""How often a session compares the clocks, s."""


@dataclass(frozen=True, eq=False)
class KnownSource:
    """Samples in the order in which they come, and what is true of them.

    Parameters
    ----------
    nominal : float
        Declared rate, Hz; 0 where none is declared.
    period : float
        True mean period, s.
    true : (n_samples,) float64
        When each sample was measured, s on our clock.
    stamps : (n_samples,) float64
        As the source stamps them, s on its own clock.
    frames : (n_samples,) float64 or None
        The device's count of its frames.
    comparisons : tuple of (int, float)
        Before which sample the clocks were compared, and the offset (s) that was found.
    restarts : tuple of int
        Samples before which the source was started anew, with another clock, and says so.
    pushed : (n_samples,) float64 or None
        When each sample was pushed, s on our clock; None where that was as soon as it was measured.
    """

    nominal: float
    period: float
    true: Floats
    stamps: Floats
    frames: Floats | None = None
    comparisons: tuple[tuple[int, float], ...] = ()
    restarts: tuple[int, ...] = ()
    pushed: Floats | None = None

    @property
    def arrived(self) -> Floats:
        """When each sample came, (n_samples,) s on our clock."""
        came: Floats = np.maximum.accumulate(self.true if self.pushed is None else self.pushed) + ON_THE_WAY_S
        return came

    def take(self, order: npt.NDArray[np.intp]) -> "KnownSource":
        """The samples in another order, some left out, some again; comparisons stay where they were in
        time."""
        frames = None if self.frames is None else self.frames[order]
        assert self.pushed is None  # what a device does to samples it does before it pushes them
        firsts = np.maximum.accumulate(order) if len(order) else order
        moved = tuple(
            (int(np.searchsorted(firsts, at)), offset)
            for at, offset in self.comparisons
            if int(np.searchsorted(firsts, at)) < len(order)
        )
        return replace(
            self, true=self.true[order], stamps=self.stamps[order], frames=frames, comparisons=moved
        )


def grid(
    rng: np.random.Generator, n: int, rate: float | None = None, wrong: float | None = None
) -> KnownSource:
    """Exact stamps; the declared rate is right, wrong by up to a fifth, or absent."""
    rate = float(np.exp(rng.uniform(0.0, math.log(100.0)))) if rate is None else rate
    declared = rate * (1.0 + (rng.choice([0.0, 0.0, rng.uniform(-0.2, 0.2)]) if wrong is None else wrong))
    true = rng.uniform(0, 2e5) + np.arange(n) / rate
    nominal = declared if wrong is not None or rng.random() < 0.85 else 0.0
    return KnownSource(nominal, 1.0 / rate, true, true.copy())


def jittered(rng: np.random.Generator, source: KnownSource) -> KnownSource:
    """Stamps made when somebody got round to it; symmetric, or only ever late."""
    n = len(source.true)
    size = float(np.exp(rng.uniform(math.log(0.002), math.log(0.5)))) * min(source.period, 0.15)
    kind = rng.choice(["uniform", "normal", "late", "rounded"])
    noise = {
        "uniform": rng.uniform(-size, size, n),
        "normal": rng.normal(0, size / 2, n),
        "late": rng.exponential(size / 2, n),
        "rounded": np.round(source.stamps / size) * size - source.stamps,
    }[str(kind)]
    return replace(source, stamps=source.stamps + noise)


def pushed(rng: np.random.Generator, source: KnownSource) -> KnownSource:
    """Chunks pushed with one stamp: those inside are made up from the declared rate."""
    nominal = source.nominal or 1.0 / source.period
    most = max(2, min(50, int(15.0 * nominal)))
    sizes = rng.integers(1 if rng.random() < 0.2 else 2, most + 1, size=int(rng.integers(1, 4)))
    if sizes.max() < 2:
        sizes = np.array([2])
    delay = rng.uniform(0.0, 0.01)
    stamps, pushed = source.stamps.copy(), source.true.copy()
    at = turn = 0
    while at < len(stamps):
        size = int(min(sizes[turn % len(sizes)], len(stamps) - at))
        late = rng.uniform(0, delay)
        last = source.stamps[at + size - 1] + late
        stamps[at : at + size] = last - np.arange(size)[::-1] / nominal
        pushed[at : at + size] = source.true[at + size - 1] + late
        at, turn = at + size, turn + 1
    return replace(source, nominal=nominal, stamps=stamps, pushed=pushed)


def lossy(rng: np.random.Generator, source: KnownSource) -> KnownSource:
    """Samples that never come: single ones, and stretches."""
    n = len(source.true)
    there = rng.random(n) > rng.choice([0.01, 0.05, 0.1])
    for at in rng.integers(0, n, size=int(rng.integers(0, 4))):
        there[at : at + int(rng.integers(1, 60))] = False
    return source.take(np.flatnonzero(there))


def repeated(rng: np.random.Generator, source: KnownSource) -> KnownSource:
    """Samples, and whole chunks, that come again."""
    order = list(range(len(source.true)))
    for _ in range(int(rng.integers(1, 12))):
        at = int(rng.integers(1, len(order)))
        size = int(rng.choice([1, 1, 2, 10]))
        order[at:at] = order[max(0, at - size) : at]
    return source.take(np.array(order))


def disordered(rng: np.random.Generator, source: KnownSource) -> KnownSource:
    """Samples that overtake each other."""
    order = np.arange(len(source.true))
    for at in rng.integers(0, len(order) - 4, size=int(rng.integers(1, 12))):
        span = int(rng.integers(2, 4))
        order[at : at + span] = rng.permutation(order[at : at + span])
    return source.take(order)


def paused(rng: np.random.Generator, source: KnownSource) -> KnownSource:
    """The device stops for a while and goes on, its clock running."""
    shift = np.zeros(len(source.true))
    for at in rng.integers(1, len(shift), size=int(rng.integers(1, 4))):
        shift[at:] += rng.uniform(1.5, 60.0)
    return replace(source, true=source.true + shift, stamps=source.stamps + shift)


def shifted(rng: np.random.Generator, source: KnownSource) -> KnownSource:
    """The grid moves by less than a period, once or a few times; true is what is stamped."""
    shift = np.zeros(len(source.true))
    for at in rng.integers(1, len(shift), size=int(rng.integers(1, 5))):
        shift[at:] += rng.uniform(-0.9, 0.9) * source.period
    return replace(source, true=source.true + shift, stamps=source.stamps + shift)


def short_steps(rng: np.random.Generator, source: KnownSource) -> KnownSource:
    """Single stamps that are early or late by part of a period."""
    stamps = source.stamps.copy()
    for at in rng.integers(1, len(stamps), size=int(rng.integers(1, 20))):
        stamps[at] += rng.uniform(-0.95, 0.95) * source.period
    return replace(source, stamps=stamps)


def drifting(rng: np.random.Generator, source: KnownSource) -> KnownSource:
    """The source's clock runs fast or slow, as comparisons say."""
    skew = rng.uniform(-5e-4, 5e-4)
    away = skew * (source.stamps - source.stamps[0])
    return compared(rng, replace(source, stamps=source.stamps + away), 1e-5, offsets=-away)


def wandering(rng: np.random.Generator, source: KnownSource) -> KnownSource:
    """The device's sampling wanders by up to 80 ms; its stamps tell it truly."""
    n = len(source.true)
    if rng.random() < 0.5:
        swing, turn = rng.uniform(0.005, 0.08), rng.uniform(20.0, 200.0)
        wander = swing * np.sin(2 * np.pi * (source.true - source.true[0]) / turn + rng.uniform(0, 6))
    else:
        wander = np.cumsum(rng.normal(0, rng.uniform(0.0005, 0.01) * source.period, n))
    return replace(source, true=source.true + wander, stamps=source.stamps + wander)


def set_back(rng: np.random.Generator, source: KnownSource) -> KnownSource:
    """The source's clock is set back or forward and does not say so; true is what it then stamps."""
    at = int(rng.integers(10, len(source.true) - 5))
    by = float(rng.choice([-1, 1]) * np.exp(rng.uniform(math.log(3.0), math.log(4000.0))))
    shift = np.where(np.arange(len(source.true)) >= at, by, 0.0)
    return replace(source, true=source.true + shift, stamps=source.stamps + shift)


def restarted(rng: np.random.Generator, source: KnownSource) -> KnownSource:
    """The source is started again with another clock; the session knows and compares anew."""
    at = int(rng.integers(20, len(source.true) - 20))
    by = rng.uniform(-5000, 5000)
    gap = rng.uniform(0.5, 20)
    later = np.arange(len(source.true)) >= at
    noise = 1e-5
    source = replace(source, true=source.true + gap * later, stamps=source.stamps + (gap + by) * later)
    marks = [(0, rng.normal(0, noise)), (at, -by + rng.normal(0, noise))]
    return replace(source, comparisons=tuple(marks), restarts=(at,))


def counted(rng: np.random.Generator, source: KnownSource) -> KnownSource:
    """The device counts its frames; jitter and losses then do not mix."""
    n = len(source.true)
    source = replace(source, frames=np.arange(float(n)))
    return lossy(rng, jittered(rng, source))


def compared(
    rng: np.random.Generator,
    source: KnownSource,
    noise: float,
    *,
    wild: float = 0.0,
    offsets: Floats | None = None,
) -> KnownSource:
    """Clocks compared every few seconds, with noise, and perhaps wildly wrong now and then."""
    step = max(1, round(COMPARED_EVERY_S / source.period))
    marks = []
    for at in range(0, len(source.true), step):
        offset = rng.normal(0, noise) + (0.0 if offsets is None else float(offsets[at]))
        if at and rng.random() < wild:
            offset += float(rng.choice([-1, 1]) * np.exp(rng.uniform(math.log(0.1), math.log(1e5))))
        marks.append((at, offset))
    return replace(source, comparisons=tuple(marks))


def noisy_comparisons(rng: np.random.Generator, source: KnownSource) -> KnownSource:
    """Comparisons good to 10 us, or to 5 ms."""
    return compared(rng, source, float(np.exp(rng.uniform(math.log(1e-5), math.log(5e-3)))))


def wild_comparisons(rng: np.random.Generator, source: KnownSource) -> KnownSource:
    """One comparison in ten is wrong by anything up to a day."""
    return compared(rng, source, 1e-5, wild=0.1)


Change = Callable[[np.random.Generator, KnownSource], KnownSource]

_SIMPLE: dict[str, tuple[Change, ...]] = {
    "grid": (),
    "jitter": (jittered,),
    "pushed chunks": (pushed,),
    "losses": (lossy,),
    "duplicates": (repeated,),
    "disorder": (disordered,),
    "pauses": (paused,),
    "shifted grid": (shifted,),
    "short steps": (short_steps,),
    "drift": (drifting,),
    "wandering": (wandering,),
    "set back or forward": (set_back,),
    "restarts": (restarted,),
    "frame counters": (counted,),
    "noisy comparisons": (noisy_comparisons,),
    "wild comparisons": (wild_comparisons,),
}
FAMILIES: dict[str, tuple[Change, ...]] = {
    **_SIMPLE,
    "jitter and losses": (jittered, lossy),
    "pushed chunks and losses": (lossy, pushed),
    "losses, shift, comparisons": (shifted, lossy, noisy_comparisons),
    "duplicates across comparisons": (noisy_comparisons, repeated),
    "short steps, duplicates, losses": (short_steps, lossy, repeated),
}
"""What is done to an exact grid, in order, by the family's name."""
_MIXED: tuple[Change, ...] = (lossy, paused, shifted, short_steps, wandering, repeated, disordered)


def make(family: str, seed: int, n: int = 1200) -> KnownSource:
    """One source of a family; the same for the same seed."""
    rng = np.random.default_rng([seed, *family.encode()])
    if family == "combinations":
        source = grid(rng, n)
        if rng.random() < 0.5:
            source = jittered(rng, source)
        for index in rng.permutation(len(_MIXED))[: int(rng.integers(2, 4))]:
            source = _MIXED[int(index)](rng, source)
        return noisy_comparisons(rng, source) if rng.random() < 0.3 else source
    source = grid(rng, n)
    for change in FAMILIES[family]:
        source = change(rng, source)
    return source
