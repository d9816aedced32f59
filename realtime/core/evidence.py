"""What is known of this person (or block) so far: window probabilities, added up over time.

Overlapping windows of one person are far from independent, so nothing is multiplied here.  Where the bundle's
evaluation has learnt how unseen people's windows add up, the evidence is the posterior of that law
(`models.evidence.accumulation`), and its stopping rule is followed: over the session for a label of the
person; for one that changes from event to event, anew with the first window that begins after an event.
Otherwise it is a mean of the predicted windows' probabilities, with their number, that forgets with a time
constant where it has one.
"""

from collections.abc import Sequence

import numpy as np

from models.arrays import Floats
from models.cards.window_card import CardEvidence
from models.evidence.accumulation import Accumulation, log_odds_of
from realtime.decision import Evidence
from realtime.windows import Window

SLACK_S = 1e-6
"""Events and windows are sums of floats."""


class RunningEvidence:
    """Evidence over predicted windows.

    Parameters
    ----------
    labels : sequence of str
        In the order of the network's outputs.
    settings : CardEvidence
        How it forgets, or how windows add up.
    """

    def __init__(self, labels: Sequence[str], settings: CardEvidence) -> None:
        self.labels = tuple(labels)
        self._settings = settings
        self._by_law = settings.law is not None and settings.block is None
        self._cue: float | None = None
        self._begin()

    def _begin(self) -> None:
        self._sum = np.zeros(len(self.labels))
        self._weight = 0.0
        self._windows = 0
        self._last_end: float | None = None
        law = self._settings.law
        self._posterior = Accumulation(law) if law is not None and self._by_law else None
        self._stopped: str | None = None

    def reach(self, window: Window) -> None:
        """A window is decided next: where an event has begun another block, the evidence starts over.

        Until the first event is heard of, nothing says where blocks begin: so long it is a mean.
        """
        if self._settings.block is None or self._settings.law is None or window.cue is None:
            return
        if window.cue != self._cue:
            self._cue, self._by_law = window.cue, True
            self._begin()

    def add(self, probabilities: Floats, window: Window) -> None:
        """Take a predicted window; one that does not lie within its block counts for none.

        Parameters
        ----------
        probabilities : (n_labels,) float64
            Its calibrated probabilities.
        window : Window
            What they are of.
        """
        if self._posterior is not None:
            if self._in_block(window):
                self._accumulate(self._posterior, float(probabilities[1]), window.end)
            return
        memory_s = self._settings.memory_s
        if memory_s is not None and self._last_end is not None:
            kept = float(np.exp(-max(window.end - self._last_end, 0.0) / memory_s))
            self._sum *= kept
            self._weight *= kept
        self._sum += probabilities
        self._weight += 1.0
        self._windows += 1
        self._last_end = window.end

    def _in_block(self, window: Window) -> bool:
        block = self._settings.block
        if block is None:
            return True
        assert self._cue is not None
        begins, ends = self._cue + block.first_s - SLACK_S, self._cue + block.last_s + SLACK_S
        return begins <= window.start and window.end <= ends

    def _accumulate(self, posterior: Accumulation, probability: float, end: float) -> None:
        posterior.add(log_odds_of(probability), end)
        rule = self._settings.rule
        if rule is not None and self._stopped is None:
            reached = rule.reached(posterior.log_odds)
            self._stopped = None if reached is None else self.labels[reached]

    def so_far(self) -> Evidence:
        """The evidence now; equal probabilities before the first predicted window."""
        if (posterior := self._posterior) is not None:
            p = posterior.probability
            return Evidence(
                probabilities=dict(zip(self.labels, (1.0 - p, p), strict=True)),
                windows=posterior.windows,
                effective_windows=posterior.effective,
                memory_s=None,
                stopped=self._stopped,
            )
        if self._weight > 0:
            mean = self._sum / self._weight
        else:
            mean = np.full(len(self.labels), 1.0 / len(self.labels))
        return Evidence(
            probabilities=dict(zip(self.labels, mean.tolist(), strict=True)),
            windows=self._windows,
            effective_windows=None,
            memory_s=self._settings.memory_s,
            stopped=None,
        )
