"""The soak's own arithmetic: what grew, what was lost, and a day that can be had again from its seed."""

import os
from pathlib import Path

import numpy as np
import pytest

from tools.faults.faults import Fault
from tools.faults.hearing import age_at
from tools.faults.measure import OutletTruth, good_share, shown
from tools.soak.plan import QUIET_S, SEGMENTS, draw
from tools.soak.watch import Look, look, trend


def test_a_process_is_measured_and_one_that_is_gone_is_none() -> None:
    seen = look(os.getpid(), 1.0)
    assert seen is not None
    assert seen.memory > 1e6
    assert seen.descriptors >= 3
    assert seen.threads >= 1
    assert look(2**22 + 1, 1.0) is None


def test_growth_is_distinguished_from_settling() -> None:
    flat = [Look(float(i), 100 if i < 20 else 200, 7, 3) for i in range(100)]
    assert trend(flat).growth == 0.0
    growing = [Look(float(i), 1000 + i, 7 + (i > 50), 3) for i in range(100)]
    assert trend(growing).growth == pytest.approx(63 / 1027.5, rel=0.05)
    assert trend(growing).descriptors == (7, 8)
    with pytest.raises(ValueError, match="say nothing"):
        trend(flat[:3])


def test_a_day_is_the_same_again_and_every_fault_of_it_can_be_read() -> None:
    day = draw(2, 24.0, seed=5)
    assert day == draw(2, 24.0, seed=5)
    assert day != draw(3, 24.0, seed=5)
    assert len(day) == SEGMENTS
    assert sum(segment.seconds for segment in day) == pytest.approx(86400)
    for segment in day:
        faults = [Fault.parse(text) for text in segment.faults]
        assert len(faults) > 10
        assert all(fault.at >= QUIET_S and fault.end <= segment.seconds - QUIET_S for fault in faults)


def test_what_was_wrong_or_late_is_counted() -> None:
    from tools.faults.hearing import Heard

    n = 300
    times = np.arange(n) / 10
    spoilt = (times >= 10.0) & (times < 15.0)
    truth = OutletTruth(np.arange(n), times, times, times, spoilt)
    assert truth.rate == pytest.approx(10)
    assert good_share(truth, 0.0, 7.0) == pytest.approx(1.0)
    assert good_share(truth, 9.0, 16.0) == pytest.approx(2 / 7)

    def heard(end: float, at: float, label: str = "rest", topic: str = "decision") -> Heard:
        text = (
            f'{{"label":"{label}","window_start":{end - 7.0},"window_end":{end},"age_s":0.0,"speed":1.0,'
            '"produced_at_utc":"1970-01-01T00:00:00+00:00"}'
        )
        return Heard(at, topic, text)

    story = [heard(8.0, 1.0), heard(16.0, 1.0), heard(9.0, 30.0), heard(16.0, 1.0, "abstain"),
             heard(16.0, 99.0, topic="history")]  # fmt: skip
    found = shown(story, [truth], max_age_s=5.0, least_share=0.9, slack_s=0.5)
    assert (found.labelled, found.wrong, found.stale) == (3, 1, 1)


def test_age_at_arrival_counts_what_passed_since_it_was_made() -> None:
    values = {"age_s": 0.5, "speed": 2.0, "produced_at_utc": "1970-01-01T00:01:00+00:00"}
    assert age_at(values, 61.5) == pytest.approx(3.5)


def test_the_account_of_a_bed(tmp_path: Path) -> None:
    from realtime.decision import Decision, Evidence
    from realtime.log import Origin, Received, SessionStarted, StreamOpened
    from realtime.sinks.journal.journal import JournalWriter
    from tests.realtime.support import intensity_spec
    from tools.faults.hearing import Heard
    from tools.soak.account import account

    spec = intensity_spec(1)

    def decision(sequence: int) -> Decision:
        return Decision(
            session="bed", run=1, sequence=sequence, count=1, window_start=0.0, window_end=7.0,
            window_start_utc=None, window_end_utc=None, produced_at_utc="1970-01-01T00:00:00+00:00",
            age_s=0.0, delay_s=0.0, label="rest", reasons=(), probabilities={"rest": 1.0}, coverage=1.0,
            largest_gap_s=0.0, evidence=Evidence(probabilities={"rest": 1.0}, windows=1, memory_s=None),
            channels=2, left_out={}, quality={}, novelty=None, time_uncertainty_s=0.0,
            model="m", origin="live", speed=1.0,
        )  # fmt: skip

    made = [decision(sequence) for sequence in range(4)]
    with JournalWriter(tmp_path / "bed.hemostream", on_trouble=lambda _: None) as journal:
        journal.append(SessionStarted(0.0, "bed", 1, "m"))
        journal.append(StreamOpened(0.0, spec, Origin(), "device"))
        journal.append(Received(0.1, np.arange(5.0), np.ones((2, 5))))
        for one in made:
            journal.decide(one, lambda _: None)
    texts = [one.to_json() for one in made]
    heard = [
        Heard(1.0, "decision", texts[1]),
        Heard(1.0, "decision", texts[0]),
        Heard(60.0, "decision", texts[2]),
        Heard(60.0, "history", texts[0]),
        Heard(1.0, "decision", texts[2].replace('"rest"', '"task"')),
    ]
    sums = account(tmp_path / "bed.hemostream", heard, max_age_s=5.0)
    assert (sums.samples, sums.opened, sums.decisions, sums.predicted) == (5, 1, 4, 4)
    assert (sums.undelivered, sums.unknown, sums.repeated, sums.stale) == (1, 1, 2, 1)
    assert (sums.disordered, sums.history) == (1, 1)
