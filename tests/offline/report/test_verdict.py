"""Sentence, interval and p never disagree, whatever they are."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.evidence.standing import ALPHA, Standing, shown
from models.evidence.unseen import UnseenEvaluation, UnseenFigure
from offline.evaluation.fit_and_predict import BASELINES
from offline.report.verdict import against_chance, standing
from offline.report.words import SIMPLE, finding, summary_of

SHARE = st.floats(0.0, 1.0)
CHANCE = st.sampled_from([0.5, 1 / 3, 0.25])


@st.composite
def figures(draw: st.DrawFn) -> dict[str, Any]:
    """Any value, with an interval about it and a p, or without."""
    value = draw(SHARE)
    ends = [draw(st.floats(0.0, value)), draw(st.floats(value, 1.0))]
    # Close to what decides, too.
    p = draw(st.one_of(st.none(), SHARE, st.sampled_from([0.0499, 0.05, 0.0502, 0.0506])))
    return {"value": value, "interval": draw(st.sampled_from([None, ends])), "p": p}


@given(figures(), CHANCE)
def test_the_sentence_agrees_with_the_interval_and_with_p(its: dict[str, Any], chance: float) -> None:
    text, low = against_chance(its, chance), its["interval"] and shown(its["interval"][0])
    if text.startswith("Better than chance"):
        assert its["p"] is not None
        assert shown(its["p"]) <= ALPHA
        assert low is None or low > shown(chance)
        assert shown(its["value"]) > shown(chance)
    else:
        assert "better than chance" not in text.lower().replace("not shown to be better than chance", "")
    if low is not None and low > shown(chance):
        assert "at chance (" not in text.lower()
        assert "below chance" not in text.lower()
    if its["p"] is not None and low is not None and (shown(its["p"]) <= ALPHA) != (low > shown(chance)):
        assert not text.startswith("Better")
    if its["p"] is not None:  # whatever is computed is given, with the digits of the table
        assert f"p = {its['p']:.3f}" in text
    if its["interval"] is not None:
        assert f"{its['interval'][0]:.3f} to {its['interval'][1]:.3f}" in text


@given(figures())
def test_page_and_card_never_disagree(its: dict[str, Any]) -> None:
    figure = UnseenFigure(value=its["value"], interval=its["interval"])
    card = UnseenEvaluation(
        primary="auc", auc=figure, balanced_accuracy=figure, people=20, windows=100, p=its["p"]
    )
    found = standing(its, 0.5)
    if its["interval"] is None:
        assert not card.better_than_chance
    else:
        assert card.better_than_chance == (found in (Standing.BETTER, Standing.ABOVE))


@pytest.mark.parametrize(
    ("value", "interval", "p", "found", "said"),
    [
        (0.8, [0.6, 1.0], 0.01, Standing.BETTER, "the 95 % interval (0.600 to 1.000) lies above it, and"),
        (0.8, None, 0.01, Standing.BETTER, "too few for an interval"),
        (
            0.8,
            [0.45, 1.0],
            0.01,
            Standing.DISAGREE,
            "p = 0.010, but the 95 % interval (0.450 to 1.000) does not",
        ),
        (0.8, [0.6, 1.0], 0.2, Standing.DISAGREE, "lies above it, but permutation p = 0.200"),
        (0.55, [0.45, 0.65], 0.2, Standing.AT_CHANCE, "not told apart"),
        (0.2, None, 0.04, Standing.AT_CHANCE, "permutation p = 0.040"),
        (0.1, [0.0, 0.3], 0.99, Standing.BELOW, "0.000 to 0.300 and permutation p = 0.990"),
        (0.6, [0.4, 0.8], None, Standing.AT_CHANCE, "0.400 to 0.800"),
        (0.8, [0.6, 1.0], None, Standing.ABOVE, "no permutation test of this model was made"),
        (0.8, [0.5004, 1.0], 0.01, Standing.DISAGREE, "(0.500 to 1.000) does not lie above it"),
        (0.8, [0.6, 1.0], 0.0504, Standing.BETTER, "p = 0.050"),
        (0.9, None, None, Standing.NOT_TESTED, "was not tested"),
        (None, None, None, Standing.UNKNOWN, "Not determined"),
    ],
)
def test_what_is_said_of_constructed_results(
    value: float | None, interval: list[float] | None, p: float | None, found: Standing, said: str
) -> None:
    its = {"value": value, "interval": interval, "p": p}
    assert standing(its, 0.5) is found
    assert said in against_chance(its, 0.5)


def results_of(values: dict[str, float | None], own: str = "cgrnn", **more: Any) -> dict[str, Any]:
    """What an evaluation writes, as far as its words need it."""

    def condition(value: float | None) -> dict[str, Any]:
        return {"by_person": {"auc": {"value": value, "interval": None, "p": None}}}

    names = [own, *(name for name in values if name != own)]
    return {
        "recipe": {"model": own},
        "labels": ["rest", "task"],
        "primary": {"metric": "auc", "label_of": "event"},
        "people": 6,
        "protocol": "every window is predicted",
        "folds": [],
        "says": "6 people",
        "conditions": {name: condition(values[name]) for name in names},
    } | more


@given(
    st.dictionaries(st.sampled_from(SIMPLE), st.one_of(st.none(), SHARE), min_size=1),
    st.sampled_from(["cgrnn", "ridge"]),
)
def test_the_best_simple_comparison_is_the_best_of_all_and_is_named(
    values: dict[str, float | None], own: str
) -> None:
    results = results_of({own: 0.6} | values, own)
    known = {name: value for name, value in values.items() if value is not None and name != own}
    said = [text for text in summary_of(results) if text.startswith("The best simple comparison")]
    assert len(said) == bool(known)
    if known:
        best = max(known.values())
        named = [name for name in known if said[0].startswith(f"The best simple comparison is {name}")]
        assert [known[name] for name in named] == [best]
        assert f"{best:.3f}" in said[0]


def test_all_baselines_are_simple_comparisons() -> None:
    assert set(SIMPLE) == set(BASELINES)


@pytest.mark.parametrize(
    ("interval", "said"),
    [
        ([0.01, 0.03], "cgrnn is better"),
        ([-0.03, -0.01], "cgrnn is worse"),
        ([-0.01, 0.03], "the two are not told apart"),
        ([0.0002, 0.03], "the two are not told apart"),  # 0.000 is what the page shows
        (None, "too few people for an interval"),
    ],
)
def test_a_comparison_is_called_what_its_interval_shows(interval: list[float] | None, said: str) -> None:
    compared = {"linear": {"figure": {"difference": 0.01, "interval": interval}}}
    results = results_of({"cgrnn": 0.7, "linear": 0.69}, compared=compared)
    assert said in " ".join(summary_of(results))


ORDER = {
    "shared": True,
    "recordings": 12,
    "other_lengths": 0,
    "distinct": 1,
    "most_common": ["rest", "task", "task", "rest"],
    "with_most_common": 12,
    "agreement": 1.0,
    "positions": 8,
    "round_length": 2,
    "permuted_within": 8,
    "possible_orders": 70,
    "smallest_p": 2 / 70,
    "position_removed": None,
}


@pytest.mark.parametrize(("p", "usual"), [(0.3, 0.001), (2 / 70, 0.001)])
def test_a_shared_order_gives_its_reason_its_p_and_the_p_that_would_have_misled(
    p: float, usual: float
) -> None:
    null = {
        "of": "ridge",
        "permutations": 68,
        "exact": True,
        "mean": {"auc": 0.6},
        "sd": {"auc": 0.04},
        "greatest": {"auc": 0.66},
    }
    results = results_of({"ridge": 0.67, "time": 1.0}, "ridge", order=ORDER | {"null": null})
    figure = {"value": 0.67, "interval": [0.6, 0.74], "p": p, "p_within_recordings": usual}
    results["conditions"]["ridge"]["by_person"]["auc"] = figure
    text = " ".join(summary_of(results))
    assert "Position in the session tells the label here, for all 12 recordings have one order" in text
    assert f"p = {p:.3f} (least possible 0.029)" in text
    assert "permuted within recordings, which is no null here, would give p = 0.001" in text
    assert ("not shown that ridge learnt more than position" in text) == (p > ALPHA)
    assert finding(results, "ridge").count("Better than chance") == (p <= ALPHA)


def test_orders_of_each_persons_own_need_no_words() -> None:
    results = results_of({"ridge": 0.67, "time": 0.5}, "ridge", order=ORDER | {"shared": False, "null": None})
    assert "Position" not in " ".join(summary_of(results))


def test_no_permutations_leave_open_what_position_gives() -> None:
    results = results_of({"ridge": 0.67, "time": 1.0}, "ridge", order=ORDER | {"null": None})
    assert "What position alone gives was not estimated" in " ".join(summary_of(results))
