"""One person's log odds in order of time: what everything here is a function of."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.arrays import Floats
from models.errors import HemostreamError


@dataclass(frozen=True, eq=False)
class Trajectory:
    """What was predicted of one person, window by window, by classifiers that had not seen this person.

    Parameters
    ----------
    person : str
        Who.
    positive : bool
        Whether the person has the second label.
    times : (n_windows,) float64
        Ends of the predicted windows, seconds of recording, never falling; a gap is time like any other.
    log_odds : (n_windows,) float64
        Log odds of the second label: of each window alone, or (from `accumulate`) of all windows so far.
    round : str
        Repeat and fold that predicted them: scores of two rounds share no scale.

    Raises
    ------
    HemostreamError
        No window, unequal lengths, times that fall, or a value that is no finite number.
    """

    person: str
    positive: bool
    times: Floats
    log_odds: Floats
    round: str = ""

    def __post_init__(self) -> None:
        if self.times.ndim != 1 or self.times.shape != self.log_odds.shape or not len(self.times):
            raise HemostreamError(
                f"The trajectory of {self.person!r} has times {self.times.shape} and log odds "
                f"{self.log_odds.shape}; expected one of each for each window, and a window at least."
            )
        if not (np.isfinite(self.times).all() and np.isfinite(self.log_odds).all()):
            raise HemostreamError(
                f"The trajectory of {self.person!r} has a value that is no finite number; keep probabilities "
                "away from 0 and 1 before taking their log odds."
            )
        if np.any(np.diff(self.times) < 0):
            raise HemostreamError(
                f"The times of {self.person!r} fall; expected windows in order of their ends. Sort them."
            )


def each_person_once(trajectories: Sequence[Trajectory]) -> None:
    """Refuse people who come twice (HemostreamError): people are what is counted."""
    twice = [person for person, times in Counter(t.person for t in trajectories).items() if times > 1]
    if twice:
        raise HemostreamError(
            f"{', '.join(twice[:5])} come with more than one trajectory; expected one a person. Join a "
            "person's recordings, and take one repeat."
        )
