"""Which windows are usable, which are not and why, and which are usable without some channels."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.arrays import Bools, Floats
from models.novelty import Novelty
from realtime.quality.channels import ChannelQuality
from realtime.quality.displacement import Displacement
from realtime.quality.policy import ChannelMeasurement, Policy, Reason, bad_channels, first_reasons
from realtime.signal import Chunk, SignalSpec
from realtime.windows import Window

TIMES_MATTER_S = 0.1
"""Times that are wrong by less change no window of haemodynamics, s."""
ENOUGH_SLACK = 1e-9
"""A share of channels is a quotient: 0.7 of ten channels is seven."""


class _Assessment(NamedTuple):
    """Reasons against the window, channels that were rejected, and its novelty."""

    reasons: tuple[Reason, ...] = ()
    rejected: Mapping[Reason, tuple[str, ...]] = MappingProxyType({})
    novelty: float | None = None


_NOT_ASSESSED = _Assessment()


class WindowQuality:
    """What is known of each window, held against the policy.

    Parameters
    ----------
    spec_in, spec_out : SignalSpec
        What goes into the pipeline, and what comes out.
    length_s : float
        Of the windows, s.
    policy : Policy
        When a window is usable.
    novelty : Novelty or None
        What windows looked like in training; None where that is not known.
    sides : (n_rows, n_channels) bool, or None
        Which channels of the output are of each row of the novelty; None means that its rows are channels.
    n_displacements : int
        Channels of framewise displacement that the stream has beside the signal.
    """

    def __init__(
        self,
        spec_in: SignalSpec,
        spec_out: SignalSpec,
        *,
        length_s: float,
        policy: Policy,
        novelty: Novelty | None,
        sides: Bools | None = None,
        n_displacements: int = 0,
    ) -> None:
        self._displacement = Displacement(n_displacements, 1.0 / spec_out.rate) if n_displacements else None
        self.signals = ChannelQuality(spec_in, spec_out, length_s=length_s, policy=policy)
        self._names = spec_out.names
        self._policy = policy
        self._novelty = novelty
        self._sides = sides

    def restart(self) -> None:
        """Forget everything: another clock, or another stream."""
        self.signals.restart()
        if self._displacement is not None:
            self._displacement.restart()

    def take(self, chunk: Chunk, uncertainty: Floats, displacement: Floats | None = None) -> None:
        """Keep what goes into the pipeline, before it does.

        Parameters
        ----------
        chunk : Chunk
            The samples.
        uncertainty : (n_samples,) float64
            Uncertainty of each time, s.
        displacement : (n_displacements, n_samples) float64, or None
            Framewise displacement, m; NaN where it is not known.
        """
        self.signals.recent.take(chunk, uncertainty)
        if self._displacement is not None and displacement is not None:
            self._displacement.take(chunk.times, displacement)

    def forget_before(self, start: float | None, rate: float) -> None:
        """No window to come begins before this stream time (s); None where that is not known yet.

        ``rate`` is that of the raw samples, Hz.
        """
        self.signals.recent.forget_before(start)
        if self._displacement is not None:
            self._displacement.forget_before(start, rate)

    def of(self, window: Window, rate: float) -> Window:
        """Whether a window is usable; windows in the order in which they were cut.

        Parameters
        ----------
        window : Window
            As `realtime.windows.Windows` gives it.
        rate : float
            Of the raw samples, Hz.
        """
        where = self.signals.samples_of(window.start, window.end, rate)
        uncertainty = self.signals.time_uncertainty(where)
        channels = window.channels
        if channels is None:  # wholly inside a gap
            return replace(window, time_uncertainty_s=uncertainty)
        quality = window.quality
        measured = self.signals.measure(where, window.start, window.end, rate)
        if measured is not None:
            channels = self.signals.of_outputs(measured, channels)
            quality = measured.summary
        assessed = _NOT_ASSESSED if window.reasons else self._assess(window.data, channels)
        most = self._policy.max_time_uncertainty
        if most is not None and uncertainty > max(most / rate, TIMES_MATTER_S) and not window.reasons:
            assessed = assessed._replace(reasons=(*assessed.reasons, Reason.TIMING))
        if self._displacement is not None:
            moved = self._displacement.largest(window.start, window.end, rate)
            quality = {**quality, "displacement": moved}
            furthest = self._policy.max_displacement
            if moved is not None and furthest is not None and moved > furthest and not window.reasons:
                assessed = assessed._replace(reasons=(*assessed.reasons, Reason.MOVED))
        return replace(
            window,
            reasons=window.reasons or assessed.reasons,
            rejected_channels=assessed.rejected,
            quality=quality,
            novelty=assessed.novelty,
            time_uncertainty_s=uncertainty,
            channels=channels,
        )

    def _assess(self, data: npt.NDArray[np.float32] | None, channels: ChannelMeasurement) -> _Assessment:
        """Hold the channels against the policy, and what is left against the training."""
        bad = bad_channels(channels, self._policy)
        if data is None:  # nothing at all was measured, whatever the policy asks
            return _Assessment(tuple(bad) or (Reason.COVERAGE,))
        good: Bools = np.ones(len(self._names), dtype=bool)
        rejected: Mapping[Reason, tuple[str, ...]] = {}
        if bad:
            good = ~np.logical_or.reduce(list(bad.values()))
            rejected = first_reasons(bad, self._names)
            if np.count_nonzero(good) < self._policy.min_channels * len(good) - ENOUGH_SLACK:
                return _Assessment(tuple(bad), rejected)
            data[~good] = 0.0  # the window's own copy
        if self._novelty is None:
            return _Assessment((), rejected)
        score = round(self._novelty.score(data, good, self._sides), 4)
        most = self._policy.max_novelty
        return _Assessment((Reason.NOVELTY,) if most is not None and score > most else (), rejected, score)
