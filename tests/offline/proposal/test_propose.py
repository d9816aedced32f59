"""A recipe proposed from what a survey found."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import RecipeError
from offline.proposal.propose import propose
from offline.proposal.survey import EventSurvey, Survey
from offline.samples.left_of_block import warnings_of
from offline.samples.recipe import Recipe, load_recipe
from offline.samples.recipe_sections import Input
from realtime.signal import Kind


def _event(label: str, duration_s: float = 0.0, spacing_s: float = 30.0, **more: float) -> EventSurvey:
    return EventSurvey(
        label=label,
        count=40,
        recordings=4,
        people=4,
        duration_s=duration_s,
        spacing_s=spacing_s,
        closest_s=more.get("closest_s", spacing_s),
        first_s=20.0,
    )


FOUND = Survey(
    people=4,
    recordings=4,
    shortest_s=900.0,
    median_s=1000.0,
    rate=9.1,
    kinds=Counter({Kind.INTENSITY: 36}),
    distances=(0.03,) * 36,
    mirrored=True,
    events=(_event("LEFT", 15.0, 45.0), _event("RIGHT", 15.0, 45.0)),
    columns={},
)


def _recipe(found: Survey, tmp_path: Path, wanted: Input | None = None) -> Recipe:
    (tmp_path / "my.toml").write_text(propose(found, wanted or Input()), encoding="utf-8")
    return load_recipe(tmp_path / "my.toml")


def _stages(recipe: Recipe) -> list[object]:
    return [stage["stage"] for stage in recipe.pipeline]


def test_sides_after_pauses_are_referred_to_the_cue_and_to_each_other(tmp_path: Path) -> None:
    recipe = _recipe(FOUND, tmp_path)
    assert _stages(recipe)[3:5] == ["cue_reference", "homologues"]
    assert all("low" not in stage for stage in recipe.pipeline)
    assert recipe.rate == 8.0
    interval = recipe.labels.intervals["LEFT"]
    assert (interval.delay_s, interval.duration_s) == (3.8, 11.2)


def test_without_positions_no_stage_asks_for_them(tmp_path: Path) -> None:
    assert "homologues" not in _stages(_recipe(replace(FOUND, mirrored=False), tmp_path))


def test_long_blocks_lose_the_high_pass_and_short_ones_keep_it(tmp_path: Path) -> None:
    def low_of(block_s: float) -> float | None:
        events = (_event("easy", block_s, 2 * block_s), _event("hard", block_s, 2 * block_s))
        recipe = _recipe(replace(FOUND, events=events), tmp_path)
        return next(stage for stage in recipe.pipeline if stage["stage"] == "bandpass").get("low")

    assert low_of(12.0) == 0.02
    assert low_of(82.0) is None


def test_one_kind_of_event_is_a_task_and_the_pauses_are_rest(tmp_path: Path) -> None:
    recipe = _recipe(replace(FOUND, events=(_event("1", spacing_s=30.0),)), tmp_path)
    rest, task = (recipe.labels.intervals[label] for label in ("rest", "task"))
    assert task.delay_s + task.duration_s <= rest.delay_s
    assert rest.delay_s + rest.duration_s <= 30.0


def test_blocks_end_before_the_next_event_of_another_kind(tmp_path: Path) -> None:
    events = (_event("a", 40.0, 41.0, closest_s=31.0), _event("b", 40.0, 41.0, closest_s=33.0))
    recipe = _recipe(replace(FOUND, events=events), tmp_path)
    assert {i.delay_s + i.duration_s for i in recipe.labels.intervals.values()} == {31.0}


def test_brief_events_are_looked_for_by_their_response(tmp_path: Path) -> None:
    events = (_event("face", 1.0, 30.0), _event("house", 1.0, 30.0))
    recipe = _recipe(replace(FOUND, events=events), tmp_path)
    assert {i.delay_s + i.duration_s for i in recipe.labels.intervals.values()} == {14.0}


def test_the_word_for_not_knowing_is_no_label(tmp_path: Path) -> None:
    events = (_event("abstain", 20.0, 40.0), _event("go", 20.0, 40.0))
    assert set(_recipe(replace(FOUND, events=events), tmp_path).labels.intervals) == {"abstention", "go"}


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.5, 0.8, 1.0])
def test_slow_signals_get_windows_that_fit_and_no_filter(tmp_path: Path, rate: float) -> None:
    events = (_event("a", 60.0, 90.0), _event("b", 60.0, 90.0))
    recipe = _recipe(replace(FOUND, events=events, rate=rate), tmp_path)
    assert "bandpass" not in _stages(recipe)


def test_a_column_is_the_label_where_no_event_comes_again(tmp_path: Path) -> None:
    found = replace(FOUND, events=(), columns={"group": ("autism", "typical")})
    recipe = _recipe(found, tmp_path)
    labels = recipe.labels
    assert (labels.source, labels.target, labels.column) == ("column", "person", "group")
    assert "likeness" in recipe.model.members
    assert "likeness" not in _recipe(replace(found, mirrored=False), tmp_path).model.members
    assert "likeness" not in _recipe(FOUND, tmp_path).model.members


def test_short_channels_are_left_out_unless_a_person_says_otherwise(tmp_path: Path) -> None:
    found = replace(FOUND, distances=(0.008,) * 4 + (0.03,) * 32)
    assert _recipe(found, tmp_path).input.min_distance == 0.015
    assert _recipe(found, tmp_path, Input(min_distance=0.005)).input.min_distance == 0.005


def test_regions_of_a_scanner_get_windows_of_volumes(tmp_path: Path) -> None:
    found = replace(
        FOUND, rate=0.5, kinds=Counter({Kind.BOLD: 200}), distances=(), events=(), columns={"dx": ("a", "b")}
    )
    recipe = _recipe(found, tmp_path)
    assert recipe.input.kind == "bold"
    assert (recipe.window.length_s, recipe.window.step_s) == (40.0, 4.0)


def test_nothing_that_tells_windows_apart_is_an_error_that_lists_what_there_is() -> None:
    found = replace(FOUND, events=(replace(_event("start"), count=4),))
    with pytest.raises(RecipeError, match=r"'start' 40? times.*column with two to ten values"):
        propose(found, Input())


@given(
    labels=st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=5, unique=True),
    block=st.floats(8.0, 200.0) | st.just(900.0),
    pause=st.floats(0.0, 60.0),
    declared=st.booleans(),
    rate=st.floats(1.0, 60.0),
    shortest=st.floats(100.0, 3000.0),
)
@settings(max_examples=40, deadline=None)
def test_whatever_was_found_the_recipe_is_one_that_loads(
    tmp_path_factory: pytest.TempPathFactory,
    labels: list[str],
    block: float,
    pause: float,
    declared: bool,
    rate: float,
    shortest: float,
) -> None:
    spacing = block + pause
    events = tuple(_event(label, block if declared else 0.0, spacing) for label in labels)
    found = replace(FOUND, events=events, rate=rate, shortest_s=shortest)
    if len(labels) == 1 and spacing - block < 8.0:  # one kind of event, and perhaps no time to rest
        return
    recipe = _recipe(found, tmp_path_factory.mktemp("proposed"))
    assert len(recipe.labels.intervals) == max(len(labels), 2)
    assert warnings_of(recipe) == []
    assert np.isfinite(recipe.rate)
