"""Running evidence: a mean that says over how many, and forgets by the clock."""

import math

import numpy as np
import pytest

from realtime.core.evidence import RunningEvidence

YES, NO = np.array([0.0, 1.0]), np.array([1.0, 0.0])


def test_before_anything_is_predicted_nothing_is_known() -> None:
    known = RunningEvidence(("rest", "task"), None).so_far()
    assert known.probabilities == {"rest": 0.5, "task": 0.5}
    assert known.windows == 0


def test_without_a_time_constant_it_is_the_plain_mean() -> None:
    evidence = RunningEvidence(("rest", "task"), None)
    for end, seen in ((7.0, YES), (8.0, YES), (500.0, NO)):
        evidence.add(seen, end)
    known = evidence.so_far()
    assert known.probabilities["task"] == pytest.approx(2 / 3)
    assert known.windows == 3


@pytest.mark.parametrize("apart", [1.0, 10.0, 60.0])
def test_it_forgets_by_the_clock_and_not_by_windows(apart: float) -> None:
    evidence = RunningEvidence(("rest", "task"), 10.0)
    evidence.add(YES, 7.0)
    evidence.add(NO, 7.0 + apart)
    kept = math.exp(-apart / 10.0)
    known = evidence.so_far()
    assert known.probabilities["task"] == pytest.approx(kept / (1 + kept))
    assert sum(known.probabilities.values()) == pytest.approx(1)
    assert known.memory_s == 10.0
