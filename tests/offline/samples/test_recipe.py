"""A recipe is checked as a whole before anything is computed."""

import subprocess
import sys
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import RecipeError
from models.networks.registry import check_model
from offline.recordings import read_recording
from offline.samples.recipe import Recipe, load_recipe, parse_recipe, recipe_names
from realtime.pipeline import Pipeline
from realtime.quality.policy import Policy
from realtime.signal import Channel, Kind, SignalSpec
from realtime.sources.recording import Event

SMALL = """
rate = 5.0
[[pipeline]]
stage = "resample"
[labels]
source = "events"
target = "event"
[labels.intervals.rest]
events = ["cue"]
delay_s = -12.0
duration_s = 10.0
[labels.intervals.task]
events = ["cue", "go"]
delay_s = 4.0
duration_s = 12.0
[model]
kind = "cgrnn"
"""


def parsed(text: str = SMALL, **changes: Any) -> Recipe:
    return parse_recipe({"name": "small", **tomllib.loads(text), **changes}, "small")


FNIRS = SignalSpec(
    tuple(
        Channel(
            name=f"S{side}_D{side} {wavelength}",
            kind=Kind.INTENSITY,
            unit="V",
            source=side,
            detector=side,
            wavelength=wavelength,
            distance=0.03,
            position=(x, 0.0, 0.08),
        )
        for side, x in ((1, -0.05), (2, 0.05))
        for wavelength in (760.0, 850.0)
    ),
    10.0,
)
BOLD = SignalSpec((Channel(name="region 1", kind=Kind.BOLD, unit="a.u."),), 0.5)


@pytest.mark.parametrize("name", recipe_names())
def test_every_ready_recipe_can_be_made(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.name == name
    assert recipe.description
    check_model(recipe.model.kind, recipe.model.params)
    pipeline = Pipeline(recipe.pipeline, BOLD if recipe.input.kind == "bold" else FNIRS)
    assert pipeline.spec_out.rate == recipe.rate
    assert pipeline.warmup_s < 75  # a session of two minutes must come to decisions


def test_the_ready_recipes_are_there() -> None:
    assert {"tapping", "cortivision", "bold", "demo"} <= set(recipe_names())


def test_tapping_labels_the_real_recordings(data_dir: Path) -> None:
    """Each cue gives windows of both labels, about as many of one as of the other."""
    path = data_dir / "fnirs/homer3_tapping/subj1/Fingertapping_08192013.nirs"
    recording = read_recording(path)
    recipe = load_recipe("tapping")
    starts = range(int(recording.times[0]), int(recording.times[-1]) - 7)
    found = [recipe.labels.label_of(start, start + 7, recording.events) for start in starts]
    cues = len(recording.events)
    assert found.count("tapping") >= 5 * cues
    assert found.count("rest") >= 3 * (cues - 1)
    assert None in found


def test_a_solved_model_is_not_mirrored_without_a_word() -> None:
    text = SMALL.replace('kind = "cgrnn"', 'kind = "ridge"\n[training.augmentation]\nmirror = true')
    with pytest.raises(RecipeError, match="mirror is for networks, and model 'ridge' is solved for"):
        parsed(text)


def test_an_interval_may_last_no_longer_than_its_event() -> None:
    text = SMALL.replace("duration_s = 12.0", "duration_s = 12.0\nwithin_event = true")
    events = (Event(100.0, "go", 10.0), Event(200.0, "go", 30.0), Event(300.0, "go"), Event(400.0, "go", 2.0))
    spans = [(block.start, block.stop) for block in parsed(text).labels.blocks(events)]
    assert spans == [(104.0, 114.0), (204.0, 216.0), (304.0, 316.0), (404.0, 406.0)]


def test_a_window_has_a_label_when_it_lies_wholly_inside() -> None:
    recipe = parsed()
    events = (Event(100.0, "cue"), Event(300.0, "go"), Event(400.0, "other"))
    expected = {
        (88.0, 95.0): "rest",
        (91.0, 98.0): "rest",
        (91.1, 98.1): None,
        (87.9, 94.9): None,
        (103.9, 110.9): None,
        (104.0, 111.0): "task",
        (109.0, 116.0): "task",
        (109.1, 116.1): None,
        (304.0, 311.0): "task",
        (288.0, 295.0): None,  # rest is declared before "cue" only
        (404.0, 411.0): None,
    }
    assert {window: recipe.labels.label_of(*window, events) for window in expected} == expected


def test_numbers_of_events_are_written_as_readers_write_them() -> None:
    labels = {
        "source": "events",
        "target": "event",
        "intervals": {
            "rest": {"events": [" 2.0"], "duration_s": 8.0},
            "task": {"events": ["1", "go\n"], "duration_s": 8.0},
        },
    }
    recipe = parsed(labels=labels)
    assert recipe.labels.intervals["rest"].events == ("2",)
    assert recipe.labels.intervals["task"].events == ("1", "go")
    assert recipe.labels.label_of(0.0, 7.0, [Event(0.0, "2")]) == "rest"


def test_streams_are_named_by_words_or_numbers() -> None:
    chosen = parsed(input={"stream": 2, "events": "source_id='42'"}).input
    assert (chosen.stream, chosen.events) == (2, "source_id='42'")
    with pytest.raises(RecipeError, match=r"input\.stream"):
        parsed(input={"stream": True})


@given(
    onsets=st.lists(st.floats(0, 120), max_size=8),
    start=st.floats(-20, 140),
    shift=st.floats(-1e5, 1e5),
)
def test_a_label_depends_on_distances_alone(onsets: list[float], start: float, shift: float) -> None:
    """Held to brute force, and to the same recording begun at another time."""
    recipe = parsed()
    events = [Event(onset, "cue") for onset in onsets]
    spans: list[tuple[str, float, float]] = []
    for label, begin, end in (("rest", -12.0, -2.0), ("task", 4.0, 16.0)):
        for onset in sorted(onsets):
            if spans and spans[-1][0] == label and onset + begin < spans[-1][2]:
                spans[-1] = (label, spans[-1][1], onset + end)
            else:
                spans.append((label, onset + begin, onset + end))
    ends = sorted([start, start + 7, *(end for _, *its in spans for end in its)])
    if any(later - earlier < 1e-4 for earlier, later in pairwise(ends)):
        return
    touched = [span for span in spans if span[1] < start + 7 and start < span[2]]
    whole = [label for label, low, high in touched if low < start and start + 7 < high]
    expected = whole[0] if whole and len(touched) == 1 else None
    assert recipe.labels.label_of(start, start + 7, events) == expected
    moved = [Event(event.onset + shift, event.label) for event in events]
    assert recipe.labels.label_of(start + shift, start + 7 + shift, moved) == expected


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"training": {"epocs": 3}}, r"training\.epocs: unknown\. Did you mean 'epochs'\?"),
        ({"trainign": {}}, r"trainign: unknown\. Did you mean 'training'\?"),
        ({"training": {"epochs": "3"}}, r"training\.epochs: found '3'; expected a valid integer"),
        ({"training": {"epochs": True}}, r"training\.epochs: found True; .*integer"),
        ({"training": {"learning_rate": 0}}, r"learning_rate: found 0; .*greater than 0"),
        ({"training": {"validation_fraction": float("nan")}}, r"validation_fraction: found nan; .*finite"),
        ({"training": {"class_weights": "balance"}}, r"found 'balance'; .*'balanced' or 'none'"),
        ({"input": {"channels": "S1"}}, r"input\.channels: found 'S1'; expected a list"),
        ({"input": {"min_distance": 0.05, "max_distance": 0.01}}, "min_distance is 0.05 m"),
        ({"policy": {"min_coverage": 90}}, r"policy\.min_coverage: found 90"),
        ({"policy": {"min_coverag": 0.5}}, r"policy\.min_coverag: unknown\. Did you mean 'min_coverage'"),
        ({"training": {"channel_dropout": 1.0}}, r"channel_dropout: found 1\.0; .*less than 1"),
        ({"rate": 5.05}, "window.length_s is 7.0 s, which is 35.35 samples"),
        ({"window": {"step_s": 0.5}}, "window.step_s is 0.5 s, which is 2.5 samples"),
        ({"pipeline": []}, "expected exactly one 'resample'"),
        ({"pipeline": [{"stage": "resample"}, {"stage": "resample"}]}, "expected exactly one 'resample'"),
        ({"pipeline": [{"stage": "resample", "rate": 8}]}, "resamples to 8 Hz, the recipe's rate is 5.0"),
        ({"window": {"length_s": 11}}, "rest.duration_s is 10.0 s, so no window of 11.0 s"),
        ({"labels": {"source": "column", "target": "person"}}, "labels from a column need its name"),
        ({"labels": {"source": "events", "target": "event"}}, "need two intervals or more"),
        (
            {"labels": {"source": "column", "target": "person", "column": "g", "values": ["a", "a"]}},
            "expected each label once",
        ),
        (
            {"labels": {"source": "column", "target": "person", "column": "g", "values": ["a", "abstain"]}},
            "choose another label",
        ),
    ],
)
def test_says_which_key_is_wrong_and_how(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        parsed(**changes)


def test_a_key_within_an_interval_is_checked_too() -> None:
    with pytest.raises(RecipeError, match=r"rest\.delay: unknown\. Did you mean 'delay_s'"):
        parsed(SMALL.replace("delay_s = -12.0", "delay = -12.0"))


def test_all_mistakes_are_reported_at_once() -> None:
    with pytest.raises(RecipeError, match=r"labels: missing.*model: missing.*training\.epocs: unknown"):
        parse_recipe(
            {"name": "x", "rate": 5.0, "pipeline": [{"stage": "resample"}], "training": {"epocs": 1}}, "x"
        )


def test_the_rate_is_filled_in_and_what_was_given_stays_as_it_was() -> None:
    given_stages = [{"stage": "resample"}]
    assert parsed(pipeline=given_stages).pipeline == ({"stage": "resample", "rate": 5.0},)
    assert given_stages == [{"stage": "resample"}]


def test_the_hash_is_of_what_is_done() -> None:
    assert parsed().hash == parsed(name="other", description="words").hash
    assert parsed().hash == parsed(pipeline=[{"stage": "resample", "rate": 5}]).hash
    assert parsed().hash != parsed(training={"seed": 1}).hash
    assert parsed().hash != parsed(pipeline=[{"stage": "resample", "measure_s": 5.0}]).hash


def test_a_file_is_read_and_named_for_itself(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(SMALL, encoding="utf-8")
    assert load_recipe(path).name == "mine"
    assert load_recipe(str(path)) == load_recipe(path)


def test_what_is_no_recipe_is_reported(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"Did you mean 'tapping'"):
        load_recipe("taping")
    path = tmp_path / "mine.toml"
    path.write_text("rate = = 5", encoding="utf-8")
    with pytest.raises(RecipeError, match="is not TOML"):
        load_recipe(path)
    path.write_bytes(b"name = '\xe4'")
    with pytest.raises(RecipeError, match="save it as UTF-8"):
        load_recipe(path)


def test_reading_a_recipe_imports_neither_torch_nor_mne() -> None:
    code = (
        "import sys; from offline.samples.recipe import load_recipe; load_recipe('demo'); "
        "sys.exit(any(name in sys.modules for name in ('torch', 'mne')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("amount", [True, False])
def test_by_time_a_label_of_the_person_cannot_be_predicted(amount: bool) -> None:
    labels = {"source": "column", "target": "person", "column": "group", "continuous": amount}
    with pytest.raises(RecipeError, match=r'evaluation\.by = "time" needs labels that change'):
        parsed(labels=labels, evaluation={"by": "time"})


@pytest.mark.parametrize(
    ("stages", "said"),
    [
        ([{"stage": "resample"}, {"stage": "bandpas", "low": 0.1}], "Did you mean 'bandpass'"),
        ([{"stage": "resample"}, {"stage": "bandpass", "loww": 0.1}], "Did you mean 'low'"),
        ([{"stage": "resample"}, {"low": 0.1}], "stage = None"),
        ([{"stage": "bandpass", "low": 0.1}, {"stage": "resample"}], "'bandpass' stands before"),
    ],
)
def test_a_misspelt_stage_is_found_before_any_recording_is_read(stages: list[Any], said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        parsed(pipeline=stages)


def test_the_policy_is_the_live_sessions_own() -> None:
    """Every field of it can be asked for, and nothing asked is what a session asks."""
    assert parsed().policy == Policy()
    assert parsed(policy={"min_coverage": 0.5}).policy == Policy(min_coverage=0.5)


def test_fewer_channels_want_a_network_that_learnt_to_do_without() -> None:
    with pytest.raises(RecipeError, match=r"min_channels is 0\.5.*channel_dropout is 0"):
        parsed(policy={"min_channels": 0.5})
    parsed(policy={"min_channels": 0.5}, training={"channel_dropout": 0.2})
    parsed(policy={"min_channels": 1.0})
