"""From comparisons of two clocks to the offset between them and its uncertainty.

Noise model: ``offset(t) = a + b t + e``.  The clocks drift apart by ``b``, of which nothing is known but
that oscillators are good to some 200 ppm; each comparison is wrong by an independent ``e``, whose size is
learnt from how the comparisons scatter; now and then one is wrong by anything.  ``a`` and ``b`` follow by
regularised least squares from the latest comparisons.  One that lies far off counts only when the next one
agrees with it, or when the source's stamps jumped by as much the other way: then its clock was set.
"""

import math
from collections.abc import Mapping
from typing import Any

KEPT = 12
"""Comparisons from which the line follows: a minute, where they are made every 5 s."""
NOISE_S = 2.5e-3
"""Standard deviation of a comparison before any is known, s: LSL's are good to 0.2 ms on a wire and some
10 ms over bad wireless.  Counts as one comparison among those that come."""
DRIFT = 2e-4
"""Standard deviation of the drift of computers' clocks, seconds a second."""
SURE = 3.0
"""Standard errors within which the offset is claimed to be known."""
WILD = 6.0
"""Standard deviations beyond which a comparison is not believed alone."""


class Comparisons:
    """The offset between a source's clock and ours, by the comparisons so far.

    Parameters
    ----------
    drift : float
        Standard deviation of the drift, s a second of the times that comparisons are given at.
    """

    def __init__(self, drift: float = DRIFT) -> None:
        self._drift = drift
        self.offset = 0.0
        """Where nothing was compared since the last restart, the last offset there was, s."""
        self.restart()

    def restart(self) -> None:
        """Another clock: the next comparison is believed, whatever it says."""
        self._at: list[float] = []
        self._offsets: list[float] = []
        self._odd: tuple[float, float] | None = None  # a comparison that waits for another like it
        self._chance_s = 0.0  # how wrong the offset is if two wild comparisons agreed by chance, s
        self._known: float | None = 0.0  # the given uncertainty, s; None where it follows from the scatter
        self.not_believed = 0
        self._fit()

    def add(
        self, local: float, offset: float, *, uncertainty: float | None = None, jump: float = 0.0
    ) -> bool:
        """Take a comparison; whether it shows another clock.

        Parameters
        ----------
        local : float
            When it was made, local s.
        offset : float
            What is to be added to a stamp of the source, s.
        uncertainty : float or None
            Its uncertainty (s), where whoever made it knows it; it then stands for itself.
        jump : float
            By how much the source's stamps jumped since the last comparison, s.
        """
        if not (math.isfinite(local) and math.isfinite(offset)):
            self.not_believed += 1
            return False
        if uncertainty is not None:
            self._at, self._offsets, self._known = [local], [offset], uncertainty
            moved = abs(offset - self.offset) > 0.0
            self._fit()
            return moved
        other, chance_s = False, 0.0
        if self._known is None:
            away = offset - self.at(local)
            bound = WILD * math.sqrt(self._noise**2 + self._error(local) ** 2)
            if abs(away) > bound:
                odd = self._odd
                like = odd is not None and (
                    abs(offset - odd[1]) <= bound + 10.0 * self._drift * abs(local - odd[0])
                )
                set_anew = jump != 0.0 and abs(away + jump) <= bound + 0.02 * abs(jump)
                if not (like or set_anew):
                    self._odd = (local, offset)
                    self.not_believed += 1
                    return False
                before = [odd] if odd is not None and like else []
                self._at = [at for at, _ in before]
                self._offsets = [found for _, found in before]
                other, chance_s = True, 0.0 if set_anew else abs(away)
        self._odd, self._chance_s = None, chance_s  # a third one that agrees ends that
        self._known = None
        self._at = [*self._at, local][-KEPT:]
        self._offsets = [*self._offsets, offset][-KEPT:]
        self._fit()
        return other

    def at(self, local: float) -> float:
        """The offset at a local time (s), s."""
        return self.offset + self._slope * (local - self._middle)

    def uncertainty_at(self, local: float) -> float:
        """How wrong that may be, s."""
        return self._known if self._known is not None else SURE * self._error(local) + self._chance_s

    def _error(self, local: float) -> float:
        """Standard error of the offset at a local time, s."""
        across = self._across + self._noise**2 / self._drift**2
        return self._noise * math.sqrt(1.0 / len(self._at) + (local - self._middle) ** 2 / across)

    def _fit(self) -> None:
        n = len(self._at)
        self._slope, self._middle, self._noise, self._across = 0.0, 0.0, NOISE_S, 0.0
        if n == 0:
            return
        self._middle = sum(self._at) / n
        self.offset = sum(self._offsets) / n
        if self._known is not None:
            return
        away = [
            (at - self._middle, found - self.offset)
            for at, found in zip(self._at, self._offsets, strict=True)
        ]
        self._across = sum(x * x for x, _ in away)
        along = sum(x * y for x, y in away)
        for _ in range(2):  # how much the slope is held back depends on the noise, and the other way round
            self._slope = along / (self._across + self._noise**2 / self._drift**2)
            scatter = sum((y - self._slope * x) ** 2 for x, y in away)
            self._noise = math.sqrt((NOISE_S**2 + scatter) / n)

    def state(self) -> dict[str, Any]:
        """Everything the future depends on, as JSON values."""
        return {
            "offset": self.offset,
            "at": list(self._at),
            "offsets": list(self._offsets),
            "odd": None if self._odd is None else list(self._odd),
            "known": self._known,
            "chance_s": self._chance_s,
            "not_believed": self.not_believed,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a `state`."""
        self.offset = state["offset"]
        self._at, self._offsets = list(state["at"]), list(state["offsets"])
        self._odd = None if state["odd"] is None else (state["odd"][0], state["odd"][1])
        self._known, self._chance_s = state["known"], state["chance_s"]
        self.not_believed = state["not_believed"]
        self._fit()
