"""Stages for region signals, each against the offline step that it stands for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.arrays import Floats
from models.errors import RecipeError, SignalError
from offline.samples.recipe import parse_recipe
from realtime.signal import Channel, Chunk, Kind, SignalSpec, motion_channels
from realtime.stages import make_stage
from tests.realtime.support import bold_spec

TR = 2.0
REGIONS = bold_spec(2, rate=1 / TR)
MOVING = SignalSpec((*motion_channels()[:6], *REGIONS.channels), 1 / TR)
MOTION = ["head_translation", "head_rotation"]


def run(spec: SignalSpec, data: Floats, **settings_: object) -> Chunk:
    stage = make_stage(settings_, spec)
    times = 30.0 + TR * np.arange(data.shape[1])
    return stage.process(Chunk(spec, data, times, np.isnan(data)))


def moved(rng: np.random.Generator, n: int) -> Floats:
    """Translations (m) and rotations (rad) of a head that wanders and jumps."""
    steps = rng.normal(size=(6, n)) * (rng.random(n) < 0.1)
    return np.cumsum(steps + 0.05 * rng.normal(size=(6, n)), axis=1) * 1e-3


@given(seed=st.integers(0, 2**32), order=st.integers(0, 3), memory=st.sampled_from([60.0, 300.0, 1e6]))
@settings(max_examples=25, deadline=None)
def test_the_last_sample_is_the_residual_of_a_weighted_fit_to_all_before(
    seed: int, order: int, memory: float
) -> None:
    rng = np.random.default_rng(seed)
    n = 90
    head = moved(rng, n)
    data = 900 + rng.normal(size=(2, n)) + rng.uniform(-9e3, 9e3, (2, 6)) @ head + 0.02 * np.arange(n)
    whole = np.concatenate([head, data])
    settings_ = {"stage": "regress", "order": order, "confounds": MOTION, "memory_s": memory}
    out = run(MOVING, whole, **settings_, warmup_s=100.0)
    assert out.spec == REGIONS

    def residual(n: int) -> Floats:
        """Of the last of the first n samples, fitted to all of these: (2,)."""
        ago = TR * np.arange(n)[::-1]
        terms = np.column_stack([*((-ago / 100.0) ** power for power in range(order + 1)), head[:, :n].T])
        weight = np.exp(-ago / memory / 2.0)[:, None]
        found = np.linalg.lstsq(terms * weight, data[:, :n].T * weight, rcond=1e-12)[0]
        return np.asarray(data[:, n - 1] - terms[-1] @ found)

    level = out.data[:, 50] - residual(51)  # fixed when the warm-up is over
    np.testing.assert_allclose(out.data[:, -1], residual(n) + level, atol=0.02)
    np.testing.assert_allclose(out.data[:, 70], residual(71) + level, atol=0.02)


def test_what_a_line_and_the_head_make_is_gone_and_the_level_stays() -> None:
    rng = np.random.default_rng(1)
    head = moved(rng, 300)
    clean = rng.normal(size=(2, 300))
    data = 1000 + clean + np.array([[4e3], [-2e3]]) * head[2] + 0.05 * np.arange(300)
    out = run(MOVING, np.concatenate([head, data]), stage="regress", confounds=MOTION, memory_s=1e5)
    late = slice(100, None)
    assert np.corrcoef(data[0, late], clean[0, late])[0, 1] < 0.5
    assert np.corrcoef(out.data[0, late], clean[0, late])[0, 1] > 0.93
    assert abs(np.corrcoef(out.data[0, late], head[2, late])[0, 1]) < 0.1
    assert np.abs(out.data[:, late].mean(axis=1) - 1000).max() < 3


def test_a_cell_without_its_confounds_is_missing() -> None:
    rng = np.random.default_rng(2)
    data = np.concatenate([moved(rng, 60), 1000 + rng.normal(size=(2, 60))])
    data[3, 40] = np.nan
    out = run(MOVING, data, stage="regress", confounds=MOTION)
    assert np.flatnonzero(out.missing[0]).tolist() == [*range(15), 40]


def test_a_confound_that_is_not_there_or_known_is_refused() -> None:
    with pytest.raises(SignalError, match="expected a channel of kind head_rotation"):
        make_stage({"stage": "regress", "confounds": ["head_rotation"]}, REGIONS)
    with pytest.raises(RecipeError, match="confounds has 'head_rotaton', which is not known"):
        make_stage({"stage": "regress", "confounds": ["head_rotaton"]}, MOVING)
    with pytest.raises(SignalError, match="only confounds"):
        make_stage({"stage": "regress", "confounds": MOTION}, SignalSpec(MOVING.channels[:6], 0.5))


def test_a_recipe_that_regresses_motion_asks_recordings_for_it() -> None:
    values = {
        "name": "moving",
        "rate": 0.5,
        "input": {"kind": "bold"},
        "window": {"length_s": 16.0, "step_s": 4.0},
        "pipeline": [{"stage": "resample"}, {"stage": "regress", "confounds": MOTION}],
        "labels": {"source": "column", "target": "person", "column": "group"},
        "model": {"kind": "ridge"},
    }
    assert parse_recipe(values, "moving").kinds == (Kind.BOLD, Kind.TRANSLATION, Kind.ROTATION)
    values["pipeline"] = [{"stage": "resample"}, {"stage": "regress"}]
    assert parse_recipe(values, "still").kinds == (Kind.BOLD,)


def test_a_spike_is_clipped_and_a_step_is_followed() -> None:
    rng = np.random.default_rng(3)
    data = 1000 + rng.normal(size=(2, 200))
    data[0, 80] += 60.0
    data[1, 120:] += 60.0
    out = run(REGIONS, data, stage="despike")
    assert abs(out.data[0, 80] - 1000) < 8
    assert np.abs(out.data[1, 120:134] - 1000).max() < 20
    np.testing.assert_array_equal(out.data[1, 140:], data[1, 140:])
    inside = np.ones(200, dtype=bool)
    inside[80] = inside[:10] = False
    assert (out.data[0, inside] == data[0, inside]).mean() > 0.97


def test_a_channel_that_stood_still_is_not_held() -> None:
    data = np.full((2, 60), 5.0)
    data[0, 40:] = 7.0
    np.testing.assert_array_equal(run(REGIONS, data, stage="despike").data[:, 10:], data[:, 10:])


def test_a_warm_up_as_long_as_the_window_is_refused() -> None:
    with pytest.raises(RecipeError, match="warm-up shorter than the window"):
        make_stage({"stage": "despike", "window_s": 20.0}, REGIONS)


def test_a_running_baseline_is_the_forgetting_mean() -> None:
    rng = np.random.default_rng(4)
    data = 1000 + np.cumsum(rng.normal(size=(2, 120)), axis=1)
    out = run(REGIONS, data, stage="running_percent", memory_s=50.0)
    weights = np.exp(-TR * np.arange(120)[::-1] / 50.0)
    mean = (data * weights).sum(axis=1) / weights.sum()
    np.testing.assert_allclose(out.data[:, -1], 100 * (data[:, -1] - mean) / mean, rtol=1e-9)
    assert {channel.unit for channel in out.spec.channels} == {"percent"}
    residuals = run(REGIONS, data - 1000, stage="running_percent")
    assert residuals.missing.all()
    percent = SignalSpec((Channel(name="r", kind=Kind.BOLD, unit="percent"),), 0.5)
    with pytest.raises(SignalError, match="no channel to work on"):
        make_stage({"stage": "running_percent"}, percent)
