"""Train by replay: a recording sent through the very code that runs live.

Nothing is filtered, referenced or normalised here that could not have been done at the bedside,
because nothing is done here at all: the recording becomes a log, and the core does the rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from realtime.core import Core, Plan
from realtime.signal import SignalSpec
from realtime.sources.recording import Recording, entries
from realtime.windows import Window


@dataclass(frozen=True, eq=False)
class ReplayedWindows:
    """The windows of one recording, usable or not, in order; times are the recording's.

    Parameters
    ----------
    delay_s : float
        Group delay of the pipeline, s.
    names : tuple of str
        Channels behind the pipeline, in order.
    places : tuple of int
        For each of them the number of its source-detector pair, from 0: its channels are lost together.
    """

    recording: Recording
    windows: Sequence[Window]
    delay_s: float
    names: tuple[str, ...]
    places: tuple[int, ...]

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
    spec = core.pipeline.spec_out
    return ReplayedWindows(recording, windows, core.pipeline.delay_s, spec.names, _places(spec))


def _places(spec: SignalSpec) -> tuple[int, ...]:
    keys = [channel.name if None in channel.pair else channel.pair for channel in spec.channels]
    number = {key: i for i, key in enumerate(dict.fromkeys(keys))}
    return tuple(number[key] for key in keys)
