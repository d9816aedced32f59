"""What is known of a signal before there is one: a pipeline can be checked from a recipe alone.

Every stage says, by its ``check``, what its settings must be and what becomes of such an outline; its
constructor asks the same of the signal that really comes.  So every bound stands once, and what is
wrong with a recipe is reported before any recording is read.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import inf
from typing import Self

from models.bounds import MOST_S
from models.errors import RecipeError, SignalError
from realtime.signal import UNITS, Kind, SignalSpec

MOST_BYTES = 2**28
"""Most memory that one buffer of a pipeline or of its windows may take."""


@dataclass(frozen=True)
class Outline:
    """What a signal may be.

    Parameters
    ----------
    kinds : frozenset of (Kind, str)
        Kinds and units that channels may have.
    rate : float
        Hz; 0 where it is not known yet.
    near, far : float
        Least and greatest source-detector distance that channels may have, m.
    warmup_s : float
        Declared warm-up of the stages so far, s.
    """

    kinds: frozenset[tuple[Kind, str]]
    rate: float = 0.0
    near: float = 0.0
    far: float = inf
    warmup_s: float = 0.0

    @classmethod
    def of(cls, spec: SignalSpec) -> Self:
        """The outline of a signal that is there, whose distances its stages look at themselves."""
        return cls(frozenset((channel.kind, channel.unit) for channel in spec.channels), spec.rate)

    @classmethod
    def of_kinds(cls, kinds: Iterable[Kind]) -> Self:
        """The outline of any signal of these kinds, in whatever unit."""
        return cls(frozenset((kind, unit) for kind in kinds for unit in UNITS[kind]))

    def some(self, stage: str, wanted: Iterable[tuple[Kind, str]], expected: str) -> Self:
        """The same, if any channel may be of these kinds.

        Raises
        ------
        SignalError
            None can be.
        """
        if not self.kinds & frozenset(wanted):
            found = ", ".join(sorted(f"{kind} ({unit})" for kind, unit in self.kinds)) or "no channel at all"
            raise SignalError(
                f"Stage {stage!r} has no channel to work on: what reaches it is {found}; expected {expected}."
            )
        return self

    def turned(self, old: Iterable[tuple[Kind, str]], new: Iterable[tuple[Kind, str]]) -> Self:
        """The same with some kinds replaced."""
        return replace(self, kinds=(self.kinds - frozenset(old)) | frozenset(new))

    def only(self, kinds: Iterable[tuple[Kind, str]]) -> Self:
        """The same without other kinds."""
        return replace(self, kinds=self.kinds & frozenset(kinds))

    def warmed(self, seconds: float) -> Self:
        """The same behind a stage of such a warm-up.

        Raises
        ------
        RecipeError
            All stages together need more than `MOST_S`.
        """
        whole = self.warmup_s + seconds
        if whole > MOST_S:
            raise RecipeError(
                f"The pipeline's stages need {whole:.0f} s to warm up; expected {MOST_S:g} s or less."
            )
        return replace(self, warmup_s=whole)

    def within(self, near: float, far: float) -> Self:
        """The same with channels of such distances (m) only."""
        return replace(self, near=max(self.near, near), far=min(self.far, far))


def each_unit(*kinds: Kind) -> tuple[tuple[Kind, str], ...]:
    """Kinds in whatever unit."""
    return tuple((kind, unit) for kind in kinds for unit in UNITS[kind])


def check_memory(what: str, n_bytes: float) -> None:
    """Refuse what would exhaust the memory.

    Raises
    ------
    RecipeError
        It is more than `MOST_BYTES`.
    """
    if n_bytes > MOST_BYTES:
        raise RecipeError(
            f"{what} would take {n_bytes / 2**20:.0f} MiB of memory; expected {MOST_BYTES >> 20} MiB or "
            "less. Take a shorter window, a lower rate or fewer channels."
        )
