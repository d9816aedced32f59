"""Short channels: what the scalp shares is taken out, what it does not share stays, nothing blows up."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.arrays import Floats
from models.errors import RecipeError, SignalError
from realtime.channels.montage import read_layout
from realtime.signal import Channel, Chunk, Kind, Position, SignalSpec
from realtime.stages.base import Reset
from realtime.stages.references import references_of, split_by_distance
from realtime.stages.short_channel import PRIOR, ShortChannel

RATE = 8.0


def channel(
    source: int,
    detector: int,
    distance: float | None,
    wavelength: float = 760.0,
    position: Position | None = None,
) -> Channel:
    return Channel(
        name=f"S{source}_D{detector} {wavelength:g}",
        kind=Kind.OPTICAL_DENSITY,
        unit="1",
        source=source,
        detector=detector,
        wavelength=wavelength,
        distance=distance,
        position=position,
    )


SPEC = SignalSpec((channel(1, 1, 0.03), channel(2, 1, 0.03), channel(1, 8, 0.008)), RATE)


def chunk_of(data: Floats, spec: SignalSpec = SPEC, first: float = 0.0) -> Chunk:
    return Chunk(spec, data, first + np.arange(data.shape[1]) / RATE, np.isnan(data))


def signals(seed: int, seconds: float = 400.0) -> tuple[Floats, Floats, Floats]:
    """Two brains, and a scalp, each (n, n_samples), unlike one another."""
    rng = np.random.default_rng(seed)
    times = np.arange(seconds * RATE) / RATE
    frequencies = rng.uniform(0.02, 0.15, (3, 6, 1))
    phases = rng.uniform(0, 2 * np.pi, (3, 6, 1))
    waves = 0.01 * np.sin(2 * np.pi * frequencies * times + phases).sum(axis=1)
    return waves[:1], waves[1:2], waves[2:]


@given(seed=st.integers(0, 2**32), shares=st.tuples(st.floats(-2, 3), st.floats(0.2, 3)))
@settings(max_examples=15, deadline=None)
def test_the_brain_is_found_under_the_scalp(seed: int, shares: tuple[float, float]) -> None:
    one, two, scalp = signals(seed)
    data = np.concatenate([one + shares[0] * scalp, two + shares[1] * scalp, scalp]) + 0.3
    out = ShortChannel(SPEC).process(chunk_of(data))
    assert out.spec.names == SPEC.names[:2]
    late = slice(1600, None)
    for row, (brain, share) in enumerate(zip((one, two), shares, strict=True)):
        left = out.data[row, late] - brain[0, late] - 0.3
        before = share * scalp[0, late]
        # Chance correlation of the courses limits what any regression can do.
        assert left.std() < 0.25 * before.std() + 0.5 * brain.std()
        assert abs(out.data[row, late].mean() - data[row, late].mean()) < 0.02  # its own level stays


def test_it_is_the_least_squares_solution_where_nothing_is_forgotten() -> None:
    """With an endless memory, recursive least squares ends at the regression over all samples."""
    one, two, scalp = signals(1)
    data = np.concatenate([one + 0.8 * scalp, two, scalp])
    stage = ShortChannel(SPEC, memory_s=1e9)
    stage.process(chunk_of(data))
    found = stage.state()["coefficients"]
    x = data[2] - data[2].mean()
    whole = [float(x @ (data[row] - data[row].mean()) / (x @ x)) for row in (0, 1)]
    np.testing.assert_allclose(np.asarray(found)[:, 0], whole, atol=0.03)


def test_it_follows_a_scalp_that_changes() -> None:
    _, _, scalp = signals(2, 1200.0)
    share = np.where(np.arange(scalp.shape[1]) < 4800, 0.5, 1.5)
    data = np.concatenate([share * scalp, scalp, scalp])
    stage = ShortChannel(SPEC, memory_s=60.0)
    stage.process(chunk_of(data[:, :4800]))
    before = float(np.asarray(stage.state()["coefficients"])[0, 0])
    stage.process(chunk_of(data[:, 4800:], first=600.0))
    after = float(np.asarray(stage.state()["coefficients"])[0, 0])
    assert (before, after) == (pytest.approx(0.5, abs=0.01), pytest.approx(1.5, abs=0.01))


@given(
    seed=st.integers(0, 2**32), reference=st.sampled_from(["nearest", "all", "mean"]), which=st.integers(0, 4)
)
@settings(max_examples=40, deadline=None)
def test_nothing_blows_up(seed: int, reference: str, which: int) -> None:
    """References that are constant, missing, equal, huge or gone for an hour: finite, bounded, symmetric."""
    rng = np.random.default_rng(seed)
    spec = SignalSpec((*SPEC.channels, channel(2, 9, 0.008)), RATE)
    data = 0.02 * rng.standard_normal((4, 2000)).cumsum(axis=1)
    stretch = slice(400, 1600)
    match which:
        case 0:
            data[2:, stretch] = data[2:, 400:401]
        case 1:
            data[2:, stretch] = np.nan
        case 2:
            data[3] = data[2]
        case 3:
            data[2, 400::100] = rng.choice([1e3, -1e3, 1e300], 16)
        case _:
            data[:, 400:] += rng.uniform(-100, 100)
    stage = ShortChannel(spec, reference=reference, memory_s=2.0, warmup_s=1.0)
    outs = [stage.process(chunk_of(data[:, :1000], spec))]
    stage.reset(Reset.GAP)
    outs.append(stage.process(chunk_of(data[:, 1000:], spec, first=3725.0)))
    state = stage.state()
    uncertainty = np.asarray(state["uncertainty"])
    np.testing.assert_array_equal(uncertainty, uncertainty.swapaxes(1, 2))
    assert np.linalg.eigvalsh(uncertainty).min() > -1e-15
    assert uncertainty.max() <= PRIOR * (1 + 1e-9)
    assert np.isfinite(np.asarray(state["coefficients"])).all()
    assert all(np.isfinite(out.data[~out.missing]).all() for out in outs)
    if which == 1:
        assert outs[0].missing[:, 400:].all()


def test_a_constant_reference_takes_nothing_away() -> None:
    one, two, _ = signals(3, 60.0)
    data = np.concatenate([one, two, np.full_like(one, 0.4)])
    out = ShortChannel(SPEC, warmup_s=1.0).process(chunk_of(data))
    np.testing.assert_allclose(out.data[:, 8:], data[:2, 8:], rtol=1e-12)


def test_short_channels_stay_if_asked() -> None:
    one, two, scalp = signals(4, 60.0)
    out = ShortChannel(SPEC, keep_short=True).process(chunk_of(np.concatenate([one, two, scalp])))
    assert out.spec == SPEC
    np.testing.assert_array_equal(out.data[2], scalp[0])
    assert not out.missing[2].any()
    assert out.missing[:2, :160].all()


def test_one_reference_that_is_missing_leaves_the_others_to_all_and_mean() -> None:
    spec = SignalSpec((*SPEC.channels, channel(2, 9, 0.008)), RATE)
    one, two, scalp = signals(5, 200.0)
    data = np.concatenate([one + scalp, two + scalp, scalp, scalp])
    data[3, 800:] = np.nan
    for reference in ("all", "mean"):
        out = ShortChannel(spec, reference=reference).process(chunk_of(data, spec))
        assert not out.missing[:, 800:].any()
    nearest = ShortChannel(spec).process(chunk_of(data, spec))
    assert not nearest.missing[0, 800:].any()
    assert nearest.missing[1, 800:].all()


def test_nearest_is_by_position_else_by_the_optodes_in_between(data_dir: Path) -> None:
    placed = SignalSpec(
        (
            channel(1, 1, 0.03, position=(0.0, 0.0, 0.0)),
            channel(9, 1, 0.008, position=(0.05, 0.0, 0.0)),
            channel(8, 8, 0.008, position=(0.01, 0.0, 0.0)),
        ),
        RATE,
    )
    assert references_of(placed, [1, 2], [0], "nearest") == [[1]]
    nowhere = SignalSpec(tuple(replace(c, position=None) for c in placed.channels), RATE)
    assert references_of(nowhere, [1, 2], [0], "nearest") == [[0]]  # they share a detector
    # A real cap: two short channels, left and right, and no positions: each side takes its own.
    layout = read_layout(data_dir / "fnirs/lsl_tapping_xdf/sub-001_task-fingertapping_nirs.json")
    density = SignalSpec(
        tuple(replace(c, kind=Kind.OPTICAL_DENSITY, unit="1") for c in layout.spec.channels), RATE
    )
    short, long = split_by_distance(density, 0.01)
    assert len(short) == 4
    for row, (place,) in zip(long, references_of(density, short, long, "nearest"), strict=True):
        own, other = density.channels[row], density.channels[short[place]]
        assert own.wavelength == other.wavelength
        assert (own.source or 0) % 2 == (other.source or 0) % 2  # odd is left


def _far(spec: SignalSpec, **changes: Any) -> SignalSpec:
    return SignalSpec(tuple(replace(c, **changes) for c in spec.channels), spec.rate)


@pytest.mark.parametrize(
    ("spec", "asked", "error", "message"),
    [
        (
            _far(SPEC, distance=0.03),
            {},
            SignalError,
            r"no short channel.*distances 0.03 to 0.03 m.*Leave the stage",
        ),
        (_far(SPEC, distance=None), {}, SignalError, r"no distance at all.*a layout without distances"),
        (SPEC, {"max_distance": 0.04}, SignalError, r"all 3 channels .* are below 0.04 m"),
        (
            SPEC,
            {"max_distance": 10},
            RecipeError,
            r"max_distance = 10; expected a number above 0 and at most 1",
        ),
        (
            SPEC,
            {"reference": "near"},
            RecipeError,
            r"reference = 'near'; expected 'nearest', 'all' or 'mean'",
        ),
        (SPEC, {"keep_short": 1}, RecipeError, r"keep_short = 1; expected true or false"),
        (
            SignalSpec((*SPEC.channels, channel(1, 1, 0.03, 850.0)), RATE),
            {},
            SignalError,
            r"'S1_D1 850' has no short channel of its own wavelength",
        ),
        (
            SignalSpec((*SPEC.channels, channel(7, 7, 0.03)), RATE),
            {},
            SignalError,
            r"does not know which short channel is nearest to 'S7_D7 760'.*reference = 'mean'",
        ),
        (
            _far(SPEC, kind=Kind.INTENSITY, unit="V"),
            {},
            SignalError,
            r"no channel to work on: found 3 intensity",
        ),
    ],
)
def test_what_cannot_be_is_reported_with_advice(
    spec: SignalSpec, asked: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        ShortChannel(spec, **asked)
