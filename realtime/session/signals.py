"""Signals for whoever draws them: collected as they pass, thinned once a second, never in a decision's way.

While samples pass they are only noted down; binning and rounding are done on the session's timer, when no
entry waits.  More than ten times a second are thinned to pairs of least and greatest value, so that a spike
stays visible; nothing is averaged.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.arrays import Bools, Floats
from realtime.log import StreamOpened
from realtime.messages.channels import ChannelList
from realtime.messages.signals import PROCESSED, RAW, ChannelsQuality, Signals, Values
from realtime.quality.policy import Policy, bad_channels
from realtime.signal import Chunk, SignalSpec
from realtime.stages.homologues import mirrored
from realtime.windows import Window

TIMES_A_SECOND = 10
"""Times a second (local) of a message; a signal of this rate is not thinned."""
MOST_TIMES = 64
"""Times in one message: after a pause its intervals are longer."""
MOST_VALUES = 2**13
"""Values in one message: of many channels there are fewer times."""
MOST_HELD = 2**14
"""Samples that are held until the next message; of more, the oldest are forgotten."""
PROCESSED_FOR_S = 3.0
"""For so long (stream s) after the pipeline last gave something the raw signal is not shown, s."""
DIGITS = 6
"""Significant digits of a value."""


class Thinned(NamedTuple):
    """Times (n_times,) s, least and greatest values (n_channels, n_times); NaN where nothing was measured."""

    times: Floats
    low: Floats
    high: Floats


class SignalCollector:
    """Collects the signals of one session; used on its loop.

    Parameters
    ----------
    session, run : str, int
        Whose.
    policy : Policy
        Against which channels are held.
    """

    def __init__(self, session: str, run: int, policy: Policy) -> None:
        self._session, self._run, self._policy = session, run, policy
        self._sequence = 0
        self._revision = 0
        self.channels: ChannelList | None = None
        """Of the present stream; None before there is one."""
        self._names: tuple[str, ...] = ()
        self._speed = 1.0
        self._held: dict[str, list[Chunk]] = {RAW: [], PROCESSED: []}
        self._given = -np.inf  # stream s, when the pipeline last gave something
        self._shown = -np.inf  # stream s, of the last time that was sent
        self._window: Window | None = None

    # ------------------------------------------------------------- what passes

    def opened(
        self, stream: StreamOpened, spec_in: SignalSpec, spec_out: SignalSpec, *, standardised: bool
    ) -> None:
        """A stream was opened: what goes into the pipeline, and what comes out."""
        self._revision += 1
        self.channels = ChannelList.of(
            spec_in,
            spec_out,
            mirrored,
            standardised=standardised,
            session=self._session,
            run=self._run,
            revision=self._revision,
            stream=stream.name,
            origin=str(stream.origin.kind),
            speed=stream.origin.speed,
        )
        self._names = spec_out.names
        self._speed = stream.origin.speed
        self.restarted()

    def restarted(self) -> None:
        """Another clock: what was held has no time any more."""
        self._held = {RAW: [], PROCESSED: []}
        self._given = self._shown = -np.inf
        self._window = None

    def raw(self, chunk: Chunk) -> None:
        """Samples that go into the pipeline."""
        self._hold(RAW, chunk)

    def processed(self, chunk: Chunk) -> None:
        """Samples that came out of it."""
        if not chunk.missing.all():  # before its baseline is over, and in a gap, it gives times alone
            self._given = float(chunk.times[-1])
            self._hold(PROCESSED, chunk)

    def window(self, window: Window) -> None:
        """A window was completed, and its channels measured."""
        self._window = window

    def _hold(self, stage: str, chunk: Chunk) -> None:
        if chunk.n_samples:
            held = self._held[stage]
            held.append(chunk)
            while len(held) > 1 and sum(each.n_samples for each in held) > MOST_HELD:
                held.pop(0)

    # ------------------------------------------------------------- what is sent

    def take(self, *, seconds: float, dropped: int, utc: Callable[[float], float | None]) -> Signals | None:
        """What came since the last time; None where nothing did.

        Parameters
        ----------
        seconds : float
            Local s since the last time.
        dropped : int
            Messages that could not be sent so far.
        utc : callable
            UTC, seconds since 1970, of a stream time (s); None where that is not known.
        """
        if self.channels is None:
            return None
        raw, processed = self._held[RAW], self._held[PROCESSED]
        stage = PROCESSED
        if not processed and raw and raw[-1].times[-1] > self._given + PROCESSED_FOR_S:
            stage = RAW
        chunks = self._held[stage]
        self._held = {RAW: [] if stage is RAW or processed else raw, PROCESSED: []}
        quality = self._quality()
        if not chunks and quality is None:
            return None
        rows = len((self.channels.raw if stage is RAW else self.channels.processed).channels)
        thinned, interval, thin = self._thin(chunks, rows, seconds)
        known = utc(float(thinned.times[0])) is not None if len(thinned.times) else False
        self._sequence += 1
        return Signals(
            session=self._session,
            run=self._run,
            revision=self._revision,
            sequence=self._sequence,
            dropped=dropped,
            stage=stage,
            interval_s=round(interval, 6),
            times=np.round(thinned.times, 4).tolist(),
            times_utc=[_iso(utc(time) or 0.0) for time in thinned.times.tolist()] if known else None,
            low=_values(thinned.low),
            high=_values(thinned.high) if thin else None,
            quality=quality,
        )

    def _thin(self, chunks: Sequence[Chunk], rows: int, seconds: float) -> tuple[Thinned, float, bool]:
        """At most so many times as a message holds; the interval (s), and whether anything was thinned."""
        if not chunks:
            empty = np.empty((rows, 0))
            return Thinned(np.empty(0), empty, empty), 1.0, False
        times = np.concatenate([chunk.times for chunk in chunks])
        data = np.concatenate([chunk.data[:rows] for chunk in chunks], axis=1)
        missing: Bools = np.concatenate([chunk.missing[:rows] for chunk in chunks], axis=1)
        data[missing] = np.nan
        most = min(MOST_TIMES, max(1, MOST_VALUES // (2 * rows)))
        wanted = min(most, max(1, round(TIMES_A_SECOND * max(seconds, 1.0) * 1.5)))
        if len(times) <= wanted:
            self._shown = float(times[-1])
            steps = np.diff(times)
            usual = (
                float(np.median(steps)) if len(steps) else chunks[-1].spec.rate and 1 / chunks[-1].spec.rate
            )
            return Thinned(times, data, data), usual or 1.0, False
        span = float(times[-1] - times[0])
        width = max(self._speed / TIMES_A_SECOND, span / most * (1 + 1e-9), 1e-6)
        thinned = thin(times, data, width)
        if len(thinned.times) and thinned.times[0] <= self._shown:  # the interval was cut by the last message
            thinned.times[0] = min(float(np.nextafter(self._shown, np.inf)) + 1e-3, float(times[-1]))
        self._shown = float(thinned.times[-1])
        return thinned, width, True

    def _quality(self) -> ChannelsQuality | None:
        window, self._window = self._window, None
        if window is None:
            return None
        measured, kept = window.channels, len(self.channels.processed.channels) if self.channels else 0
        if measured is None:  # wholly inside a gap
            nothing: Values = [None] * kept
            return ChannelsQuality(
                window_start=window.start,
                window_end=window.end,
                window_reasons=[str(reason) for reason in window.reasons],
                reasons={name: ["gap"] for name in self._names[:kept]},
                coverage=[0.0] * kept,
                scalp_coupling=nothing,
                peak_power=nothing,
                flat_s=nothing,
                saturated=nothing,
                moving=nothing,
            )
        reasons: dict[str, list[str]] = {}
        for reason, bad in bad_channels(measured, self._policy).items():
            for row in np.flatnonzero(bad[:kept]).tolist():
                reasons.setdefault(self._names[row], []).append(str(reason))
        return ChannelsQuality(
            window_start=window.start,
            window_end=window.end,
            window_reasons=[str(reason) for reason in window.reasons],
            reasons=reasons,
            coverage=_row(measured.coverage[:kept]),
            scalp_coupling=_row(measured.scalp_coupling[:kept]),
            peak_power=_row(measured.peak_power[:kept]),
            flat_s=_row(measured.flat_s[:kept]),
            saturated=_row(measured.saturated[:kept]),
            moving=_row(measured.moving[:kept]),
        )


def thin(times: Floats, data: Floats, width: float) -> Thinned:
    """Least and greatest value of each interval of a grid; intervals without a sample are left out.

    Parameters
    ----------
    times : (n_samples,) float64
        s, rising.
    data : (n_channels, n_samples) float64
        NaN where nothing was measured.
    width : float
        Of an interval, s.

    Returns
    -------
    Thinned
        At the middle of each interval; NaN where a channel was not measured in all of it.
    """
    place = np.floor(times / width)
    first = np.flatnonzero(np.diff(place, prepend=-np.inf))
    low = np.fmin.reduceat(data, first, axis=1)
    high = np.fmax.reduceat(data, first, axis=1)
    return Thinned((place[first] + 0.5) * width, low, high)


def rounded(values: Floats) -> Floats:
    """To `DIGITS` significant digits; NaN stays.

    Parameters
    ----------
    values : (...,) float64
        Anything.

    Returns
    -------
    (...,) float64
        The same, shorter.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        exponent = np.floor(np.log10(np.abs(values)))
    scale = np.where(np.isfinite(exponent), 10.0 ** np.clip(DIGITS - 1 - exponent, -300, 300), 1.0)
    return np.asarray(np.round(values * scale) / scale)


def _values(data: Floats) -> list[Values]:
    return [_row(row) for row in data]


def _row(values: npt.NDArray[np.floating]) -> Values:
    short = rounded(np.asarray(values, dtype=np.float64))
    finite = np.isfinite(short)
    row: list[float | None] = short.tolist()
    if not finite.all():
        return [value if good else None for value, good in zip(row, finite.tolist(), strict=True)]
    return row


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
