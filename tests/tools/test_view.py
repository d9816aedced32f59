"""What the terminal shows in every state, and that text from outside stays text."""

from dataclasses import replace

import pytest
from rich.console import Console

from realtime.core.evidence import Evidence
from realtime.decision import Decision
from realtime.status import State, Status
from tools.view import View

DECISION = Decision(
    session="bed",
    run=1,
    sequence=7,
    count=1,
    window_start=0.0,
    window_end=7.0,
    window_start_utc=None,
    window_end_utc=None,
    produced_at_utc=None,
    age_s=0.1,
    delay_s=1.0,
    label="task",
    reasons=(),
    probabilities={"rest": 0.25, "task": 0.75},
    evidence=Evidence(probabilities={"rest": 0.25, "task": 0.75}, windows=3, memory_s=None),
    coverage=1.0,
    largest_gap_s=0.0,
    channels=4,
    left_out={},
    quality={},
    novelty=None,
    time_uncertainty_s=0.0,
    model="0" * 64,
    origin="live",
    speed=1.0,
)
SINCE = "2026-11-30T04:00:00+00:00"


def shown(state: State, decision: Decision | None, reason: str = "why so") -> str:
    view = View("hemostream · [/red] \x1b[31m bed")
    if decision is not None:
        view.decision(decision)
    view.status(
        Status(
            session="bed", run=1, state=state, reason=reason, since_utc=SINCE, origin="live", stream="Cap",
            evaluation="never evaluated on unseen people", labels="no label is shown",
        )
    )  # fmt: skip
    console = Console(width=120, record=True, force_terminal=False)
    with console.capture() as caught:
        console.print(view.render())
    return caught.get()


@pytest.mark.parametrize("state", [state for state in State if state is not State.LIVE])
def test_a_stream_that_is_not_live_shows_its_state_and_since_when_and_no_label(state: State) -> None:
    text = shown(state, DECISION)
    assert str(state) in text
    assert f"since {SINCE}" in text
    assert "why so" in text
    assert "█" not in text
    assert DECISION.label not in text
    assert "%" not in text


def test_a_live_one_shows_its_label_and_bars() -> None:
    text = shown(State.LIVE, DECISION, reason="")
    assert DECISION.label in text
    assert "█" in text


@pytest.mark.parametrize("state", list(State))
def test_what_the_model_is_worth_is_always_there(state: State) -> None:
    assert "never evaluated on unseen people; no label is shown" in shown(state, DECISION)


def test_an_undecided_window_shows_its_probabilities_and_no_label() -> None:
    text = shown(State.LIVE, replace(DECISION, label="abstain", reasons=("undecided",)))
    assert "abstains: undecided" in text
    assert "75.0%" in text


def test_evidence_says_what_it_is_worth_and_when_it_is_enough() -> None:
    evidence = replace(DECISION.evidence, effective_windows=1.7, stopped="task")
    text = shown(State.LIVE, replace(DECISION, evidence=evidence))
    assert "over 3 windows, worth 1.7 independent ones; enough to stop: task" in text


def test_text_from_outside_is_text() -> None:
    assert DECISION.probabilities is not None
    labels = dict(zip(["\x1b[31mx", "[/red]"], DECISION.probabilities.values(), strict=True))
    evil = replace(DECISION, label="[/red]", probabilities=labels)
    text = shown(State.LIVE, evil, reason="lost [bold]\x1b[2J\x07")
    assert "[/red]" in text
    assert "lost [bold]\\x1b[2J\\x07" in text
    assert "\x1b" not in text
    assert "\x07" not in text
