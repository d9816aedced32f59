"""The policy: what it may ask, which channels fail it, and what is left when they do."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.decode import decode
from models.errors import RecipeError
from realtime.quality.policy import (
    ChannelMeasurement,
    Policy,
    Reason,
    WindowMeasurement,
    bad_channels,
    first_reasons,
    longest_runs,
    measure_missing,
)

NAMES = ("a", "b", "c", "d")


def channels(**values: list[float]) -> ChannelMeasurement:
    """Four channels of which nothing is wrong but what is given."""
    fine = {
        "coverage": 1.0,
        "largest_gap_s": 0.0,
        "scalp_coupling": 1.0,
        "peak_power": 1.0,
        "flat_s": 0.0,
        "saturated": 0.0,
        "moving": 0.0,
    }
    return ChannelMeasurement(**{n: np.array(values.get(n, [v] * 4)) for n, v in fine.items()})


@given(st.lists(st.lists(st.booleans(), min_size=6, max_size=6), min_size=1, max_size=4))
def test_the_longest_run_is_found(rows: list[list[bool]]) -> None:
    expected = [
        max(stop - start for start in range(7) for stop in range(start, 7) if all(row[start:stop]))
        for row in rows
    ]
    assert longest_runs(np.array(rows)).tolist() == expected


def test_coverage_and_gaps_are_each_channel_s_own() -> None:
    """Two channels that lack one half each lack, together, the whole."""
    missing = np.zeros((3, 20), dtype=bool)
    missing[0, :10] = missing[1, 10:] = True
    window, coverage, gaps = measure_missing(missing, 10.0)
    assert coverage.tolist() == [0.5, 0.5, 1.0]
    assert gaps.tolist() == [1.0, 1.0, 0.0]
    assert window.largest_gap_s == 2.0
    assert window.worst == 0.5
    assert window.coverage == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("asked", "values", "reason"),
    [
        ({}, {"coverage": [1, 1, 0.89, 1]}, Reason.COVERAGE),
        ({}, {"largest_gap_s": [0, 0, 1.1, 0]}, Reason.GAP),
        ({}, {"saturated": [0, 0, 0.11, 0.1]}, Reason.SATURATED),
        ({}, {"flat_s": [0, 0.7, 0.8, 0]}, Reason.FLAT),
        ({"max_moving": 0.0}, {"moving": [0, 0, 0.01, 0]}, Reason.MOTION),
        ({"min_scalp_coupling": 0.5}, {"scalp_coupling": [0.5, 1, 0.49, 1]}, Reason.SCALP_COUPLING),
        ({"min_peak_power": 0.1}, {"peak_power": [0.1, 1, 0.09, 1]}, Reason.PEAK_POWER),
    ],
)
def test_each_threshold_has_its_reason(
    asked: dict[str, float], values: dict[str, list[float]], reason: Reason
) -> None:
    found = bad_channels(channels(**values), Policy(**asked))
    assert list(found) == [reason]
    assert first_reasons(found, NAMES) == {reason: ("c",)}
    if reason not in (Reason.COVERAGE, Reason.GAP):  # the same where nothing is asked
        off = dict.fromkeys(("max_saturated", "max_flat_s", *asked))
        assert bad_channels(channels(**values), Policy(**off)) == {}


def test_what_cannot_be_known_is_no_reason() -> None:
    unknown = channels(**{n: [np.nan] * 4 for n in ("scalp_coupling", "peak_power", "flat_s", "moving")})
    strict = Policy(min_scalp_coupling=0.9, min_peak_power=1.0, max_flat_s=0.0, max_moving=0.0)
    assert bad_channels(unknown, strict) == {}


@given(st.lists(st.sets(st.sampled_from(range(4))), min_size=1, max_size=4))
def test_a_channel_is_listed_once(sets: list[set[int]]) -> None:
    """So that the number of channels left out is the number of names."""
    reasons = list(Reason)[: len(sets)]
    bad = {why: np.isin(np.arange(4), list(which)) for why, which in zip(reasons, sets, strict=True)}
    listed = first_reasons(bad, NAMES)
    names = [name for each in listed.values() for name in each]
    assert sorted(names) == sorted({NAMES[i] for which in sets for i in which})
    for why, which in zip(reasons, sets, strict=True):
        assert set(listed.get(why, ())) <= {NAMES[i] for i in which}


def decoded(**values: object) -> Policy:
    """A policy as it comes from a recipe or a card."""
    return decode(Policy, values, error=RecipeError, what="policy")


@pytest.mark.parametrize("name", list(Policy.model_fields))
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -2.0, "0.9", True, 10**400, []])
def test_a_value_that_no_policy_can_have_is_named(name: str, value: object) -> None:
    with pytest.raises(RecipeError, match=f"policy: {name}: found .*; expected "):
        decoded(**{name: value})


def test_only_what_may_be_left_out_may_be_none() -> None:
    optional = {"min_scalp_coupling", "min_peak_power", "max_flat_s", "max_saturated", "max_moving"}
    for name in Policy.model_fields:
        if name in optional | {"max_novelty", "max_time_uncertainty", "min_confidence", "max_displacement"}:
            decoded(**{name: None})
        else:
            with pytest.raises(RecipeError, match=name):
                decoded(**{name: None})


def test_the_pulse_s_band_has_two_edges() -> None:
    decoded(pulse_low=0.5, pulse_high=2.5)
    with pytest.raises(RecipeError, match=r"1.5 to 1.5 Hz"):
        decoded(pulse_low=1.5)


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("min_coverage", 0.0, 1.0),
        ("max_gap_s", 0.0, None),
        ("min_scalp_coupling", -1.0, 1.0),
        ("min_peak_power", 0.0, None),
        ("max_flat_s", 0.0, None),
        ("max_saturated", 0.0, 1.0),
        ("max_moving", 0.0, 1.0),
        ("max_displacement", 0.0, None),
    ],
)
def test_a_range_holds_its_edges_and_nothing_beyond(name: str, least: float, most: float | None) -> None:
    decoded(**{name: least})
    with pytest.raises(RecipeError, match=rf"expected greater than or equal to {least:g}\.$"):
        decoded(**{name: least - 0.01})
    if most is not None:
        decoded(**{name: most})
        with pytest.raises(RecipeError, match=rf"{name}: .* less than or equal to {most:g}"):
            decoded(**{name: most + 0.01})


@pytest.mark.parametrize(
    ("name", "most"),
    [("min_channels", 1.0), ("max_age_s", None), ("pulse_high", 10.0), ("max_novelty", None)],
)
def test_what_must_be_above_0_says_so(name: str, most: float | None) -> None:
    with pytest.raises(RecipeError, match=rf"{name}: found 0.0; expected greater than 0\.$"):
        decoded(**{name: 0.0})
    decoded(**{"pulse_low": 1e-9, name: 1e-6})
    if most is not None:
        decoded(**{name: most})
        with pytest.raises(RecipeError, match=name):
            decoded(**{name: most + 0.01})


def test_the_low_edge_of_the_pulse_has_the_same_range_as_its_high_one() -> None:
    decoded(pulse_low=9.99, pulse_high=10.0)
    with pytest.raises(RecipeError, match=r"pulse_low: found 10.01; expected less than or equal to 10\."):
        decoded(pulse_low=10.01, pulse_high=10.0)


def test_what_is_asked_by_default() -> None:
    """These stand in docs/guide/live.md and in cards that say nothing: a change is a decision."""
    assert Policy() == Policy(
        min_coverage=0.9, max_gap_s=1.0, max_age_s=5.0, min_scalp_coupling=None, min_peak_power=None,
        max_flat_s=0.7, max_saturated=0.1, max_moving=None, min_channels=1.0, max_novelty=1.0,
        max_time_uncertainty=1.5, max_displacement=0.0005, pulse_low=0.7, pulse_high=1.5,
    )  # fmt: skip


def test_a_whole_window_lacks_nothing() -> None:
    window, coverage, gaps = measure_missing(np.zeros((3, 20), dtype=bool), 10.0)
    assert window == WindowMeasurement(coverage=1.0, worst=1.0, largest_gap_s=0.0)
    assert coverage.tolist() == [1.0] * 3
    assert gaps.tolist() == [0.0] * 3


def test_of_the_pipeline_s_output_alone_only_coverage_and_gaps_are_known() -> None:
    found = ChannelMeasurement.of_pipeline(np.array([1.0, 0.5]), np.array([0.0, 2.0]))
    assert found.coverage.tolist() == [1.0, 0.5]
    assert found.largest_gap_s.tolist() == [0.0, 2.0]
    for unknown in (found.scalp_coupling, found.peak_power, found.flat_s, found.saturated, found.moving):
        assert np.isnan(unknown).tolist() == [True, True]
