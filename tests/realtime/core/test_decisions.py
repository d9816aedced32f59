"""A decision follows from a window, its logits and one reading of the clock; by hand."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.cards.window_card import CardEvidence
from models.errors import StreamError
from realtime.core.decisions import DecisionMaker
from realtime.decision import Decision
from realtime.log import Origin, OriginKind, Produced, SessionStarted
from realtime.plan import Plan
from realtime.quality.policy import Policy, Reason, WindowMeasurement
from realtime.windows import Window
from tests.realtime.support import bold_spec

PLAN = Plan(
    spec=bold_spec(),
    pipeline=(),
    labels=("rest", "task"),
    temperature=2.0,
    policy=Policy(max_age_s=5.0),
    model_hash="0" * 64,
)
WINDOW = Window(
    sequence=3,
    count=1,
    start=103.0,
    end=110.0,
    data=np.zeros((3, 4), dtype=np.float32),
    measurement=WindowMeasurement(0.9, 0.8, 0.4),
    reasons=(),
    rejected_channels={Reason.FLAT: ("a",), Reason.GAP: ("b",)},
    quality={"moving": 0.25},
    novelty=0.5,
    time_uncertainty_s=0.003,
)
LOGITS = np.array([0.0, 2.0], dtype=np.float32)  # at temperature 2 odds of e


def decide(
    window: Window = WINDOW,
    logits: np.ndarray | None = LOGITS,
    *,
    at: float = 110.5,
    origin: Origin | None = None,
    maker: DecisionMaker | None = None,
) -> Decision:
    if maker is None:
        maker = DecisionMaker(PLAN)
        maker.start(SessionStarted(0.0, "bed-1", 7, "0" * 64))
        maker.utc_offset = 1.7e9
    produced = Produced(at, window.sequence, 1)
    return maker.decide(window, logits, produced, origin=origin or Origin(), delay_s=1.5, n_channels=8)


def test_a_usable_window_has_the_likeliest_label() -> None:
    decision = decide()
    p = np.e / (1 + np.e)
    assert decision.label == "task"
    assert decision.reasons == ()
    assert decision.probabilities == pytest.approx({"rest": 1 - p, "task": p})
    assert decision.evidence.probabilities == decision.probabilities
    assert decision.evidence.windows == 1


def test_everything_known_of_the_window_goes_along() -> None:
    decision = decide()
    assert decision.identity == ("bed-1", 7, 3)
    assert (decision.window_start, decision.window_end, decision.count) == (103.0, 110.0, 1)
    assert decision.window_start_utc == "2023-11-14T22:15:03.000000+00:00"
    assert decision.window_end_utc == "2023-11-14T22:15:10.000000+00:00"
    assert decision.produced_at_utc == "2023-11-14T22:15:10.500000+00:00"
    assert (decision.age_s, decision.delay_s) == (0.5, 1.5)
    assert (decision.coverage, decision.largest_gap_s) == (0.9, 0.4)
    assert decision.channels == 6  # of eight, two rejected
    assert decision.left_out == {"flat": ("a",), "gap": ("b",)}
    assert (decision.quality, decision.novelty, decision.time_uncertainty_s) == ({"moving": 0.25}, 0.5, 0.003)
    assert (decision.model, decision.origin, decision.speed) == ("0" * 64, "live", 1.0)


def test_a_window_in_a_gap_has_no_channels() -> None:
    decision = decide(replace(WINDOW, data=None, reasons=(Reason.COVERAGE,), rejected_channels={}), None)
    assert decision.channels == 0
    assert (decision.label, decision.probabilities) == ("abstain", None)
    assert decision.reasons == ("coverage",)


@pytest.mark.parametrize(
    ("logits", "at", "reasons"),
    [
        (None, 110.5, ["inference failed"]),
        (np.array([np.nan, 1.0], dtype=np.float32), 110.5, ["inference failed"]),
        (np.array([np.inf, 1.0], dtype=np.float32), 110.5, ["inference failed"]),
        (LOGITS, 115.0, []),
        (LOGITS, 115.001, ["stale"]),
        (LOGITS, 105.0, []),
        (LOGITS, 104.999, ["ahead of the clock"]),
        (None, 116.0, ["inference failed", "stale"]),
        (None, 104.0, ["inference failed", "ahead of the clock"]),
    ],
)
def test_reasons_of_a_usable_window(logits: np.ndarray | None, at: float, reasons: list[str]) -> None:
    decision = decide(logits=logits, at=at)
    assert list(decision.reasons) == reasons
    assert decision.abstained == bool(reasons)
    assert decision.evidence.windows == (not reasons)


@pytest.mark.parametrize(
    ("least", "label", "reasons"),
    [
        (0.0, "task", ()),
        (0.73, "task", ()),
        (0.74, "abstain", ("undecided",)),
        (1.0, "abstain", ("undecided",)),
        (None, "abstain", ("undecided",)),
    ],
)
def test_what_is_not_likely_enough_is_undecided(
    least: float | None, label: str, reasons: tuple[str, ...]
) -> None:
    """The likeliest label has e / (1 + e) = .731; probabilities and evidence are given all the same."""
    maker = DecisionMaker(replace(PLAN, min_confidence=least))
    decision = decide(maker=maker)
    assert (decision.label, decision.reasons) == (label, reasons)
    assert decision.predicted
    assert decision.probabilities == pytest.approx({"rest": 1 / (1 + np.e), "task": np.e / (1 + np.e)})
    assert decision.evidence.probabilities == decision.probabilities
    assert decision.evidence.windows == 1


def test_what_is_unusable_or_late_is_not_called_undecided() -> None:
    maker = DecisionMaker(replace(PLAN, min_confidence=None))
    late = decide(maker=maker, at=200.0)
    assert late.reasons == ("stale",)
    assert not late.predicted
    assert decide(replace(WINDOW, reasons=(Reason.MOTION,)), maker=maker).reasons == ("motion",)


@given(p=st.floats(0.5, 1.0), least=st.none() | st.floats(0, 1))
def test_a_label_is_shown_if_and_only_if_it_is_likely_enough(p: float, least: float | None) -> None:
    odds = np.array([0.0, np.log(p / (1 - p)) if p < 1 else 50.0], dtype=np.float32)
    maker = DecisionMaker(replace(PLAN, temperature=1.0, min_confidence=least))
    decision = decide(logits=odds, maker=maker)
    assert decision.probabilities is not None
    enough = least is not None and max(decision.probabilities.values()) >= least
    assert decision.abstained == (not enough)


def test_evidence_starts_over_with_each_event_that_begins_a_block() -> None:
    law = {"centre": 0.0, "mu": 1.0, "between": 0.5, "within": 1.0, "tau": 5.0}
    block = {"events": ["go"], "first_s": 0.0, "last_s": 20.0}
    evidence = CardEvidence.model_validate(
        {"law": law, "block": block, "rule": {"upper": 0.5, "lower": -0.5}}
    )
    maker = DecisionMaker(replace(PLAN, evidence=evidence, min_confidence=None))
    first = decide(replace(WINDOW, cue=100.0), maker=maker).evidence
    assert (first.windows, first.effective_windows, first.stopped) == (1, 1.0, "task")
    second = decide(replace(WINDOW, start=104.0, end=111.0, cue=100.0), maker=maker).evidence
    assert second.windows == 2
    assert second.effective_windows is not None
    assert 1.0 < second.effective_windows < 2.0
    other = decide(replace(WINDOW, start=105.0, end=112.0, cue=111.5), maker=maker).evidence
    assert (other.windows, other.stopped, other.probabilities["task"]) == (0, None, 0.5)


def test_a_stale_decision_keeps_its_probabilities_and_adds_no_evidence() -> None:
    decision = decide(at=200.0)
    assert decision.probabilities is not None
    assert decision.evidence.probabilities == {"rest": 0.5, "task": 0.5}


def test_an_unusable_window_has_its_own_reasons_alone() -> None:
    """Also where logits came, and where it is too old."""
    decision = decide(replace(WINDOW, reasons=(Reason.MOTION, Reason.FLAT)), at=300.0)
    assert decision.reasons == ("motion", "flat")
    assert decision.probabilities is None
    assert decision.evidence.windows == 0


def test_age_and_utc_of_a_replay_follow_its_clock() -> None:
    """Ten times as fast from 100 s on: its 110 s was local 101 s."""
    decision = decide(at=101.2, origin=Origin(OriginKind.REPLAYED, 10.0, 100.0))
    assert decision.age_s == pytest.approx(2.0)
    assert decision.window_end_utc == "2023-11-14T22:15:01.000000+00:00"
    assert decision.produced_at_utc == "2023-11-14T22:15:01.200000+00:00"
    assert (decision.origin, decision.speed) == ("replayed", 10.0)


@pytest.mark.parametrize("offset", [None, 1e18, -1e18])
def test_without_a_date_that_exists_there_is_no_utc(offset: float | None) -> None:
    maker = DecisionMaker(PLAN)
    maker.utc_offset = offset
    decision = decide(maker=maker)
    assert (decision.window_start_utc, decision.window_end_utc, decision.produced_at_utc) == (None,) * 3
    assert (decision.session, decision.run) == ("", 0)


def test_a_reading_that_is_no_time_is_refused() -> None:
    with pytest.raises(StreamError, match=r"clock reads nan s for window 3"):
        decide(at=np.nan)


def test_another_device_starts_the_evidence_over() -> None:
    maker = DecisionMaker(PLAN)
    assert [decide(maker=maker).evidence.windows for _ in range(2)] == [1, 2]
    maker.forget()
    assert decide(maker=maker).evidence.windows == 1
