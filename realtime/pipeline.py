"""Stages in order, made from a specification, and what a long gap does to them.

The pipeline is where a gap is noticed: when two consecutive samples lie further apart than it
bridges, it resets its stages (`Reset.GAP`) between them.  So its output comes in pieces, each
contiguous, and each knows from when on it is warm.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite
from typing import Any

import numpy as np

from models.errors import RecipeError, SignalError
from realtime.signal import CONFOUNDS, Chunk, SignalSpec
from realtime.stages import STAGES, check_settings, make_stage
from realtime.stages.align import Align
from realtime.stages.base import Reset, Stage, TakesEvents
from realtime.stages.normalise import Normalise
from realtime.stages.outline import Outline
from realtime.stages.resample import Resample

NEED_A_GRID = frozenset(
    {"bandpass", "motion", "normalise", "align", "cue_reference", "running_percent", "regress", "despike"}
)
"""Stages that count samples, so that these must be evenly spaced."""
MOST_STAGES = 32
MAX_GAP_S = 5.0
"""Longer gaps are not bridged: stages start afresh behind them, s."""
MAX_GAP_PERIODS = 2.5
"""... but a source that is so slow that its samples lie further apart is given so many of its periods."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Contiguous output of a pipeline.

    Parameters
    ----------
    chunk : Chunk
        The samples.
    anchor : float
        Stream time (s) of the first column of the grid on which the samples lie: the first input sample
        of the session, or since a reset other than a gap.
    started : float
        Stream time (s) of the first input sample since the last start.
    warm_from : float
        Stream time (s) from which on the declared warm-up is over.
    after_gap : bool
        Whether that start followed a gap (what was learnt of the person was kept).
    """

    chunk: Chunk
    anchor: float
    started: float
    warm_from: float
    after_gap: bool


class Pipeline:
    """Causal stages in order.

    Parameters
    ----------
    settings : sequence of mappings
        One a stage: its name under ``stage``, and its settings.
    spec_in : SignalSpec
        The signal that comes in.
    max_gap_s : float
        Longest gap (s) that stages bridge by themselves.

    Raises
    ------
    RecipeError
        A stage or setting is not known, or not possible for this signal.
    SignalError
        A stage cannot work on what reaches it, or head motion or physiology would be left for a classifier.
    """

    def __init__(
        self, settings: Sequence[Mapping[str, Any]], spec_in: SignalSpec, *, max_gap_s: float = MAX_GAP_S
    ) -> None:
        if not settings:
            raise RecipeError("The pipeline has no stage; expected at least a resample stage.")
        check_order([str(stage_settings.get("stage")) for stage_settings in settings])
        self.spec_in = spec_in
        self.max_gap_s = max_gap_s
        self.stages: list[Stage] = []
        spec = spec_in
        for stage_settings in settings:
            stage = make_stage(stage_settings, spec)
            self.stages.append(stage)
            if isinstance(stage, Resample):
                self._resample = stage
            spec = stage.spec_out
        _refuse_confounds(spec)
        self.spec_out = spec
        Outline.of(spec_in).warmed(self.warmup_s)
        self._start_over()

    def _start_over(self) -> None:
        self._started: float | None = None
        self._last_time = np.nan
        self._after_gap = False

    @property
    def standardised(self) -> bool:
        """Whether what comes out is in standard deviations, whatever unit its channels keep."""
        return any(isinstance(stage, Align | Normalise) for stage in self.stages)

    @property
    def delay_s(self) -> float:
        """Group delay of all stages together, s."""
        return sum(stage.delay_s for stage in self.stages)

    @property
    def warmup_s(self) -> float:
        """Declared warm-up of all stages together, s."""
        return sum(stage.warmup_s for stage in self.stages)

    @property
    def measured_rate(self) -> float | None:
        """Rate (Hz) of what comes in by its stamps; None until it is measured."""
        period = self._resample.period
        return None if period is None else 1.0 / period

    def process(self, chunk: Chunk) -> list[Piece]:
        """Take the next samples; give what follows from them, one piece a contiguous stretch."""
        if chunk.n_samples == 0:
            return []
        times = np.empty(chunk.n_samples + 1)  # by hand: np.diff's prepend takes longer than some stages
        times[0], times[1:] = self._last_time, chunk.times
        steps = times[1:] - times[:-1]  # NaN at the very first sample
        most = self.max_gap_s
        if self.spec_in.rate > 0.0:
            most = max(most, MAX_GAP_PERIODS / self.spec_in.rate)
        starts = [0, *(int(i) for i in np.flatnonzero(steps > most)), chunk.n_samples]
        pieces: list[Piece] = []
        for start, stop in pairwise(starts):
            if start == stop:  # the gap lies in front of the first sample
                continue
            if steps[start] > most:
                self.reset(Reset.GAP)
            part = chunk if stop - start == chunk.n_samples else chunk.between(start, stop)
            if self._started is None:
                self._started = float(part.times[0])
            for stage in self.stages:
                part = stage.process(part)
            anchor = self._resample.anchor
            warm_from = self._started + self.warmup_s
            pieces.append(Piece(part, anchor, self._started, warm_from, self._after_gap))
        self._last_time = chunk.times[-1]
        return pieces

    def event(self, time: float, label: str) -> None:
        """Hear of an event: what it was, and when (s, stream time)."""
        if isfinite(time):
            for stage in self.stages:
                if isinstance(stage, TakesEvents):
                    stage.event(time, label)

    def reset(self, reason: Reset) -> None:
        """Start afresh, as far as the reason asks."""
        for stage in self.stages:
            stage.reset(reason)
        self._start_over()
        self._after_gap = reason is Reset.GAP

    def state(self) -> dict[str, Any]:
        """Everything the future depends on: arrays and JSON values."""
        return {
            "stages": [dict(stage.state()) for stage in self.stages],
            "started": self._started,
            "last_time": None if np.isnan(self._last_time) else float(self._last_time),
            "after_gap": self._after_gap,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a `state`."""
        for stage, its_state in zip(self.stages, state["stages"], strict=True):
            stage.restore(its_state)
        self._started = state["started"]
        self._last_time = np.nan if state["last_time"] is None else state["last_time"]
        self._after_gap = state["after_gap"]


def _refuse_confounds(spec: SignalSpec) -> None:
    """Refuse to give a classifier what only travels beside the signal."""
    if left := [channel for channel in spec.channels if channel.kind in CONFOUNDS]:
        raise SignalError(
            f"The pipeline gives {len(left)} channels to the classifier that are no signal, the first is "
            f"{left[0].name!r} of kind {left[0].kind}; expected only signals: a classifier would learn who "
            "moves. Put a stage 'regress' with these kinds under confounds, or 'select' the signal's kinds."
        )


def check_pipeline(settings: Sequence[Mapping[str, Any]], before: Outline) -> Outline:
    """Check all of a pipeline that can be known without a signal.

    Parameters
    ----------
    settings : sequence of mappings
        As `Pipeline` takes them.
    before : Outline
        What may come in.

    Returns
    -------
    Outline
        What would come out.

    Raises
    ------
    RecipeError, SignalError
        A stage or setting is not known or not possible, or no such signal could go through.
    """
    checked = [check_settings(stage_settings) for stage_settings in settings]
    check_order([name for name, _ in checked])
    for name, given in checked:
        before = STAGES[name].check(before, **given)  # type: ignore[attr-defined]
    return before


def check_order(names: Sequence[str]) -> None:
    """Windows need a grid, and so does every stage that filters by a rate.

    Raises
    ------
    RecipeError
        There is not exactly one resampler, or a stage that needs it stands before it.
    """
    if len(names) > MOST_STAGES:
        raise RecipeError(f"The pipeline has {len(names)} stages; expected {MOST_STAGES} or fewer.")
    if names.count("total_haemoglobin") > 1:
        raise RecipeError(
            "The pipeline has 'total_haemoglobin' twice; expected once: the total is there already."
        )
    if names.count("resample") != 1:
        raise RecipeError(f"The pipeline has stages {', '.join(names)}; expected exactly one 'resample'.")
    before = names[: names.index("resample")]
    if early := [name for name in before if name in NEED_A_GRID]:
        raise RecipeError(
            f"In the pipeline {early[0]!r} stands before 'resample'; what comes from a device has no true "
            "rate to filter by. Put 'resample' first."
        )
