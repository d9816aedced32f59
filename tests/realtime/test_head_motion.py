"""What travels beside region signals: a window of a moved head abstains, and no classifier sees motion."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import SignalError
from realtime.core import Core, Plan
from realtime.log import Origin, Received, StreamOpened
from realtime.pipeline import Pipeline
from realtime.quality.displacement import Displacement
from realtime.quality.policy import Policy, Reason
from realtime.signal import CONFOUNDS, MOTION_NAMES, UNITS, Channel, Kind, SignalSpec, motion_channels
from realtime.windows import Window
from tests.realtime.support import bold_spec

TR = 2.0
REGIONS = bold_spec(3, rate=1 / TR)
STREAM = SignalSpec((*motion_channels(), *REGIONS.channels), 1 / TR)
"""Motion first, so that rows and channels are not the same."""
PIPELINE = ({"stage": "resample", "rate": 0.5, "measure_s": 8.0},)


def windows_of(
    displacement: np.ndarray, *, policy: Policy | None = None, spec: SignalSpec = STREAM, chunks: int = 1
) -> list[Window]:
    """Windows of 8 s, one a volume, of a run whose head moved so far, m."""
    n = len(displacement)
    core = Core(Plan(REGIONS, PIPELINE, length_s=8.0, step_s=2.0, policy=policy or Policy(max_gap_s=5.0)))
    core.feed(StreamOpened(0.0, spec, Origin(), "scanner", measured=True, arrivals=False))
    data = 1000 + np.random.default_rng(0).normal(size=(len(spec), n))
    if spec is STREAM:
        data[:7] = 0.0
        data[6] = displacement
    stamps = 100 + TR * np.arange(n)
    found = []
    for begin in range(0, n, chunks):
        these = slice(begin, begin + chunks)
        found += core.feed(Received(float(stamps[these][-1]), stamps[these], data[:, these]))
    return found


def volumes_of(window: Window) -> range:
    first = round((window.start - 100) / TR)
    return range(first, first + 4)


@given(moved=st.sets(st.integers(0, 39), max_size=4), chunks=st.integers(1, 40))
@settings(max_examples=30, deadline=None)
def test_exactly_the_windows_that_hold_a_moved_volume_are_marked(moved: set[int], chunks: int) -> None:
    displacement = np.full(40, 1e-4)
    displacement[list(moved)] = 6e-4
    windows = windows_of(displacement, chunks=chunks)
    assert len(windows) >= 30
    for window in windows:
        holds = bool(moved & set(volumes_of(window)))
        assert (Reason.MOVED in window.reasons) == holds
        assert window.quality["displacement"] == (6e-4 if holds else 1e-4)


def test_the_threshold_is_the_policy_s_and_may_be_none() -> None:
    displacement = np.full(40, 4e-4)
    assert not any(window.reasons for window in windows_of(displacement))
    strict = Policy(max_gap_s=5.0, max_displacement=3e-4)
    assert {window.reasons for window in windows_of(displacement, policy=strict)} == {(Reason.MOVED,)}
    anything = Policy(max_gap_s=5.0, max_displacement=None)
    assert not any(window.reasons for window in windows_of(displacement * 99, policy=anything))


def test_the_usual_threshold_is_not_written_down() -> None:
    """Recipes and cards of before keep their hashes."""
    assert "max_displacement" not in Policy().model_dump()
    assert Policy(max_displacement=None).model_dump()["max_displacement"] is None
    assert Policy.model_validate(Policy(max_displacement=0.001).model_dump()).max_displacement == 0.001


def test_without_the_channel_nothing_is_asked() -> None:
    windows = windows_of(np.zeros(40), spec=REGIONS)
    assert not any(window.reasons for window in windows)
    assert all("displacement" not in window.quality for window in windows)


def test_a_displacement_that_is_not_known_marks_nothing() -> None:
    windows = windows_of(np.full(40, np.nan))
    assert not any(window.reasons for window in windows)
    assert {window.quality["displacement"] for window in windows} == {None}


def test_windows_are_the_same_with_and_without_motion_beside_them() -> None:
    still, alone = windows_of(np.zeros(40)), windows_of(np.zeros(40), spec=REGIONS)
    assert [w.data.shape for w in still] == [w.data.shape for w in alone]  # type: ignore[union-attr]


def test_a_volume_a_moment_before_the_start_belongs_to_the_first_column() -> None:
    displacement = Displacement(1, TR)
    displacement.take(np.array([-1.1, -0.001, 1.999, 4.0, 6.001]), np.array([[9.0, 1.0, 2.0, 3.0, 4.0]]))
    assert displacement.largest(0.0, 8.0, 0.5) == 4.0
    displacement.forget_before(0.0, 0.5)
    assert displacement.largest(0.0, 4.0, 0.5) == 2.0
    displacement.restart()
    assert displacement.largest(0.0, 8.0, 0.5) is None


@pytest.mark.parametrize("kind", sorted(CONFOUNDS))
def test_no_pipeline_gives_a_confound_to_a_classifier(kind: Kind) -> None:
    beside = Channel(name="beside", kind=kind, unit=UNITS[kind][0])
    spec = SignalSpec((*REGIONS.channels, beside), 0.5)
    with pytest.raises(SignalError, match=f"of kind {kind}; expected only signals"):
        Pipeline(PIPELINE, spec)
    Pipeline(({"stage": "select", "kinds": ["bold"]}, *PIPELINE), spec)


def test_motion_is_six_parameters_and_a_displacement_in_si_units() -> None:
    channels = motion_channels()
    assert tuple(channel.name for channel in channels) == MOTION_NAMES
    assert [channel.unit for channel in channels] == ["m"] * 3 + ["rad"] * 3 + ["m"]
    assert all(channel.kind in CONFOUNDS and channel.unit in UNITS[channel.kind] for channel in channels)
