"""The laws of `realtime.stages.base`, held over every registered stage.

Signals are what a clock hands on at worst: jittered stamps, lost samples, cells missing at random
with NaN in them, long dropouts of one channel, a flat stretch.  Stages that need a uniform grid get
one; its times jump only at a declared gap.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.signal import Channel, Chunk, Kind, SignalSpec, motion_channels
from realtime.stages import STAGES, make_stage
from realtime.stages.base import Reset, Stage, TakesEvents

RATE = 8.0


@dataclass(frozen=True)
class Case:
    """A stage with settings, and the kind of signal it is given."""

    settings: Mapping[str, Any]
    spec: SignalSpec
    level: float
    size: float
    uniform: bool = False

    def make(self) -> Stage:
        return make_stage(self.settings, self.spec)


def _optodes(kinds: Sequence[tuple[Kind, str, float | None]], pairs: int = 2) -> SignalSpec:
    channels = [
        Channel(
            name=f"S{pair}_D{pair} {kind} {wavelength or ''}".strip(),
            kind=kind,
            unit=unit,
            source=pair,
            detector=pair,
            wavelength=wavelength,
            distance=0.03,
        )
        for kind, unit, wavelength in kinds
        for pair in range(1, pairs + 1)
    ]
    return SignalSpec(tuple(channels), RATE)


INTENSITY = _optodes([(Kind.INTENSITY, "V", 760.0), (Kind.INTENSITY, "V", 850.0)])
DENSITY = _optodes([(Kind.OPTICAL_DENSITY, "1", 760.0), (Kind.OPTICAL_DENSITY, "1", 850.0)])
SCALP = SignalSpec(
    tuple(
        replace(c, distance=0.008) if c.source == 1 else c
        for c in _optodes(
            [(Kind.OPTICAL_DENSITY, "1", 760.0), (Kind.OPTICAL_DENSITY, "1", 850.0)], pairs=3
        ).channels
    ),
    RATE,
)
BLOOD = _optodes([(Kind.HBO, "mol/L", None), (Kind.HBR, "mol/L", None)])
TWO_SHORT = SignalSpec(
    tuple(
        replace(c, distance=0.008) if c.source != 2 else c
        for c in _optodes([(Kind.HBO, "mol/L", None)], pairs=3).channels
    ),
    RATE,
)
MIRRORED = SignalSpec(
    tuple(
        replace(channel, position=(0.03 * side, 0.01 * pair, 0.0), source=2 * pair + (side > 0))
        for pair, channel in enumerate(BLOOD.channels)
        for side, channel in ((-1, channel), (1, replace(channel, name=f"{channel.name} right")))
    ),
    RATE,
)
MIXED = SignalSpec((*INTENSITY.channels, *BLOOD.channels[:1]), RATE)
BOLD = SignalSpec(tuple(Channel(name=f"region {i}", kind=Kind.BOLD, unit="a.u.") for i in range(3)), RATE)
MOVING = SignalSpec((*motion_channels()[1:5], *BOLD.channels), RATE)

CASES: Mapping[str, Case] = {
    "select": Case(
        {"stage": "select", "names": [INTENSITY.names[2], INTENSITY.names[0]]}, INTENSITY, 1.0, 0.1
    ),
    "bridge": Case({"stage": "bridge"}, BOLD, 1000.0, 10.0),
    "bridge, whatever is lost": Case({"stage": "bridge", "lost": 1.0}, INTENSITY, 1.0, 0.1),
    "optical_density": Case({"stage": "optical_density", "baseline_s": 3.0}, INTENSITY, 1.0, 0.1),
    "optical_density, mixed": Case(
        {"stage": "optical_density", "baseline_s": 3.0, "saturation": 1.1}, MIXED, 1.0, 0.1
    ),
    "resample": Case({"stage": "resample", "rate": 5.0, "measure_s": 3.0}, INTENSITY, 1.0, 0.1),
    "resample, upwards": Case({"stage": "resample", "rate": 19.0, "measure_s": 3.0}, INTENSITY, 1.0, 0.1),
    "motion": Case(
        {"stage": "motion", "cutoff": 0.5, "window_s": 8.0, "warmup_s": 3.2}, DENSITY, 0.2, 0.1, uniform=True
    ),
    "motion, haemoglobin": Case(
        {"stage": "motion", "window_s": 4.0, "warmup_s": 4.0, "hold_s": 0.0}, BLOOD, 1e-5, 1e-6, uniform=True
    ),
    "short_channel": Case(
        {"stage": "short_channel", "reference": "mean", "memory_s": 10.0, "warmup_s": 5.0}, SCALP, 0.0, 0.1
    ),
    "short_channel, all of two": Case(
        {
            "stage": "short_channel",
            "reference": "all",
            "memory_s": 5.0,
            "warmup_s": 2.0,
            "max_distance": 0.009,
        },
        TWO_SHORT,
        1e-5,
        1e-6,
    ),
    "beer_lambert": Case({"stage": "beer_lambert"}, DENSITY, 0.0, 0.1),
    "haemoglobin": Case({"stage": "haemoglobin", "baseline_s": 3.0}, INTENSITY, 1.0, 0.1),
    "haemoglobin, of density": Case({"stage": "haemoglobin"}, DENSITY, 0.0, 0.1),
    "haemoglobin, passed": Case({"stage": "haemoglobin"}, BLOOD, 1e-5, 1e-6),
    "total_haemoglobin": Case({"stage": "total_haemoglobin"}, BLOOD, 0.0, 1e-6),
    "bandpass": Case({"stage": "bandpass", "low": 0.1, "high": 1.0}, BLOOD, 1e-5, 1e-6, uniform=True),
    "bandpass, low-pass": Case(
        {"stage": "bandpass", "high": 1.0, "order": 3}, BLOOD, 1e-5, 1e-6, uniform=True
    ),
    "bandpass, high-pass": Case({"stage": "bandpass", "low": 0.1}, BLOOD, 1e-5, 1e-6, uniform=True),
    "normalise": Case(
        {"stage": "normalise", "memory_s": 5.0, "warmup_s": 2.0}, BLOOD, 1e-6, 1e-6, uniform=True
    ),
    "align": Case(
        {"stage": "align", "memory_s": 5.0, "warmup_s": 2.0, "update_s": 0.5}, BLOOD, 1e-5, 1e-6, uniform=True
    ),
    "align, of each channel": Case(
        {"stage": "align", "memory_s": 9.0, "warmup_s": 2.0, "update_s": 0.125, "shrinkage": 1.0},
        BLOOD,
        1e-6,
        1e-6,
        uniform=True,
    ),
    "cue_reference": Case(
        {"stage": "cue_reference", "before_s": 3.0, "events": ["go"]}, BLOOD, 1e-5, 1e-6, uniform=True
    ),
    "homologues": Case({"stage": "homologues"}, MIRRORED, 1e-5, 1e-6),
    "homologues, beside the channels": Case(
        {"stage": "homologues", "tolerance": 0.004, "keep": True}, MIRRORED, 1e-5, 1e-6
    ),
    "running_percent": Case(
        {"stage": "running_percent", "memory_s": 9.0, "warmup_s": 2.0}, BOLD, 1000.0, 10.0, uniform=True
    ),
    "regress": Case(
        {"stage": "regress", "order": 2, "memory_s": 20.0, "warmup_s": 4.0}, BLOOD, 1e-5, 1e-6, uniform=True
    ),
    "regress, with motion": Case(
        {
            "stage": "regress",
            "confounds": ["head_translation", "head_rotation"],
            "memory_s": 20.0,
            "warmup_s": 4.0,
        },
        MOVING,
        1000.0,
        10.0,
        uniform=True,
    ),
    "despike": Case({"stage": "despike", "window_s": 4.0, "warmup_s": 2.0}, BLOOD, 1e-5, 1e-6, uniform=True),
    "percent_signal": Case({"stage": "percent_signal", "baseline_s": 3.0}, BOLD, 1000.0, 10.0),
}

every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


def test_every_registered_stage_has_a_case() -> None:
    assert {case.settings["stage"] for case in CASES.values()} == set(STAGES)


class Event(NamedTuple):
    """An event that is heard of at its place in the script."""

    time: float
    label: str


Script = list[Chunk | Reset | Event]


def _events(chunk: Chunk, rng: np.random.Generator) -> Script:
    """Events of a stretch, some of which are no cue, heard of before it."""
    times = np.sort(rng.uniform(chunk.times[0] - 1.0, chunk.times[-1] + 1.0, int(rng.integers(0, 6))))
    return [Event(float(time), str(rng.choice(["go", "other"]))) for time in times]


def _stretch(case: Case, rng: np.random.Generator, first: float, n: int) -> Chunk:
    """A contiguous stretch of a case's signal with everything that may go wrong in one."""
    n_channels = len(case.spec)
    times = first + np.arange(n) / RATE
    data = case.level + case.size * np.cumsum(rng.standard_normal((n_channels, n)), axis=1) / 10
    data += case.size * rng.standard_normal((n_channels, n))
    missing = rng.random((n_channels, n)) < rng.choice([0.0, 0.05, 0.3])
    for channel in range(n_channels):
        if rng.random() < 0.4:  # a long dropout, from the beginning perhaps
            begin = max(int(rng.integers(-20, n)), 0)
            missing[channel, begin : begin + rng.integers(10, 80)] = True
        if rng.random() < 0.2:
            start = rng.integers(0, n)
            data[channel, start : start + 40] = data[channel, start]
    data[missing] = rng.choice([np.nan, 0.0, 1e9])
    data[rng.random(data.shape) < 0.005] = np.nan  # not declared missing
    if not case.uniform:
        times = times + rng.uniform(-0.2, 0.2, n) / RATE
        there = rng.random(n) >= rng.choice([0.0, 0.1])
        there[0] = True
        times, data, missing = times[there], data[:, there], missing[:, there]
    return Chunk(case.spec, data, times, missing)


def _script(case: Case, seed: int, n: int = 240, gaps: int = 1) -> Script:
    """Stretches with gaps between; on a uniform grid a gap is whole steps long."""
    rng = np.random.default_rng(seed)
    last = _stretch(case, rng, rng.uniform(0, 1000), int(rng.integers(n // 2, n)))
    heard = np.random.default_rng([seed, 1])
    script: Script = [*_events(last, heard), last]
    for _ in range(gaps):
        lost = rng.integers(16, 100) if case.uniform else rng.uniform(16, 100)
        first = last.times[-1] + lost / RATE
        last = _stretch(case, rng, first, int(rng.integers(n // 2, n)))
        script += [Reset.GAP, *_events(last, heard), last]
    return script


def _cut(script: Script, seed: int) -> Script:
    """The same samples in other chunks: single ones, some, many, none."""
    rng = np.random.default_rng(seed)
    pieces: Script = []
    for entry in script:
        if not isinstance(entry, Chunk):
            pieces.append(entry)
            continue
        start = 0
        while start < entry.n_samples:
            size = int(rng.choice([0, 1, 1, 2, 7, 50]))
            pieces.append(entry.between(start, min(start + size, entry.n_samples)))
            start += size
    return pieces


def _drive(stage: Stage, script: Script) -> list[Chunk]:
    out = []
    for entry in script:
        if isinstance(entry, Reset):
            stage.reset(entry)
        elif isinstance(entry, Event):
            if isinstance(stage, TakesEvents):
                stage.event(entry.time, entry.label)
        else:
            out.append(stage.process(entry))
            assert out[-1].spec == stage.spec_out
    return out


def _joined(stage: Stage, script: Script) -> Chunk:
    return Chunk.concatenate([Chunk.empty(stage.spec_out), *_drive(stage, script)])


def _assert_same(found: Chunk, expected: Chunk) -> None:
    """Number, times and missing-mask exactly; values within 1e-9 of the channel's scale."""
    np.testing.assert_array_equal(found.times, expected.times)
    np.testing.assert_array_equal(found.missing, expected.missing)
    values = np.where(expected.missing, 0.0, expected.data)
    scale = np.abs(values).max(axis=1, initial=0.0)
    off = np.abs(np.where(found.missing, 0.0, found.data) - values)
    assert np.isfinite(off).all()
    assert (off <= 1e-9 * scale[:, None]).all(), off.max() / scale.max()


@every_case
@given(seed=st.integers(0, 2**32), cutting=st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_chunk_invariance(case: Case, seed: int, cutting: int) -> None:
    script = _script(case, seed)
    _assert_same(_joined(case.make(), _cut(script, cutting)), _joined(case.make(), script))


@every_case
@given(seed=st.integers(0, 2**32), share=st.floats(0, 1))
@settings(max_examples=20, deadline=None)
def test_prefix_invariance_and_causality(case: Case, seed: int, share: float) -> None:
    script = _script(case, seed, gaps=0)
    *events, whole = script
    assert isinstance(whole, Chunk)
    n = int(share * whole.n_samples)
    prefix = _joined(case.make(), [*events, whole.between(0, n)])
    rng = np.random.default_rng(seed)
    data, missing = whole.data.copy(), whole.missing.copy()
    data[:, n:] = case.level * rng.uniform(-5, 5, data[:, n:].shape)
    missing[:, n:] = rng.random(missing[:, n:].shape) < 0.5
    for continuation in (whole, Chunk(whole.spec, data, whole.times, missing)):
        full = _joined(case.make(), [*events, continuation])
        assert full.n_samples >= prefix.n_samples
        _assert_same(full.between(0, prefix.n_samples), prefix)


@every_case
@given(seed=st.integers(0, 2**32), share=st.floats(0, 1))
@settings(max_examples=20, deadline=None)
def test_restore_is_bitwise_and_the_state_is_plain(case: Case, seed: int, share: float) -> None:
    pieces = _cut(_script(case, seed), seed)
    at = int(share * len(pieces))
    first, second = case.make(), case.make()
    _drive(first, pieces[:at])
    state = first.state()
    plain = {name: value for name, value in state.items() if not isinstance(value, np.ndarray)}
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert all(v.dtype.kind in "fiub" for v in state.values() if isinstance(v, np.ndarray))
    second.restore(state)
    expected = _joined(first, pieces[at:])  # going on must not reach into the state that was given out
    found = _joined(second, pieces[at:])
    third = case.make()
    third.restore(state)
    for other in (found, _joined(third, pieces[at:])):
        assert other.data.tobytes() == expected.data.tobytes()
        assert other.times.tobytes() == expected.times.tobytes()
        assert other.missing.tobytes() == expected.missing.tobytes()


@every_case
@given(seed=st.integers(0, 2**32))
@settings(max_examples=20, deadline=None)
def test_what_leaves_is_float64_finite_where_measured_and_the_input_stays(case: Case, seed: int) -> None:
    stage = case.make()
    script = _cut(_script(case, seed), seed)
    for entry in script:
        if isinstance(entry, Chunk):
            for array in (entry.data, entry.times, entry.missing):
                array.flags.writeable = False
    for out in _drive(stage, script):
        assert out.data.dtype == np.float64
        assert out.times.dtype == np.float64
        assert out.missing.dtype == np.bool_
        assert np.isfinite(out.data[~out.missing]).all()
        assert (np.diff(out.times) > 0).all()


@every_case
@pytest.mark.parametrize("reason", [Reset.CLOCK, Reset.STREAM])
@given(seed=st.integers(0, 2**32))
@settings(max_examples=5, deadline=None)
def test_a_new_clock_or_stream_is_a_new_stage(case: Case, reason: Reset, seed: int) -> None:
    used, fresh = case.make(), case.make()
    _drive(used, [*_script(case, seed), reason])
    again = _script(case, seed + 1)
    found, expected = _joined(used, again), _joined(fresh, again)
    assert found.data.tobytes() == expected.data.tobytes()
    assert found.times.tobytes() == expected.times.tobytes()


def _whole(case: Case, n: int = 400, first: float = 50.0) -> Chunk:
    """Everything measured, exactly in time."""
    rng = np.random.default_rng(7)
    data = case.level + case.size * rng.uniform(-0.5, 0.5, (len(case.spec), n))
    return Chunk(case.spec, data, first + np.arange(n) / RATE, np.zeros((len(case.spec), n), dtype=bool))


@every_case
def test_the_declared_warm_up_is_the_real_one(case: Case) -> None:
    stage, chunk = case.make(), _whole(case)
    out = _joined(stage, [chunk])
    # A channel that passes through unchanged has no warm-up; a stage that changes no channel's
    # description works on all of them.
    made = [c not in case.spec.channels for c in stage.spec_out.channels]
    rows = np.array(made) if any(made) else np.ones(len(made), dtype=bool)
    warm = out.times >= chunk.times[0] + stage.warmup_s - 1e-9
    assert warm.any()
    assert out.missing[rows][:, ~warm].all()
    assert not out.missing[rows][:, warm].any()


STARTS_AFRESH = {"bandpass", "select", "beer_lambert", "total_haemoglobin"}
"""Stages that learn nothing of the person: behind a gap they are as good as new."""


@every_case
def test_behind_a_gap_nothing_is_deduced(case: Case) -> None:
    chunk = _whole(case)
    before, after = chunk.between(0, 200), chunk.between(260, 400)
    stage = case.make()
    first, second = _drive(stage, [before, Reset.GAP, after])
    near = 1 / RATE / 4 + 1e-9
    assert second.n_samples > 0
    assert first.times[-1] <= before.times[-1] + near
    assert second.times[0] >= after.times[0] - near
    if case.settings["stage"] in STARTS_AFRESH:
        (alone,) = _drive(case.make(), [after])
        np.testing.assert_array_equal(second.missing, alone.missing)
        np.testing.assert_array_equal(second.data, alone.data)
    else:
        # What was learnt of the person is kept, so nothing is missing again.
        assert not second.missing.any()


@every_case
def test_no_sample_in_no_sample_out(case: Case) -> None:
    stage = case.make()
    state = json.dumps({k: np.asarray(v).tolist() for k, v in stage.state().items()})
    assert stage.process(Chunk.empty(case.spec)).n_samples == 0
    assert json.dumps({k: np.asarray(v).tolist() for k, v in stage.state().items()}) == state
