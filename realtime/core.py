"""The core: from the ordered log to windows, and from logits to decisions.  A pure function.

Nothing here reads a clock, draws a number or knows a neighbour: all that comes in are log entries
(`realtime.log`) and logits.  So a live session, its journal fed back, and a recording turned into
entries all run through the same code, and the same entries give the same decisions.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt

from models.errors import BundleError, SignalError, StreamError
from models.probabilities import probabilities
from models.typed import misfit
from realtime.clock import Clock
from realtime.decision import ABSTAIN, Decision
from realtime.evidence import RunningEvidence
from realtime.log import (
    ClockMeasured,
    Entry,
    Origin,
    Produced,
    Received,
    SessionStarted,
    StreamOpened,
    StreamReset,
)
from realtime.matching import match_channels, merged
from realtime.pipeline import Pipeline
from realtime.quality import Policy, Reason
from realtime.signal import Chunk, Floats, SignalSpec
from realtime.stages.base import Reset
from realtime.windows import Window, Windows

SLOWEST = 0.5
"""Least rate of a signal, as a share of the model's: below it most of the grid would be interpolated."""


class CardLike(Protocol):
    """What the core needs to know of a bundle's card (`models.bundle.Card`)."""

    @property
    def input(self) -> Mapping[str, Any]: ...  # noqa: D102
    @property
    def pipeline(self) -> Sequence[Mapping[str, Any]]: ...  # noqa: D102
    @property
    def window(self) -> Mapping[str, float]: ...  # noqa: D102
    @property
    def labels(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def calibration(self) -> Mapping[str, float]: ...  # noqa: D102
    @property
    def policy(self) -> Mapping[str, float]: ...  # noqa: D102
    @property
    def evidence(self) -> Mapping[str, Any]: ...  # noqa: D102
    @property
    def hash(self) -> str: ...  # noqa: D102


@dataclass(frozen=True)
class Plan:
    """Everything but the data that windows and decisions follow from.

    Parameters
    ----------
    spec : SignalSpec
        The channels that are needed, as they come from the device.
    pipeline : sequence of mappings
        Stage settings, in order.
    length_s, step_s : float
        Window length and step, s.
    labels : tuple of str
        In the order of the network's outputs; empty where only windows are wanted.
    temperature : float
        Logits are divided by it before the softmax (Guo et al. 2017).
    policy : Policy
        When a window is judged.
    memory_s : float or None
        Time constant of the running evidence, s; None never forgets.
    model_hash : str
        Hash of the bundle.
    """

    spec: SignalSpec
    pipeline: Sequence[Mapping[str, Any]]
    length_s: float = 7.0
    step_s: float = 1.0
    labels: tuple[str, ...] = ()
    temperature: float = 1.0
    policy: Policy = field(default_factory=Policy)
    memory_s: float | None = None
    model_hash: str = ""

    @classmethod
    def from_card(cls, card: CardLike) -> Self:
        """The plan that a bundle's card holds.

        Raises
        ------
        BundleError
            The card holds something else.
        """
        try:
            plan = cls(
                spec=SignalSpec.from_json(card.input),
                pipeline=card.pipeline,
                length_s=card.window["length_s"],
                step_s=card.window["step_s"],
                labels=tuple(card.labels),
                temperature=card.calibration.get("temperature", 1.0),
                policy=Policy(**card.policy),
                memory_s=card.evidence.get("memory_s"),
                model_hash=card.hash,
            )
        except (SignalError, TypeError) as error:
            raise BundleError(f"The card cannot be used: {error}. Train again.") from error
        if wrong := misfit(plan):
            raise BundleError(f"The card cannot be used: {wrong}. Train again.")
        return plan


class Core:
    """From log entries to windows, and from their logits to decisions.

    Parameters
    ----------
    plan : Plan
        What is computed.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.session = ""
        self.run = 0
        self.origin = Origin()
        self.clock: Clock | None = None
        self.pipeline: Pipeline | None = None
        self._windows: Windows | None = None
        self._rows: npt.NDArray[np.intp] = np.empty(0, dtype=np.intp)
        self._scales: Floats | None = None
        self._spec: SignalSpec = plan.spec
        self._rate_checked = False
        self._frame_row: int | None = None
        self._last_time = -np.inf  # of the last sample
        self._set_backs = 0  # how often the source's clock had been set back by then
        self._offset = 0.0
        self._utc_offset: float | None = None
        self._evidence = RunningEvidence(plan.labels, plan.memory_s)

    # ------------------------------------------------------------------ in

    def feed(self, entry: Entry) -> list[Window]:
        """Take the next entry of the log; give the windows it completes.

        Raises
        ------
        SignalError
            A stream was opened that lacks channels (or has others of the same name), or its samples
            come much slower than the model needs.
        StreamError
            Samples came before a stream was opened.
        """
        match entry:
            case Received():
                return self._receive(entry)
            case ClockMeasured():
                self._offset = entry.offset
                self._utc_offset = entry.utc_offset
            case StreamOpened():
                self._open(entry)
            case StreamReset():
                self._reset(Reset(entry.reason))
            case SessionStarted():
                self.session, self.run = entry.session, entry.run
            case _:
                pass  # events and readings of the clock move no window
        return []

    def _open(self, entry: StreamOpened) -> None:
        indices = match_channels(self.plan.spec, entry.spec)
        rows = entry.rows or tuple(range(len(entry.spec)))
        self._rows = np.array([rows[i] for i in indices], dtype=np.intp)
        # A device that sends umol/L has a scale of 1e-6: behind here everything is SI.
        scales = np.array([entry.scales[i] for i in indices])[:, np.newaxis] if entry.scales else None
        self._scales = scales
        self._frame_row = entry.frame_row
        spec = merged(self.plan.spec, entry.spec, indices)
        self.origin = entry.origin
        if self.pipeline is not None and spec == self._spec:
            self._reset(Reset.STREAM)
            return
        self._spec = spec
        self._rate_checked = False
        self.clock = Clock(spec.rate)
        self._set_backs = 0
        self._last_time = -np.inf
        self.pipeline = Pipeline(self.plan.pipeline, spec)
        plan = self.plan
        if self._windows is None:
            self._windows = Windows(
                self.pipeline.spec_out, length_s=plan.length_s, step_s=plan.step_s, policy=plan.policy
            )
        else:
            self._windows.restart()

    def _reset(self, reason: Reset) -> None:
        if self.clock is None or self.pipeline is None or self._windows is None:
            return
        if reason is not Reset.GAP:
            self.clock.reset()
            self._set_backs = 0
        self._start_over(reason)

    def _start_over(self, reason: Reset) -> None:
        """Behind here nothing is joined with anything before; the clock goes on as it is."""
        assert self.pipeline is not None
        assert self._windows is not None
        if reason is not Reset.GAP:
            self._windows.restart()
            self._last_time = -np.inf
        self.pipeline.reset(reason)

    def _receive(self, entry: Received) -> list[Window]:
        if self.clock is None or self.pipeline is None or self._windows is None:
            raise StreamError("Samples came before any stream was opened; the log must begin with one.")
        frames = None if self._frame_row is None else entry.data[self._frame_row].astype(np.float64)
        times, kept = self.clock.process(entry.stamps + self._offset, frames)
        data = entry.data[self._rows].astype(np.float64)
        if self._scales is not None:
            data *= self._scales
        if len(times) < len(kept):
            data = data[:, kept]
        chunk = Chunk(self._spec, data, times, ~np.isfinite(data))
        given: list[Window] = []
        for part in self._apart(chunk):
            for piece in self.pipeline.process(part):
                given += self._windows.process(piece)
        if not self._rate_checked and (rate := self.pipeline.measured_rate) is not None:
            self._check_rate(rate, self.pipeline.spec_out.rate)
            self._rate_checked = True
        return given

    def _apart(self, chunk: Chunk) -> Iterator[Chunk]:
        """Cut samples where the source's clock was set back; everything starts over behind such a place."""
        assert self.clock is not None
        if self.clock.set_backs == self._set_backs:
            yield chunk
        else:
            self._set_backs = self.clock.set_backs
            steps = np.diff(chunk.times, prepend=self._last_time)
            starts = [0, *np.flatnonzero(steps <= 0.0).tolist(), chunk.n_samples]
            for start, stop in pairwise(starts):
                if steps[start : start + 1] <= 0.0:
                    self._start_over(Reset.CLOCK)
                if stop > start:
                    yield chunk.between(start, stop)
        if chunk.n_samples:
            self._last_time = float(chunk.times[-1])

    def _check_rate(self, measured: float, needed: float) -> None:
        """Refuse a signal of which the model would see mostly what was made up between samples."""
        if measured < SLOWEST * needed:
            raise SignalError(
                f"The signal comes at {measured:.4g} Hz (declared: {self._spec.rate:.4g} Hz), but the model "
                f"needs {needed:g} Hz; expected {SLOWEST * needed:g} Hz or more. Set the device to a higher "
                "rate, correct the recording's times, or use a model for this rate."
            )

    # ----------------------------------------------------------------- out

    @property
    def local_origin(self) -> Origin:
        """The stream's origin with its anchor, which the source stamped, put on the local clock."""
        return replace(self.origin, anchor=self.origin.anchor + self._offset)

    def decide(self, window: Window, logits: npt.NDArray[np.float32] | None, produced: Produced) -> Decision:
        """Make the decision of a window.

        Windows must be decided in the order in which they were given.

        Parameters
        ----------
        window : Window
            As given by `feed`.
        logits : (n_labels,) float32, or None
            What the network says; None where it was not asked, or failed.
        produced : Produced
            The reading of the clock that the decision's age follows from.
        """
        origin = self.local_origin
        age = origin.stream_time(produced.local) - window.end
        why = list(window.reasons)
        scores: Floats | None = None
        if logits is not None and not why:
            scores = probabilities(logits, self.plan.temperature)
            if not np.isfinite(scores).all():
                scores = None
        if scores is None and not why:
            why.append(Reason.INFERENCE)
        if age > self.plan.policy.max_age_s and not window.reasons:
            why.append(Reason.STALE)
        if age < -self.plan.policy.max_age_s and not window.reasons:
            why.append(Reason.AHEAD)
        label = ABSTAIN
        if scores is not None and not why:
            label = self.plan.labels[int(np.argmax(scores))]
            self._evidence.add(scores, window.end)
        assert self.pipeline is not None
        return Decision(
            session=self.session,
            run=self.run,
            sequence=window.sequence,
            count=window.count,
            window_start=window.start,
            window_end=window.end,
            window_start_utc=self._utc(origin.local_time(window.start)),
            window_end_utc=self._utc(origin.local_time(window.end)),
            produced_at_utc=self._utc(produced.local),
            age_s=age,
            delay_s=self.pipeline.delay_s,
            label=label,
            reasons=tuple(str(reason) for reason in why),
            probabilities=None
            if scores is None
            else dict(zip(self.plan.labels, scores.tolist(), strict=True)),
            evidence=self._evidence.so_far(),
            coverage=window.fitness.coverage,
            largest_gap_s=window.fitness.largest_gap_s,
            channels=len(self.pipeline.spec_out) - sum(map(len, window.left_out.values())),
            left_out={str(why): names for why, names in window.left_out.items()},
            quality=window.quality,
            novelty=window.novelty,
            time_uncertainty_s=window.time_uncertainty_s,
            model=self.plan.model_hash,
            origin=str(origin.kind),
            speed=origin.speed,
        )

    def _utc(self, local: float) -> str | None:
        if self._utc_offset is None:
            return None
        return datetime.fromtimestamp(local + self._utc_offset, UTC).isoformat(timespec="microseconds")
