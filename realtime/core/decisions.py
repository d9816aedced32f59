"""From a window and its logits to the decision about it, and the evidence that the decisions add up to."""

from datetime import UTC, datetime
from math import isfinite

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from models.errors import StreamError
from models.probabilities import probabilities
from realtime.core.evidence import RunningEvidence
from realtime.decision import ABSTAIN, Decision
from realtime.log import Origin, Produced, SessionStarted
from realtime.plan import Plan
from realtime.quality.policy import Reason
from realtime.windows import Window


class DecisionMaker:
    """Makes the decisions of one session.

    Parameters
    ----------
    plan : Plan
        Labels, temperature, policy, from which confidence on labels are shown, and the evidence's settings.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._session = ""
        self.run = 0
        """Of the session; 0 before it began."""
        self.utc_offset: float | None = None
        """Add to local time to get UTC seconds since 1970; None where the log does not give it."""
        self.forget()

    def start(self, entry: SessionStarted) -> None:
        """A run began: who it is."""
        self._session, self.run = entry.session, entry.run

    def forget(self) -> None:
        """Another device, perhaps on another head: the evidence starts over."""
        self._evidence = RunningEvidence(self._plan.labels, self._plan.evidence)

    def decide(
        self,
        window: Window,
        logits: npt.NDArray[np.float32] | None,
        produced: Produced,
        *,
        origin: Origin,
        delay_s: float,
        n_channels: int,
    ) -> Decision:
        """Make the decision of a window; windows in order.

        Parameters
        ----------
        window : Window
            As the core gave it.
        logits : (n_labels,) float32, or None
            The network's output; None where it did not run, or failed.
        produced : Produced
            The reading of the clock that the decision's age follows from.
        origin : Origin
            The stream's, its anchor on the local clock.
        delay_s : float
            Group delay of the pipeline, s.
        n_channels : int
            Channels of the network's input.

        Raises
        ------
        StreamError
            That reading, or the stream's own clock, is no time.
        """
        plan, rejected = self._plan, window.rejected_channels
        age = origin.stream_time(produced.local) - window.end
        if not isfinite(age):
            raise StreamError(f"The log's clock reads {produced.local} s for window {window.sequence}.")
        scores = self._scores(window, logits)
        why = list(window.reasons)
        if not why:
            why += self._reasons(age, computed=scores is not None)
        label = ABSTAIN
        self._evidence.reach(window)
        if scores is not None and not why:
            # What is undecided counts as well: to add up only what is sure would be far too sure.
            self._evidence.add(scores, window)
            if plan.min_confidence is not None and scores.max() >= plan.min_confidence:
                label = plan.labels[int(np.argmax(scores))]
            else:
                why = [Reason.UNDECIDED]
        return Decision(
            session=self._session,
            run=self.run,
            sequence=window.sequence,
            count=window.count,
            window_start=window.start,
            window_end=window.end,
            window_start_utc=self._utc(origin.local_time(window.start)),
            window_end_utc=self._utc(origin.local_time(window.end)),
            produced_at_utc=self._utc(produced.local),
            age_s=age,
            delay_s=delay_s,
            label=label,
            reasons=tuple(str(reason) for reason in why),
            probabilities=None if scores is None else dict(zip(plan.labels, scores.tolist(), strict=True)),
            evidence=self._evidence.so_far(),
            coverage=window.measurement.coverage,
            largest_gap_s=window.measurement.largest_gap_s,
            channels=0 if window.data is None else n_channels - sum(map(len, rejected.values())),
            left_out={str(reason): names for reason, names in rejected.items()},
            quality=window.quality,
            novelty=window.novelty,
            time_uncertainty_s=window.time_uncertainty_s,
            model=plan.model_hash,
            origin=str(origin.kind),
            speed=origin.speed,
        )

    def _scores(self, window: Window, logits: npt.NDArray[np.float32] | None) -> Floats | None:
        """Probabilities, (n_labels,) float64; None where the window is not usable, or they are not finite."""
        if logits is None or window.reasons:
            return None
        with np.errstate(invalid="ignore"):  # infinite logits: looked at here
            scores = probabilities(logits, self._plan.temperature)
        return scores if np.isfinite(scores).all() else None

    def _reasons(self, age: float, *, computed: bool) -> list[Reason]:
        """Reasons against a usable window that appear only when it is decided."""
        most = self._plan.policy.max_age_s
        found = {Reason.INFERENCE: not computed, Reason.STALE: age > most, Reason.AHEAD: age < -most}
        return [reason for reason, holds in found.items() if holds]

    def _utc(self, local: float) -> str | None:
        """UTC of a local time (s); None where it is not known, or beyond what a date can hold."""
        if self.utc_offset is None:
            return None
        try:
            return datetime.fromtimestamp(local + self.utc_offset, UTC).isoformat(timespec="microseconds")
        except (ValueError, OverflowError, OSError):
            return None
