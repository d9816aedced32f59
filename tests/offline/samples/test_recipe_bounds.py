"""A recipe that is taken can be used: what is wrong with it by itself is reported before anything is read."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import RecipeError, SignalError
from offline.samples.channels import choose_channels
from offline.samples.recipe import Recipe, parse_recipe
from realtime.core import Core
from realtime.log import Origin, StreamOpened
from realtime.plan import Plan
from realtime.quality.policy import Policy
from realtime.signal import UNITS, Channel, Kind, SignalSpec

STAGES: dict[str, dict[str, Any]] = {
    "select": {"kinds": ["intensity"], "max_distance": 0.04, "min_distance": 0.0},
    "optical_density": {"baseline_s": 10.0, "saturation": 5.0},
    "resample": {"measure_s": 10.0},
    "motion": {"cutoff": 0.5, "window_s": 30.0, "warmup_s": 10.0, "hold_s": 2.0},
    "short_channel": {
        "max_distance": 0.01,
        "memory_s": 180.0,
        "warmup_s": 20.0,
        "keep_short": True,
        "reference": "mean",
    },
    "beer_lambert": {"ppf": 6.0, "age": 30.0},
    "total_haemoglobin": {"keep": True},
    "bandpass": {"low": 0.01, "high": 0.2, "order": 2, "hold_s": 2.0},
    "normalise": {"memory_s": 60.0, "warmup_s": 20.0},
    "percent_signal": {"baseline_s": 30.0, "min_ratio": 5.0},
}
VALUES = st.one_of(
    st.sampled_from(
        [0, 1e-9, 1e-4, 0.005, 0.01, 0.02, 0.05, 0.08, 0.1, 0.5, 1, 1.0, 2, 5, 7.0, 10, 60, 3600, 3601]
    ),
    st.sampled_from([1e308, float("inf"), float("nan"), -1, 2**70, True, "mean", "x", [], [6.0], [6.0, 6.0]]),
    st.lists(st.sampled_from([kind.value for kind in Kind]), min_size=1, max_size=3, unique=True),
)
SETTINGS = {name: sorted(its) for name, its in STAGES.items()}


@st.composite
def stages(draw: st.DrawFn) -> list[dict[str, Any]]:
    names = draw(st.lists(st.sampled_from(sorted(STAGES)), max_size=4))
    names.insert(draw(st.integers(0, len(names))), "resample")
    out = []
    for name in names:
        known = SETTINGS[name]
        wanted = draw(st.lists(st.sampled_from(known), max_size=2, unique=True))
        changed = draw(st.booleans())
        values = {
            key: draw(VALUES) if changed and draw(st.booleans()) else STAGES[name][key] for key in wanted
        }
        out.append({"stage": name, **values})
    return out


def recipe_of(pipeline: list[dict[str, Any]], **sections: Any) -> Recipe:
    values: dict[str, Any] = {
        "name": "law",
        "rate": 5.0,
        "pipeline": pipeline,
        "labels": {"source": "column", "target": "person", "column": "group"},
        "model": {"kind": "cgrnn"},
    }
    return parse_recipe(values | sections, "law")


def places(near: float, far: float) -> list[float | None]:
    """Distances of channels: short and long ones as far as a recipe takes them."""
    some = [
        0.002,
        0.004,
        0.008,
        0.012,
        0.018,
        0.025,
        0.03,
        0.035,
        0.045,
        0.06,
        0.08,
        0.2,
        0.6,
        1.0,
        near,
        far,
    ]
    return sorted({each for each in some if near <= each <= far and 0 < each <= 1.0})


def signals(recipe: Recipe) -> list[SignalSpec]:
    """Signals of every kind that such a recipe might meet, of any distances that it takes."""
    out = []
    near = recipe.input.min_distance or 0.0
    far = recipe.input.max_distance or 1.0
    all_of_them = [each for each in places(near, far) if each is not None]
    for first in range(len(all_of_them)):
        for last in range(first, len(all_of_them)):
            distances = all_of_them[first : last + 1 : max(last - first, 1)]
            light = [(Kind.INTENSITY, 760.0), (Kind.INTENSITY, 850.0)]
            density = [(Kind.OPTICAL_DENSITY, 760.0), (Kind.OPTICAL_DENSITY, 850.0)]
            blood = [(Kind.HBO, None), (Kind.HBR, None)]
            for what in (light, density, blood, [*blood, (Kind.HBT, None)]):
                out.append(spec(what, distances))
    out += [spec([(Kind.BOLD, None)], [None, None], unit) for unit in UNITS[Kind.BOLD]]
    return out


def spec(what: list[Any], distances: list[Any], unit: str | None = None) -> SignalSpec:
    return SignalSpec(
        tuple(
            Channel(
                name=f"S{s}_D1 {kind} {wavelength}",
                kind=kind,
                unit=unit or UNITS[kind][0],
                source=s,
                detector=1,
                wavelength=wavelength,
                distance=distance,
            )
            for s, distance in enumerate(distances, start=1)
            for kind, wavelength in what
        ),
        5.0,
    )


def takes(recipe: Recipe, signal: SignalSpec) -> bool:
    try:
        chosen, _ = choose_channels([("it", signal)], recipe.input, recipe.kinds)
        plan = Plan(
            spec=chosen,
            pipeline=recipe.pipeline,
            length_s=recipe.window.length_s,
            step_s=recipe.window.step_s,
            policy=recipe.policy,
        )
        Core(plan).feed(StreamOpened(local=0.0, spec=chosen, origin=Origin(), name="s"))
    except (RecipeError, SignalError):
        return False
    return True


@settings(max_examples=400, deadline=None)
@given(
    pipeline=stages(),
    kind=st.sampled_from(["fnirs", "fnirs", "fnirs", "bold"]),
    near=st.sampled_from([None, None, 0.0, 0.005, 0.02, 0.1]),
    far=st.sampled_from([None, None, 0.004, 0.01, 0.05, 2.0]),
)
def test_a_pipeline_that_is_taken_has_a_signal_that_it_takes(
    pipeline: list[dict[str, Any]], kind: str, near: float | None, far: float | None
) -> None:
    asked = {"kind": kind, "min_distance": near, "max_distance": far}
    try:
        recipe = recipe_of(pipeline, input={key: value for key, value in asked.items() if value is not None})
    except RecipeError:
        return
    assert any(takes(recipe, signal) for signal in signals(recipe))


@settings(max_examples=300, deadline=None)
@given(name=st.sampled_from(sorted(Policy.model_fields)), value=st.one_of(VALUES, st.floats()))
def test_a_policy_that_is_taken_is_one(name: str, value: Any) -> None:
    try:
        recipe = recipe_of([{"stage": "resample"}], policy={name: value}, training={"channel_dropout": 0.1})
    except RecipeError:
        return
    assert getattr(recipe.policy, name) == value


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        ({"policy": {"pulse_low": 0}}, "pulse_low"),
        ({"policy": {"pulse_low": 0.0}}, "pulse_low"),
        ({"policy": {"pulse_high": 11.0}}, "pulse_high"),
        ({"policy": {"pulse_low": 1.5, "pulse_high": 1.0}}, "pulse_low below pulse_high"),
        ({"training": {"seed": 2**70}}, "seed"),
        ({"training": {"batch_size": 10**400}}, "batch_size"),
        ({"training": {"epochs": 10**7}}, "epochs"),
        ({"training": {"learning_rate": 1e300}}, "learning_rate"),
        ({"training": {"weight_decay": 1e300}}, "weight_decay"),
        ({"window": {"length_s": 1e6}}, "length_s"),
        ({"rate": 1e9}, "rate"),
        ({"labels": {"source": "column", "target": "person", "column": "g", "values": ["a"]}}, "two labels"),
    ],
)
def test_numbers_outside_their_bounds_are_reported_when_it_is_read(
    sections: dict[str, Any], words: str
) -> None:
    with pytest.raises(RecipeError, match=words):
        recipe_of([{"stage": "resample"}], **sections)


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        ({"stage": "bandpass", "low": 3.0}, "below half of that"),
        ({"stage": "bandpass", "low": 1e-7}, "low"),
        ({"stage": "motion", "cutoff": 2.5}, "below half of that"),
        ({"stage": "percent_signal"}, "no channel to work on"),
        ({"stage": "beer_lambert", "ppf": [6.0]}, "ppf"),
        ({"stage": "normalise", "warmup_s": -1.0}, "warmup_s"),
        ({"stage": "select", "min_distance": 0.04, "max_distance": 0.01}, "min_distance"),
    ],
)
def test_stages_are_checked_when_it_is_read(stage: dict[str, Any], words: str) -> None:
    with pytest.raises(RecipeError, match=words):
        recipe_of([{"stage": "resample"}, stage])


def test_nothing_is_lost_by_it() -> None:
    recipe = recipe_of([{"stage": "optical_density"}, {"stage": "resample"}, {"stage": "beer_lambert"}])
    assert replace(recipe.outline, near=0.0) == recipe.outline
