"""Train by replay: a recording sent through the very code that runs live.

Nothing is filtered, referenced or normalised here that could not have been done at the bedside,
because nothing is done here at all: the recording becomes a log, and the core does the rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from realtime.core import Core, Plan
from realtime.sources.recording import Recording, entries
from realtime.windows import Window


@dataclass(frozen=True, eq=False)
class ReplayedWindows:
    """The windows of one recording, usable or not, in order; times are the recording's.

    Parameters
    ----------
    delay_s : float
        Group delay of the pipeline, s.
    """

    recording: Recording
    windows: Sequence[Window]
    delay_s: float

    @property
    def usable(self) -> list[Window]:
        """The windows that may be predicted."""
        return [window for window in self.windows if window.usable]


def replay(recording: Recording, plan: Plan, *, chunk_samples: int = 2048) -> ReplayedWindows:
    """Send a recording through the live code; how many samples a chunk has changes nothing but speed.

    Raises
    ------
    SignalError
        The recording lacks channels that the plan needs.
    """
    core = Core(plan)
    windows: list[Window] = []
    for entry in entries(recording, chunk_samples=chunk_samples):
        windows += core.feed(entry)
    assert core.pipeline is not None
    return ReplayedWindows(recording, windows, core.pipeline.delay_s)
