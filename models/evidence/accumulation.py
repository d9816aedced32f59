"""How correlated windows of one person (or of one block) add up, window by window, live and offline alike.

Given the label, the running mean of window log odds is taken for Gaussian: around ``centre + mu`` or
``centre - mu``, with variance ``between**2 + within**2 / n_eff(t)``.  The first part is the person's own
offset and never averages out, so the evidence saturates however long one listens; the second shrinks with
the *effective* number of windows (Bayley and Hammersley 1946, Supplement to the Journal of the Royal
Statistical Society 8:184-197), here for a correlation that falls exponentially with elapsed time.  Summing
log odds as if windows were independent is the case ``between = 0, n_eff = n``: far too sure.
"""

import math
from typing import Self

from pydantic import Field, model_validator

from models.decode import Record
from models.probabilities import SUREST

LEAST_VARIANCE = 1e-12
"""Under this a law would be sure of everything after one window."""
MOST_LOG_ODDS = 1e6
"""Beyond this no law was learnt from people."""


class Law(Record):
    """How windows add up: five plain numbers, all but the last in units of log odds.

    Parameters
    ----------
    centre : float
        Midway between the two labels' means.
    mu : float
        Half the distance of the labels' means; 0 says that nothing was found.
    between : float
        SD of people's own offsets (of blocks', where the label changes within a recording).
    within : float
        SD of a window around its person's own mean.
    tau : float
        Time constant of the correlation within a person, s.
    """

    centre: float = Field(ge=-MOST_LOG_ODDS, le=MOST_LOG_ODDS)
    mu: float = Field(ge=0, le=MOST_LOG_ODDS)
    between: float = Field(ge=0, le=MOST_LOG_ODDS)
    within: float = Field(ge=0, le=MOST_LOG_ODDS)
    tau: float = Field(gt=0, lt=1e12)

    @model_validator(mode="after")
    def _something_varies(self) -> Self:
        if self.between**2 + self.within**2 < LEAST_VARIANCE:
            raise ValueError(
                f"between is {self.between:g} and within {self.within:g}: a law of accumulation needs some "
                "variance. Fit it again"
            )
        return self


class Rule(Record):
    """Stop where the posterior log odds reach either threshold; go on until then.

    Parameters
    ----------
    upper, lower : float
        From ``upper`` on the second label is predicted, from ``lower`` down the first.
    """

    upper: float
    lower: float

    @model_validator(mode="after")
    def _lower_below_upper(self) -> Self:
        if not self.lower < self.upper:
            raise ValueError(
                f"a stopping rule has lower {self.lower!r} and upper {self.upper!r}; expected lower < upper"
            )
        return self

    def reached(self, log_odds: float) -> int | None:
        """Which label, 0 or 1, stops at this posterior; None goes on."""
        if log_odds >= self.upper:
            return 1
        return 0 if log_odds <= self.lower else None


def log_odds_of(probability: float) -> float:
    """Log odds of a probability, which is kept away from 0 and 1 (`SUREST`)."""
    p = min(max(probability, SUREST), 1.0 - SUREST)
    return math.log(p / (1.0 - p))


class Accumulation:
    """The running posterior of one person (or block), window by window.

    With ``r`` the newest window's correlations with all before it, summed, the next one's are
    ``(r + 1) exp(-elapsed / tau)``; with ``c`` the sum of all ``r`` so far, ``n_eff = n / (1 + 2 c / n)``.

    Parameters
    ----------
    law : Law
        How windows add up.
    """

    def __init__(self, law: Law) -> None:
        self._law = law
        self.windows = 0
        self._sum = 0.0
        self._with_earlier, self._correlated = 0.0, 0.0  # r and c
        self._last: float | None = None

    def add(self, log_odds: float, end: float) -> None:
        """Take the next window.

        Parameters
        ----------
        log_odds : float
            Of the second label, of this window alone.
        end : float
            Its end, s; a step back in time counts as none.
        """
        if self._last is not None:
            kept = math.exp(-max(end - self._last, 0.0) / self._law.tau)
            self._with_earlier = (self._with_earlier + 1.0) * kept
            self._correlated += self._with_earlier
        self._last = end
        self.windows += 1
        self._sum += log_odds

    @property
    def effective(self) -> float:
        """How many independent windows the mean so far is worth: from 1 to their number; 0 before any."""
        n = self.windows
        return n / (1.0 + 2.0 * self._correlated / n) if n else 0.0

    @property
    def log_odds(self) -> float:
        """Posterior log odds of the second label (even prior); 0 before any window."""
        if not self.windows:
            return 0.0
        law = self._law
        variance = law.between**2 + law.within**2 / self.effective
        return 2.0 * law.mu * (self._sum / self.windows - law.centre) / variance

    @property
    def probability(self) -> float:
        """Of the second label."""
        return 0.5 * (1.0 + math.tanh(0.5 * self.log_odds))
