"""The law of a stage: what every causal step of the pipeline promises.

A stage is made for one incoming signal and keeps its past in plain arrays.  It is causal and has
no flush: a file ends where a stream would.  One contract test runs over the registry
(`realtime.stages.STAGES`) and holds these laws:

- **chunk invariance**: cutting the input differently gives the same output; number, times and
  missing-mask exactly, values within 1e-9 of the channel's scale;
- **prefix invariance**: the output for a prefix of the input is a prefix of the output;
- **restore**: ``state()`` put into a fresh stage by ``restore`` continues bitwise the same, and a
  state is arrays and JSON values only;
- **gap**: after ``reset(Reset.GAP)`` a stage gives nothing wrong: what it cannot know yet is missing.

A stage marks as missing what it gives during its own warm-up, counted for each channel from its
first measured sample after a start; so a later stage never learns from a transient.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from realtime.signal import Chunk, SignalSpec

State = Mapping[str, npt.NDArray[Any] | float | int | str | bool | None]


class Reset(StrEnum):
    """Why a stage starts afresh."""

    GAP = "gap"
    """Samples were lost for longer than the pipeline bridges; the source is the same, so what was
    learnt of the person (a baseline, running statistics) stays and what was carried from the
    last sample (filter states) goes."""
    CLOCK = "clock"
    """The source's clock was reset: times start anew.  A stage forgets everything."""
    STREAM = "stream"
    """Another stream replaced this one.  A stage forgets everything."""


class Stage(Protocol):
    """One causal step from signal to signal.

    Its constructor takes the incoming `SignalSpec` first and its settings by keyword; the settings
    are what a recipe or a bundle's card names.  A static method ``check`` takes an outline of the
    signal (`realtime.stages.outline`) and the same settings, refuses what no such signal could be given, and
    says what would come out.
    """

    spec_in: SignalSpec
    spec_out: SignalSpec

    @property
    def delay_s(self) -> float:
        """Group delay in seconds at the centre of what the stage lets through."""
        ...

    @property
    def warmup_s(self) -> float:
        """Seconds of measured input after a full start before the first output that is not missing."""
        ...

    def process(self, chunk: Chunk) -> Chunk:
        """Take the next samples (of ``spec_in``), give those that follow from them (of ``spec_out``)."""
        ...

    def reset(self, reason: Reset) -> None:
        """Start afresh, as far as the reason asks."""
        ...

    def state(self) -> State:
        """Everything the future depends on, copied: arrays and JSON values."""
        ...

    def restore(self, state: State) -> None:
        """Continue from a `state` of a stage with the same input and settings."""
        ...


@runtime_checkable
class TakesEvents(Protocol):
    """What a stage has besides, if events matter to it.

    An event may be heard of before the first sample of its time (a file's always are) or late.  Heard of at
    any point before that sample, it gives the same output; heard of later, it changes nothing that was
    given.
    """

    def event(self, time: float, label: str) -> None:
        """Hear of an event: what it was, and when (s, stream time)."""
        ...


def carried_copy(state: Mapping[str, Any]) -> dict[str, Any]:
    """Copy a state so that neither side can change the other's arrays."""
    return {
        name: np.array(value) if isinstance(value, np.ndarray) else value for name, value in state.items()
    }
