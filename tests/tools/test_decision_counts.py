"""What decisions come to at the end of a command."""

from dataclasses import replace

from realtime.decision import ABSTAIN
from tests.realtime.sinks.support import some_decision
from tools.decision_counts import DecisionCounts, truth_by_events


def test_labels_and_reasons_are_counted_and_compared_where_the_truth_is_known() -> None:
    truths = iter(["task", "rest", None, "task"])
    counts = DecisionCounts(lambda decision: next(truths))
    for label in ("task", "task", "rest", "task"):
        counts.add(some_decision(label=label, reasons=()))
    counts.add(some_decision(label=ABSTAIN, reasons=("gap", "motion"), count=3))
    assert counts.summary() == "4 windows classified (task 3, rest 1), 3 abstained (gap 3, motion 3)"
    text = counts.against_events()
    assert text is not None
    assert "2 of 3 classified windows are right (66.7%: task 2 of 2, rest 0 of 1)" in text
    assert "would be 66.7%" in text


def test_without_a_truth_nothing_is_compared() -> None:
    counts = DecisionCounts()
    counts.add(replace(some_decision(label="rest", reasons=()), sequence=1))
    assert counts.summary("scan") == "1 scan classified (rest 1), 0 abstained"
    assert counts.against_events() is None


def test_a_bundle_that_does_not_hold_where_labels_come_from_has_no_truth() -> None:
    assert truth_by_events({}, None) is None  # type: ignore[arg-type]
