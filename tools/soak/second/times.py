"""What a core's clock makes of samples, held against the moments at which they were really measured."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from models.errors import HemostreamError
from realtime.clock import Clock
from realtime.core import Core, Plan
from realtime.log import Received, StreamOpened, StreamReset
from realtime.windows import Window
from tools.soak.second.plan import Device
from tools.soak.second.source import SAMPLE_ROW
from tools.soak.second.sums import BedSums

OFFSET_S = 5e-4
"""How well LSL compares two clocks, s: no claim made of stamps alone can be held to less."""
SET_S = 10.0
"""A stamp so far off its true time is of a clock that was set: only its age tells, and no claim counts, s."""
KEPT_S = 120.0
"""How long samples are remembered for the windows to come, s of their own time."""

Pushed = npt.NDArray[np.void]
"""What outlets wrote down (`tools.soak.second.account.read_truth`)."""


@contextmanager
def overheard() -> Iterator[list[tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]]]:
    """What every clock gives while the context lasts; the core's own is not to be touched otherwise.

    Yields
    ------
    list of (times, kept)
        For each call of `Clock.process` (n_kept,) float64 and (n_samples,) bool.
    """
    heard: list[tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]] = []
    process = Clock.process

    def recorded(self: Clock, *args: Any, **named: Any) -> Any:
        given = process(self, *args, **named)
        heard.append((np.array(given[0]), np.array(given[1])))
        return given

    setattr(Clock, "process", recorded)  # noqa: B010 - not an assignment that mypy should bless
    try:
        yield heard
    finally:
        setattr(Clock, "process", process)  # noqa: B010


class Times:
    """Follows a journal with a core, and holds the times it gives against the truth.

    Times run backwards where everything starts over: each such stretch is an epoch of its own.

    Parameters
    ----------
    plan : Plan
        Of the session.
    truth : (n_pushed_samples,) array of records
        What outlets wrote down.
    device : Device
        Whose samples they are.
    sums : Account
        Is added to.
    """

    def __init__(self, plan: Plan, truth: Pushed, device: Device, sums: BedSums) -> None:
        self._core = Core(plan)
        self._true = dict(zip(truth["sample"].tolist(), truth["true"].tolist(), strict=True))
        was_set = np.abs(truth["stamp"] - truth["true"]) > SET_S
        self._was_set = set(truth["sample"][was_set].tolist())
        self._device = device
        self._sums = sums
        self._epoch = 0
        self._held = np.empty((4, 0))  # epoch, time, error, whether a claim counts
        self._firsts: dict[int, float] = {}
        self._last = -np.inf
        self._abstained: Counter[str] = Counter()
        self._with_samples: Counter[bool] = Counter()  # windows, by whether they have a label
        self._covered: Counter[bool] = Counter()

    def feed(self, entry: Any, heard: list[Any], decisions: dict[tuple[int, int], dict[str, Any]]) -> None:
        """Take the next entry of the log.

        Parameters
        ----------
        entry : Entry
            Of the journal.
        heard : list
            Of `overheard`; is emptied.
        decisions : dict
            By run and sequence, the session's decisions.
        """
        if isinstance(entry, StreamOpened | StreamReset):
            self._epoch, self._last = self._epoch + 1, -np.inf
        heard.clear()
        windows = self._core.feed(entry)
        if isinstance(entry, Received):
            times = np.concatenate([one[0] for one in heard]) if heard else np.empty(0)
            kept = np.concatenate([one[1] for one in heard]) if heard else np.empty(0, dtype=bool)
            if len(kept) != len(entry.stamps) or len(times) != np.count_nonzero(kept):
                raise HemostreamError(
                    f"The clock was given {len(entry.stamps)} samples and spoke of {len(kept)}, of which it "
                    f"gave {len(times)} times; Clock.process is not what this account expects."
                )
            self._hold(times, entry.data[SAMPLE_ROW, kept])
        for window in windows:
            self._window(window, decisions.get((self._core.run, window.sequence)))

    def _hold(self, times: npt.NDArray[np.float64], samples: npt.NDArray[np.float64]) -> None:
        new = np.empty((4, len(times)))
        for i, (time, sample) in enumerate(zip(times.tolist(), samples.tolist(), strict=True)):
            if time <= self._last:
                self._epoch += 1
            self._last = time
            self._firsts.setdefault(self._epoch, time)
            error = time - self._true.get(sample, np.nan)
            new[:, i] = self._epoch, time, error, sample not in self._was_set
        clock = self._core.clock
        claimed: npt.NDArray[np.float64] = np.empty(0) if clock is None else clock.uncertainties
        if len(claimed) == len(times):
            counts = new[3] != 0.0
            self._sums.samples_claimed += int(np.count_nonzero(counts))
            within = np.abs(new[2]) <= claimed + OFFSET_S
            self._sums.samples_covered += int(np.count_nonzero(within & counts))
        held = np.concatenate([self._held, new], axis=1)
        recent = (held[0] == self._epoch) & (held[1] > self._last - KEPT_S) | (held[0] == self._epoch - 1)
        self._held = held[:, recent]

    def _inside(self, window: Window) -> npt.NDArray[np.float64]:
        """Samples whose times lie in a window, of the newest epoch that reaches from its start to its end."""
        period = self._device.period
        for epoch in (self._epoch, self._epoch - 1):
            mine = self._held[:, self._held[0] == epoch]
            reaches = mine.shape[1] and mine[1, -1] >= window.end - 2.0 * period
            if reaches and self._firsts[epoch] <= window.start + 0.5 * period:
                break
        inside = (mine[1] >= window.start) & (mine[1] < window.end)
        held: npt.NDArray[np.float64] = mine[:, inside]
        return held

    def _window(self, window: Window, decision: dict[str, Any] | None) -> None:
        sums = self._sums
        if decision is None:
            return  # the session was asked to end between the window and its decision
        sums.windows += window.count
        labelled = decision["label"] != "abstain"
        sums.labelled += labelled
        if not labelled:
            self._abstained[" and ".join(decision["reasons"])] += window.count
        inside = self._inside(window)
        errors = np.abs(inside[2])
        if not len(errors):
            return
        worst, claim = float(errors.max()), float(decision["time_uncertainty_s"])
        if inside[3].all():
            self._with_samples[labelled] += 1
            self._covered[labelled] += worst <= claim + OFFSET_S
        sums.worst_s = max(sums.worst_s, worst)
        if not labelled:
            return
        sums.worst_labelled_s = max(sums.worst_labelled_s, worst)
        sums.beyond_claim_labelled_s = max(sums.beyond_claim_labelled_s, worst - claim)
        if not worst <= self._device.period + OFFSET_S:  # NaN is wrong too
            sums.wrong_labels += 1
            wrong = int(np.count_nonzero(~(errors <= self._device.period + OFFSET_S)))
            sums.wrong.append(
                f"window {window.sequence}, {window.start:.3f} to {window.end:.3f} s: {wrong} of "
                f"{len(errors)} times wrong, the worst by {worst:.3f} s (claimed {claim:.3f} s)"
            )

    def close(self) -> None:
        """Put down what only the end tells."""
        self._sums.abstained = dict(self._abstained.most_common())
        both = self._with_samples.total()
        if both:
            self._sums.covered = self._covered.total() / both
        if self._with_samples[True]:
            self._sums.covered_labelled = self._covered[True] / self._with_samples[True]
