"""The policy: what it may ask, which channels fail it, and what is left when they do."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import RecipeError
from realtime.quality import (
    RANGES,
    ChannelFitness,
    Policy,
    Reason,
    bad_channels,
    first_reasons,
    fitness,
    longest_runs,
)

NAMES = ("a", "b", "c", "d")


def channels(**values: list[float]) -> ChannelFitness:
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
    return ChannelFitness(**{n: np.array(values.get(n, [v] * 4)) for n, v in fine.items()})


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
    window, coverage, gaps = fitness(missing, 10.0)
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


@pytest.mark.parametrize("name", list(RANGES))
@pytest.mark.parametrize("value", [float("nan"), -2.0, "0.9", True, 10**400, []])
def test_a_value_that_no_policy_can_have_is_named(name: str, value: object) -> None:
    with pytest.raises(RecipeError, match=f"Policy: {name} is .*expected a number"):
        Policy(**{name: value})  # type: ignore[arg-type]


def test_only_what_may_be_left_out_may_be_none() -> None:
    optional = {"min_scalp_coupling", "min_peak_power", "max_flat_s", "max_saturated", "max_moving"}
    for name in RANGES:
        if name in optional | {"max_novelty", "max_time_uncertainty"}:
            Policy(**{name: None})
        else:
            with pytest.raises(RecipeError, match=name):
                Policy(**{name: None})


def test_the_pulse_s_band_has_two_edges() -> None:
    Policy(pulse_low=0.5, pulse_high=2.5)
    with pytest.raises(RecipeError, match=r"1.5 to 1.5 Hz"):
        Policy(pulse_low=1.5)
