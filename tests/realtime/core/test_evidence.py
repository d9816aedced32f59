"""Running evidence: a mean that forgets by the clock, or the posterior of what an evaluation has learnt."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from models.cards.window_card import CardEvidence, EvidenceBlock
from models.evidence.accumulation import Law, Rule, log_odds_of
from offline.accumulation import Trajectory, accumulate, effective_windows, first_passage
from realtime.core.evidence import RunningEvidence
from realtime.quality.policy import WindowMeasurement
from realtime.windows import Window

LABELS = ("rest", "task")
YES, NO = np.array([0.0, 1.0]), np.array([1.0, 0.0])
LAW = Law(centre=0.1, mu=0.6, between=0.4, within=1.0, tau=8.0)
RULE = Rule(upper=1.0, lower=-1.0)
BLOCK = EvidenceBlock(events=["left", "right"], first_s=4.0, last_s=20.0)

steps = st.lists(st.floats(0.01, 100.0), min_size=0, max_size=30)
laws = st.builds(
    Law,
    centre=st.floats(-1, 1),
    mu=st.floats(0, 2),
    between=st.floats(0.05, 2),
    within=st.floats(0, 3),
    tau=st.floats(0.05, 200),
)


def window(end: float, *, cue: float | None = None, length: float = 7.0) -> Window:
    whole = WindowMeasurement(1.0, 1.0, 0.0)
    return Window(0, 1, end - length, end, data=None, measurement=whole, reasons=(), cue=cue)


def test_before_anything_is_predicted_nothing_is_known() -> None:
    known = RunningEvidence(LABELS, CardEvidence()).so_far()
    assert known.probabilities == {"rest": 0.5, "task": 0.5}
    assert known.windows == 0
    assert known.effective_windows is None


def test_without_a_time_constant_it_is_the_plain_mean() -> None:
    evidence = RunningEvidence(LABELS, CardEvidence())
    for end, seen in ((7.0, YES), (8.0, YES), (500.0, NO)):
        evidence.add(seen, window(end))
    known = evidence.so_far()
    assert known.probabilities["task"] == pytest.approx(2 / 3)
    assert known.windows == 3
    assert known.stopped is None


@pytest.mark.parametrize("apart", [1.0, 10.0, 60.0])
def test_it_forgets_by_the_clock_and_not_by_windows(apart: float) -> None:
    evidence = RunningEvidence(LABELS, CardEvidence(memory_s=10.0))
    evidence.add(YES, window(7.0))
    evidence.add(NO, window(7.0 + apart))
    kept = math.exp(-apart / 10.0)
    known = evidence.so_far()
    assert known.probabilities["task"] == pytest.approx(kept / (1 + kept))
    assert sum(known.probabilities.values()) == pytest.approx(1)
    assert known.memory_s == 10.0


@given(law=laws, gaps=steps, seed=st.integers(0, 1000))
def test_live_windows_add_up_as_those_of_the_evaluation(law: Law, gaps: list[float], seed: int) -> None:
    times = 7.0 + np.concatenate([[0.0], np.cumsum(gaps)])
    p = np.random.default_rng(seed).uniform(0.001, 0.999, len(times))
    odds = np.array([log_odds_of(each) for each in p.tolist()])
    posterior = accumulate(law, Trajectory("p", True, times - 7.0, odds))
    evidence = RunningEvidence(LABELS, CardEvidence(law=law, rule=RULE, memory_s=5.0))
    for each, end in zip(p.tolist(), times.tolist(), strict=True):
        evidence.add(np.array([1.0 - each, each]), window(end))
    known = evidence.so_far()
    assert known.probabilities["task"] == pytest.approx(expit(posterior.log_odds[-1]), abs=1e-9)
    assert known.effective_windows == pytest.approx(effective_windows(times, law.tau)[-1], rel=1e-9)
    assert (known.windows, known.memory_s) == (len(times), None)
    passage = first_passage(RULE, posterior)
    assert known.stopped == (None if passage is None else LABELS[passage.positive])


def test_the_stopping_rule_holds_to_its_first_label() -> None:
    evidence = RunningEvidence(LABELS, CardEvidence(law=LAW, rule=RULE))
    for end in range(7, 30):
        evidence.add(np.array([0.1, 0.9]), window(float(end)))
    assert evidence.so_far().stopped == "task"
    for end in range(30, 300):
        evidence.add(np.array([0.9, 0.1]), window(float(end)))
    known = evidence.so_far()
    assert known.probabilities["task"] < 0.5
    assert known.stopped == "task"


def test_each_event_begins_a_block_of_its_own() -> None:
    evidence = RunningEvidence(LABELS, CardEvidence(law=LAW, rule=RULE, block=BLOCK))
    ends = np.arange(12.0, 20.0)
    for end in ends:
        each = window(end, cue=0.0)
        evidence.reach(each)
        evidence.add(np.array([0.1, 0.9]), each)
    assert evidence.so_far().windows == len(ends)
    assert evidence.so_far().stopped == "task"
    after = window(31.0, cue=30.0)
    evidence.reach(after)
    known = evidence.so_far()
    assert (known.windows, known.stopped, known.probabilities["task"]) == (0, None, 0.5)


@pytest.mark.parametrize(
    ("end", "counts"), [(10.9, False), (11.0, True), (15.0, True), (20.0, True), (20.1, False)]
)
def test_only_what_lies_within_the_block_counts(end: float, counts: bool) -> None:
    """A window of 7 s between 4 and 20 s after the event."""
    evidence = RunningEvidence(LABELS, CardEvidence(law=LAW, block=BLOCK))
    each = window(100.0 + end, cue=100.0)
    evidence.reach(each)
    evidence.add(YES, each)
    assert evidence.so_far().windows == counts


def test_until_an_event_is_heard_of_evidence_of_blocks_is_a_mean() -> None:
    evidence = RunningEvidence(LABELS, CardEvidence(law=LAW, block=BLOCK, memory_s=10.0))
    for end in (7.0, 8.0):
        evidence.reach(window(end))
        evidence.add(YES, window(end))
    known = evidence.so_far()
    assert known.effective_windows is None
    assert known.probabilities["task"] == pytest.approx(1.0)
    evidence.reach(window(20.0, cue=9.0))
    assert evidence.so_far().windows == 0
    assert evidence.so_far().effective_windows == 0.0
