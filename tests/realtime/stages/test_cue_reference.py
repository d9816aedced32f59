"""Reference to the cue."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.signal import Channel, Chunk, Kind, SignalSpec
from realtime.stages.base import Reset
from realtime.stages.cue_reference import LATEST_S, CueReference

RATE = 5.0
SPEC = SignalSpec(
    tuple(Channel(name=f"ch{i}", kind=Kind.HBO, unit="mol/L", source=i, detector=i) for i in range(2)), RATE
)


def _chunk(n: int = 200, first: float = 100.0, seed: int = 0) -> Chunk:
    data = np.random.default_rng(seed).standard_normal((2, n)).cumsum(axis=1)
    return Chunk(SPEC, data, first + np.arange(n) / RATE, np.zeros((2, n), dtype=bool))


def _by_hand(chunk: Chunk, cues: list[float], before_s: float) -> np.ndarray:
    """The definition, sample by sample."""
    out = np.full(chunk.data.shape, np.nan)
    for i, time in enumerate(chunk.times):
        cue = max((c for c in [chunk.times[0] + before_s, *cues] if c <= time), default=None)
        if cue is not None:
            before = (chunk.times >= cue - before_s - 1e-12) & (chunk.times < cue)
            if before.sum() >= before_s * RATE / 2:
                out[:, i] = chunk.data[:, i] - chunk.data[:, before].mean(axis=1)
    return out


@given(
    offsets=st.lists(st.integers(0, 390), max_size=5, unique=True), before=st.sampled_from([1.0, 3.0, 5.2])
)
def test_a_sample_is_referred_to_what_came_before_its_last_cue(offsets: list[int], before: float) -> None:
    chunk = _chunk()
    # Between the samples, so that no rounding decides which side of a cue one is on.
    cues = sorted(100.03 + offset / 10 for offset in offsets)
    cues = [cue for cue in cues if cue > 100.0 + before]
    stage = CueReference(SPEC, before_s=before)
    for cue in cues:
        stage.event(cue, "any")
    out = stage.process(chunk)
    expected = _by_hand(chunk, cues, before)
    np.testing.assert_array_equal(out.missing, np.isnan(expected))
    np.testing.assert_allclose(out.data, expected, atol=1e-12)


@given(
    heard=st.floats(0.0, 2 * LATEST_S),
    size=st.integers(1, 30),
    cue=st.floats(110.0, 120.0),
    twice=st.booleans(),
)
@settings(deadline=None)
def test_a_cue_heard_late_gives_from_then_on_what_it_would_have_given(
    heard: float, size: int, cue: float, twice: bool
) -> None:
    chunk = _chunk()
    in_time, late, never = (CueReference(SPEC) for _ in range(3))
    in_time.event(cue, "go")
    expected, without = in_time.process(chunk), never.process(chunk)
    found, heard_at = [], None
    for start in range(0, chunk.n_samples, size):
        part = chunk.between(start, min(start + size, chunk.n_samples))
        if heard_at is None and start and chunk.times[start - 1] >= cue + heard:
            heard_at = start
            for _ in range(1 + twice):
                late.event(cue, "go")
        found.append(late.process(part))
    whole = Chunk.concatenate(found)
    heard_at = whole.n_samples if heard_at is None else heard_at
    taken = heard_at < whole.n_samples and chunk.times[heard_at - 1] - cue <= LATEST_S
    np.testing.assert_allclose(whole.data[:, :heard_at], without.data[:, :heard_at], atol=1e-12)
    after = expected if taken else without
    np.testing.assert_allclose(whole.data[:, heard_at:], after.data[:, heard_at:], atol=1e-12)


def test_other_events_are_no_cue_and_an_older_one_does_not_take_back_a_newer() -> None:
    chunk = _chunk()
    one, other = CueReference(SPEC, events=["go"]), CueReference(SPEC, events=["go"])
    for stage in (one, other):
        stage.event(112.0, "go")
    other.event(111.0, "rest")
    expected = [one.process(chunk.between(0, 100)), one.process(chunk.between(100, 200))]
    found = [other.process(chunk.between(0, 100))]
    other.event(111.0, "go")
    found.append(other.process(chunk.between(100, 200)))
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a.data, b.data)


def test_a_channel_that_was_not_measured_before_the_cue_is_missing_until_the_next() -> None:
    chunk = _chunk()
    chunk.missing[0, 50:75] = True  # the five seconds before 115.0
    stage = CueReference(SPEC)
    stage.event(115.0, "go")
    stage.event(125.0, "go")
    out = stage.process(chunk)
    assert out.missing[0, 75:125].all()
    assert not out.missing[0, 125:].any()
    assert not out.missing[1, 25:].any()


def test_a_gap_keeps_the_reference() -> None:
    chunk, later = _chunk(), _chunk(first=200.0, seed=1)
    stage = CueReference(SPEC)
    stage.event(120.0, "go")
    stage.process(chunk)
    stage.reset(Reset.GAP)
    out = stage.process(later)
    np.testing.assert_allclose(out.data, later.data - chunk.data[:, 75:100].mean(axis=1, keepdims=True))


@pytest.mark.parametrize("cue", [-100.0, 97.0, 100.0, 100.4, 104.0])
def test_a_cue_whose_seconds_before_were_not_recorded_is_not_taken(cue: float) -> None:
    chunk = _chunk()
    one, other = CueReference(SPEC), CueReference(SPEC)
    one.event(cue, "start")
    found, expected = one.process(chunk), other.process(chunk)
    np.testing.assert_array_equal(found.data, expected.data)
    assert not found.missing[:, 25:].any()


def test_many_cues_in_one_chunk_are_all_taken() -> None:
    chunk = _chunk(n=2000)
    whole, parts = CueReference(SPEC), CueReference(SPEC)
    cues = [106.0 + 1.5 * i for i in range(260)]
    for cue in cues:
        whole.event(cue, "go")
    expected = whole.process(chunk)
    found = []
    for start in range(0, 2000, 50):
        part = chunk.between(start, start + 50)
        for cue in cues:
            if part.times[0] - 0.2 < cue <= part.times[-1]:
                parts.event(cue, "go")
        found.append(parts.process(part))
    np.testing.assert_allclose(Chunk.concatenate(found).data, expected.data, atol=1e-12)


@pytest.mark.parametrize("n", [0, 70_000])
def test_announced_cues_take_bounded_memory(n: int) -> None:
    stage = CueReference(SPEC)
    for i in range(n):
        stage.event(1e6 + i, "go")
    stage.process(_chunk())
    assert len(stage.state()["waiting"]) <= 65_536  # type: ignore[arg-type]


@pytest.mark.parametrize("heard", ["left hand", " left  hand ", "left\u00a0hand", "left\u200b hand"])
def test_a_cue_is_known_in_whatever_blanks_it_is_written(heard: str) -> None:
    """As the events of labels are: else one marker would begin a label and be no cue."""
    outputs = []
    for label in ("left hand", heard, "right hand"):
        stage = CueReference(SPEC, before_s=5.0, events=("left  hand",))
        stage.event(120.0, label)
        outputs.append(stage.process(_chunk()).data)
    np.testing.assert_array_equal(outputs[1], outputs[0])
    assert not np.array_equal(outputs[2], outputs[0], equal_nan=True)
