"""What a card says of unseen people: one rule, one line, one threshold."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import BundleError
from models.evidence.unseen import (
    NEVER,
    LabelThreshold,
    UnseenEvaluation,
    UnseenFigure,
    evaluation_line,
    labels_line,
    least_confidence,
)

SHOWN = LabelThreshold(min_confidence=0.6, right=0.72, majority=0.55, share=0.4)


def unseen(**changes: Any) -> UnseenEvaluation:
    values: dict[str, Any] = {
        "primary": "auc",
        "auc": UnseenFigure(value=0.66, interval=[0.58, 0.73]),
        "balanced_accuracy": UnseenFigure(value=0.61, interval=[0.55, 0.67]),
        "people": 46,
        "windows": 9000,
        "p": 0.03,
        "shown": SHOWN,
    }
    return UnseenEvaluation(**values | changes)


NOTHING = "no label is shown: every window is undecided, probabilities are given"
AT_CHANCE = UnseenFigure(value=0.55, interval=[0.48, 0.62])
FEW = UnseenFigure(value=0.8, interval=None)


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (None, NEVER),
        (unseen(), "by unseen person: AUC .66 (.58 to .73), 46 people; better than chance (p .030)"),
        (
            unseen(p=None),
            "by unseen person: AUC .66 (.58 to .73), 46 people; above chance by its interval, without a "
            "permutation test",
        ),
        (
            unseen(p=2e-4),
            "by unseen person: AUC .66 (.58 to .73), 46 people; better than chance (p < .001)",
        ),
        (
            unseen(p=1 / 1001),
            "by unseen person: AUC .66 (.58 to .73), 46 people; better than chance (p .001)",
        ),
        (unseen(p=0.2), "by unseen person: AUC .66 (.58 to .73), 46 people; not better than chance (p .200)"),
        (
            unseen(auc=AT_CHANCE),
            "by unseen person: AUC .55 (.48 to .62), 46 people; not better than chance (p .030)",
        ),
        (
            unseen(auc=FEW, people=6, simulated=True),
            "by unseen person: AUC .80, 6 simulated people; too few people to say anything of others",
        ),
        (
            unseen(by="time", people=1),
            f"{NEVER}; within people who were trained on: AUC .66 (.58 to .73), 1 person",
        ),
        (unseen(auc=UnseenFigure(value=None), p=None), "by unseen person: not determined by 46 people"),
        (
            unseen(primary="balanced_accuracy"),
            "by unseen person: balanced accuracy .61 (.55 to .67), 46 people; better than chance (p .030)",
        ),
    ],
)
def test_the_line(found: UnseenEvaluation | None, line: str) -> None:
    assert evaluation_line(found) == line


@given(
    value=st.floats(0, 1),
    low=st.floats(0, 1),
    p=st.none() | st.floats(0, 1),
    chance=st.floats(0, 1),
    by=st.sampled_from(["people", "time"]),
)
def test_line_and_rule_never_disagree(
    value: float, low: float, p: float | None, chance: float, by: str
) -> None:
    low = min(low, value)
    figure = UnseenFigure(value=value, interval=[low, 1.0], chance=chance)
    its = unseen(auc=figure, p=p, by=by)
    above = round(low, 3) > round(chance, 3)
    assert its.better_than_chance == (by == "people" and above and (p is None or round(p, 3) <= 0.05))
    assert its.better_than_chance == ("; better than chance" in its.line or "; above chance" in its.line)


@given(asked=st.none() | st.floats(0, 1), low=st.floats(0, 1), shown=st.sampled_from([None, SHOWN]))
def test_the_recipe_goes_before_and_only_what_is_better_than_chance_shows_labels(
    asked: float | None, low: float, shown: LabelThreshold | None
) -> None:
    its = unseen(auc=UnseenFigure(value=0.9, interval=[low, 1.0]), shown=shown)
    least = least_confidence(asked, its)
    if asked is not None:
        assert least == asked
    elif its.better_than_chance and shown is not None:
        assert least == shown.min_confidence
    else:
        assert least is None
    assert least_confidence(asked, None) == asked


@pytest.mark.parametrize(
    ("asked", "found", "line"),
    [
        (None, None, NOTHING),
        (
            None,
            unseen(auc=AT_CHANCE),
            NOTHING,
        ),
        (0.0, None, "every label is shown (set by the recipe)"),
        (0.8, unseen(), "labels are shown from a confidence of .80 (set by the recipe)"),
        (
            None,
            unseen(),
            "labels are shown from a confidence of .60: right for 72% of such windows of unseen people, "
            "always the most frequent label for 55%",
        ),
    ],
)
def test_which_labels_are_shown_in_words(
    asked: float | None, found: UnseenEvaluation | None, line: str
) -> None:
    assert labels_line(asked, found) == line


def test_details_name_the_comparison_and_the_report() -> None:
    its = unseen(
        comparison={"name": "ridge", "value": 0.67},
        majority=0.5,
        null="permuted",
        report="ab" * 32,
        date="2026",
    )
    text = "\n".join(its.details)
    for word in (
        "balanced accuracy .61 (.55 to .67)",
        "ridge, .67",
        "50%",
        "permuted",
        "abababababab",
        "2026",
    ):
        assert word in text


def test_a_card_keeps_it_whole(tmp_path: Any) -> None:
    from models.cards.card import card_of_json
    from models.cards.window_card import WindowCard
    from tests.models.test_bundle import card

    written = card(unseen=unseen())
    assert card_of_json(WindowCard, written.to_json()).unseen == unseen()
    assert written.evaluation_line == unseen().line
    wrong = written.to_json()
    wrong["unseen"] = {**wrong["unseen"], "people": -1}
    with pytest.raises(BundleError, match="people"):
        card_of_json(WindowCard, wrong)
