"""One connection to one LSL outlet: samples, comparisons of the clocks, and whether it still stands.

liblsl's own recovery connects to a replacement without a word, so it must be noticed before that happens.
An inlet that does not recover reports at once that it is lost, but throws away what it had already
received.  So there are two: one that holds the samples and would recover, and a watch that
does not and is never read.  When the watch is lost, what the first still holds is taken out; liblsl looks
around for a second before it connects anywhere else, and should it ever have done so, it says so.
"""

import math
import time
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt
import pylsl

from models.errors import StreamError
from realtime.input_guards.stamps import LATEST_S, on_a_clock
from realtime.log import ClockMeasured, Received
from realtime.sources.lsl.search import describe_streams

ANSWER_S = 10.0
"""Longest wait for a stream that was found to answer, s."""
PULL_TIMEOUT_S = 0.2
"""Longest wait for a sample before it is looked whether the connection stands, s."""
PULL_MOST = 64
"""Most samples in an entry; a burst comes as several."""
BUFFER_S = 360
"""What liblsl keeps for us while we are busy, s.  It takes samples off the wire in a thread of its own that
needs no Python; beyond this bound it drops the oldest, and the clock counts a gap instead."""
SLOWEST_HZ = 1e-3
"""Slower streams are not believed (`realtime.channels.nirs_metadata`)."""
WATCH_SAMPLES = 16
"""What the watch may hold of what it does not read.  Never 1: closing a queue of one sample never ends in
liblsl 1.18 (below 2 Hz a buffer of one second is such a queue)."""
LAST_S = 0.2
"""How long after the watch was lost liblsl may take to hand over what it read before, s.  On a busy machine
its thread waits for a core; it looks for a replacement only after a second."""
LAST_MOST = 4096
"""Samples taken at once out of a connection that is lost: one call, so busy threads of ours delay it once."""
BRACKETS = 5
"""Readings of the wall clock of which the narrowest counts."""

GONE = (pylsl.util.LostError, pylsl.util.TimeoutError)


class StreamConnection:
    """Connects at once.

    Parameters
    ----------
    info : pylsl.StreamInfo
        As the resolver gave it.

    Raises
    ------
    StreamError
        It does not answer.
    """

    def __init__(self, info: pylsl.StreamInfo) -> None:
        self.found = info
        self._watch: pylsl.StreamInlet | None = None
        self.discarded = 0
        """Samples that had arrived and that liblsl threw away when the connection was lost."""
        try:
            self._inlet = pylsl.StreamInlet(info, max_buflen=BUFFER_S, processing_flags=0, as_numpy=True)
        except RuntimeError as error:  # liblsl's own words say nothing more
            raise StreamError(
                f"Found {describe_streams([info])}, but liblsl cannot connect to it ({error}). Look at what "
                "it says of its channels and rate."
            ) from error
        try:
            self.info: pylsl.StreamInfo = self._inlet.info(timeout=ANSWER_S)
        except GONE as error:
            raise self._silent() from error

    def _silent(self) -> StreamError:
        return StreamError(
            f"Found {describe_streams([self.found])}, but it does not answer within {ANSWER_S:g} s. Is it "
            "still there? A firewall may let the search through and not the data (LSL needs TCP and "
            "UDP ports 16572 to 16604)."
        )

    def open(self) -> ClockMeasured:
        """Ask for samples, then compare the clocks: that takes half a second, samples wait meanwhile.

        Raises
        ------
        StreamError
            It does not answer.
        """
        try:
            self._inlet.open_stream(timeout=ANSWER_S)
            self._watch = pylsl.StreamInlet(
                self.found, max_buflen=watch_buffer_s(self.found), recover=False, processing_flags=0
            )
            self._watch.open_stream(timeout=ANSWER_S)
            return self.measure()
        except GONE as error:
            raise self._silent() from error

    def close(self) -> None:
        """Let go of it; nothing may be asked of it any more."""
        for inlet in (self._inlet, self._watch):
            if inlet is not None:
                inlet.close_stream()
        del self._inlet  # only this ends liblsl's own search for a replacement
        self._watch = None

    # ------------------------------------------------------------- samples

    def pull(self) -> Received | None:
        """The next samples, with the first that comes; None after a while without."""
        # Return with the first sample: a decision may wait for it.
        samples, stamps = self._pull(PULL_TIMEOUT_S, 1)
        if not len(stamps):
            return None
        if self.waiting():  # a burst: whatever else is there already comes with it
            more, more_stamps = self._pull(0.0, PULL_MOST - 1)
            samples = np.concatenate([samples, more])
            stamps = np.concatenate([stamps, more_stamps])
        return _received(samples, stamps)

    def pull_last(self) -> list[Received]:
        """What liblsl still holds of a connection that is lost; empty when that was all."""
        samples, stamps = self._pull(LAST_S, LAST_MOST)
        return [
            _received(samples[first : first + PULL_MOST], stamps[first : first + PULL_MOST])
            for first in range(0, len(stamps), PULL_MOST)
        ]

    def waiting(self) -> int:
        """How many samples liblsl holds that were not pulled."""
        return int(self._inlet.samples_available())

    def _pull(self, timeout: float, most: int) -> tuple[npt.NDArray[Any], npt.NDArray[np.float64]]:
        try:
            samples, stamps = self._inlet.pull_chunk(timeout=timeout, max_samples=most)
        except pylsl.util.LostError:
            # liblsl never recovers a stream without a source_id, and hands out nothing of one that is lost.
            # It puts an empty sample behind them, to wake whoever waits.
            self.discarded = max(self.waiting() - 1, 0)
            return np.empty((0, self.info.channel_count())), np.empty(0)
        return samples, stamps

    def is_lost(self) -> bool:
        """Whether the outlet is gone, or the connection to it."""
        assert self._watch is not None
        try:
            self._watch.open_stream(timeout=0.0)  # it is open: this only asks
        except GONE:
            return True
        return False

    def was_replaced(self) -> bool:
        """Whether liblsl connected to another outlet by itself; what comes is not to be trusted."""
        return bool(self._inlet.was_clock_reset())

    # --------------------------------------------------------------- clocks

    def measure(self) -> ClockMeasured:
        """Compare the clocks as liblsl last did, not longer ago than a few seconds.

        Raises
        ------
        pylsl.util.TimeoutError, pylsl.util.LostError
            The other side does not answer.
        StreamError
            It answers with what no clock can be off.
        """
        offset = clock_offset(self._inlet, ANSWER_S)
        return ClockMeasured(pylsl.local_clock(), offset, utc_offset())

    def measure_afresh(self, timeout: float) -> ClockMeasured | None:
        """Compare the clocks now; None where the other side does not answer."""
        fresh = pylsl.StreamInlet(self.found, max_buflen=BUFFER_S, recover=False, processing_flags=0)
        with suppress(*GONE):
            offset = clock_offset(fresh, timeout)
            return ClockMeasured(pylsl.local_clock(), offset, utc_offset())
        return None


def watch_buffer_s(info: pylsl.StreamInfo) -> int:
    """Seconds of a stream that hold `WATCH_SAMPLES`, as liblsl counts them."""
    rate = info.nominal_srate()
    return max(1, math.ceil(WATCH_SAMPLES / max(rate, SLOWEST_HZ))) if rate > 0 else 1


def clock_offset(inlet: pylsl.StreamInlet, timeout: float) -> float:
    """What is to be added to the other side's stamps to get local time, s.

    Parameters
    ----------
    inlet : pylsl.StreamInlet
        Connected.
    timeout : float
        Longest wait for an answer, s.

    Raises
    ------
    pylsl.util.TimeoutError, pylsl.util.LostError
        It does not answer.
    StreamError
        It answers with what no clock can be off.
    """
    offset = float(inlet.time_correction(timeout=timeout))
    if not on_a_clock(offset):
        raise StreamError(
            f"The clock of the stream's machine is reported to be off by {offset:g} s; expected less than "
            f"{LATEST_S:g} s. Restart the program that sends the stream."
        )
    return offset


def utc_offset() -> float:
    """What is to be added to LSL's local clock to get UTC, s.

    The narrowest of a few brackets: between two readings the thread may have been suspended.
    """
    readings = []
    for _ in range(BRACKETS):
        before = pylsl.local_clock()
        utc = time.time()
        after = pylsl.local_clock()
        readings.append((after - before, utc - (before + after) / 2))
    return min(readings)[1]


def _received(samples: npt.NDArray[Any], stamps: npt.NDArray[np.float64]) -> Received:
    return Received(pylsl.local_clock(), stamps, np.ascontiguousarray(samples.T))
