"""What every feature of region series keeps, over the registry."""

import json
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.ndimage import uniform_filter1d

from models.errors import HemostreamError
from models.layers.base import from_arrays, to_arrays
from models.scan_model import FEATURES
from tests.models.features.computed import computed

REGIONS = 8
SETTINGS: dict[str, dict[str, Any]] = {"Spectrum": {"n_cells": 6}}
"""Where the defaults are for an atlas of hundreds of regions."""
NAMES = sorted(set(FEATURES) - {"Kinds"})
"""Connectivity measures have NaN for a masked region, and tests of their own."""
ALL = pytest.mark.parametrize("name", NAMES)
VARIANTS = [
    ("Correlation", {"fisher": False}),
    ("Shrunk", {"measure": "covariance", "standardised": False}),
    ("Shrunk", {"measure": "correlation"}),
    ("LowFrequency", {"fraction": True}),
    ("Spectrum", {"n_cells": 6, "standardised": False, "unreached": -1.0}),
    ("Granger", {"signed": True}),
]
EVERY = pytest.mark.parametrize(
    ("name", "chosen"), [*((name, SETTINGS.get(name, {})) for name in NAMES), *VARIANTS]
)


def people(seed: int, n: int = 5, n_times: tuple[int, int] = (100, 130)) -> tuple[np.ndarray, np.ndarray]:
    """Series with memory and a common part, of different lengths and repetition times."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(*n_times, size=n)
    X = np.full((n, REGIONS, lengths.max()), np.nan, dtype=np.float32)
    for i, length in enumerate(lengths):
        noise = rng.normal(size=(REGIONS, length + 10)) + rng.normal(size=length + 10)
        X[i, :, :length] = uniform_filter1d(noise, 4, axis=1)[:, :length] * 200 + 9
    return X, rng.choice([1.5, 2.0, 2.5], size=n)


def made(name: str, chosen: dict[str, Any] | None = None) -> Any:
    return FEATURES[name](**(SETTINGS.get(name, {}) if chosen is None else chosen))


@EVERY
def test_shape_names_and_numbers(name: str, chosen: dict[str, Any]) -> None:
    X, seconds = people(0)
    found = made(name, chosen)
    out = found(X, seconds)
    assert out.dtype == np.float64
    assert np.isfinite(out).all()
    assert out.std(axis=0).max() > 0
    names = found.names([f"r{i}" for i in range(REGIONS)])
    assert out.shape == (len(X), len(names))
    assert len(set(names)) == len(names)


@EVERY
@given(seed=st.integers(0, 10_000), tail=st.integers(1, 50))
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_stands_after_a_scan_says_nothing(
    name: str, chosen: dict[str, Any], seed: int, tail: int
) -> None:
    X, seconds = people(seed, n=3)
    found = made(name, chosen)
    longer = np.concatenate([X, np.full((3, REGIONS, tail), np.nan, dtype=X.dtype)], axis=2)
    np.testing.assert_allclose(
        found(longer, seconds),
        found(X, seconds),
        rtol=0,
        atol=1e-12,
    )


@EVERY
@given(seed=st.integers(0, 10_000), data=st.data())
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_person_does_not_depend_on_the_others(
    name: str, chosen: dict[str, Any], seed: int, data: st.DataObject
) -> None:
    """Alone, among others, in another order: the same row, also where many have one length."""
    X, seconds = people(seed, n=4)
    X, seconds = np.concatenate([X, X[:3]]), np.concatenate([seconds, seconds[:3]])
    found = made(name, chosen)
    whole = found(X, seconds)
    order = np.array(data.draw(st.permutations(range(7))))
    np.testing.assert_allclose(found(X[order], seconds[order]), whole[order], rtol=1e-9, atol=1e-10)
    one = slice(order[0], order[0] + 1)
    alone = found(X[one], seconds[one])
    np.testing.assert_allclose(alone, whole[one], rtol=1e-9, atol=1e-10)


@EVERY
def test_a_constant_region_is_masked(name: str, chosen: dict[str, Any]) -> None:
    """All numbers stay finite, and what the masked region's units were does not matter."""
    X, seconds = people(1)
    end = np.isfinite(X[0, 0]).sum()
    X[0, 2, :end] = 0.0
    X[1, 0, np.isfinite(X[1, 0])] = 0.1  # constant, and not to be written exactly in binary
    found = made(name, chosen)
    out = found(X, seconds)
    assert np.isfinite(out).all()
    names = found.names([f"r{i}r" for i in range(REGIONS)])
    own = np.array(["r2r" in column for column in names])
    if own.any():
        unreached = chosen.get("unreached", 0.0)
        assert set(out[0, own]) <= {0.0, unreached}
        assert set(out[1, np.array(["r0r" in column for column in names])]) <= {0.0, unreached}
    X[0, 2, :end] = 1e4
    np.testing.assert_array_equal(found(X, seconds), out)
    X[0, :, :end] = 0.0
    assert np.isfinite(found(X, seconds)).all()


@EVERY
def test_it_survives_a_file(name: str, chosen: dict[str, Any]) -> None:
    X, seconds = people(5)
    found = made(name, chosen)
    arrays, settings_ = to_arrays(found)
    assert {field.name for field in fields(found)} == arrays.keys() | settings_.keys()
    again = from_arrays(type(found), arrays, json.loads(json.dumps(settings_)))
    np.testing.assert_array_equal(again(X, seconds), found(X, seconds))


@ALL
def test_series_that_are_none(name: str) -> None:
    found = made(name)
    X, seconds = people(6)
    for wrong in (X[0], X[:, :, 0], X[np.newaxis]):
        with pytest.raises(HemostreamError, match=r"expected 3 dimensions, \(n, n_regions, n_times\)"):
            computed(found, wrong, 2.0)
    with pytest.raises(HemostreamError, match=r"repetition_time has shape \(4,\); expected \(5,\)"):
        found(X, seconds[:4])
    hole = X.copy()
    hole[3, 4, 20] = np.nan
    with pytest.raises(HemostreamError, match=r"Scan 3 holds in region 4 a value that is not finite"):
        found(hole, seconds)


@ALL
def test_a_scan_that_is_too_short(name: str) -> None:
    """The message counts: what it says is needed is enough."""
    X, _ = people(7, n=2)
    found = made(name)
    for end in (0, 1, 2):
        short = X.copy()
        short[1, :, end:] = np.nan
        with pytest.raises(HemostreamError, match=rf"Scan 1 has {end} volumes; .* needs at least \d+"):
            computed(found, short, 2.0)
    for _ in range(10):  # one band after the other may ask for more
        try:
            out = computed(found, short, 2.0)
            break
        except HemostreamError as error:
            needed = int(str(error).partition("at least ")[2].split(".")[0])
            assert needed > end
            end = needed
            short = X.copy()
            short[1, :, end:] = np.nan
    assert np.isfinite(out).all()


IN_SECONDS = ["LowFrequency", "Spectrum", "TemporalVariability"]


@pytest.mark.parametrize("name", IN_SECONDS)
def test_what_is_defined_in_seconds_needs_them(name: str) -> None:
    X, _ = people(8)
    for seconds in (np.nan, 0.0, -2.0, np.inf):
        with pytest.raises(HemostreamError, match=r"has a repetition time of .* expected a positive number"):
            computed(made(name), X, seconds)


@pytest.mark.parametrize("name", sorted(set(NAMES) - set(IN_SECONDS)))
def test_what_is_not_does_not(name: str) -> None:
    X, seconds = people(9)
    found = made(name)
    np.testing.assert_allclose(computed(found, X), found(X, seconds), rtol=1e-9, atol=1e-10)


@ALL
def test_nobody_is_answered_with_nothing(name: str) -> None:
    X, _ = people(10)
    found = made(name)
    out = found(X[:0], np.empty(0))
    assert out.shape == (0, len(found.names([f"r{i}" for i in range(REGIONS)])))


@pytest.mark.parametrize(
    ("name", "chosen", "message"),
    [
        ("Shrunk", {"measure": "parcial"}, "'parcial'; expected one of covariance, correlation, partial"),
        ("LowFrequency", {"low": 0.2, "high": 0.1}, "Band 'low frequencies' goes from 0.2 to 0.1 Hz"),
        ("Spectrum", {"n_cells": 0}, "n_cells is 0"),
        ("TemporalVariability", {"window_s": 0.0}, "expected a positive number"),
    ],
)
def test_settings_that_cannot_be(name: str, chosen: dict[str, Any], message: str) -> None:
    with pytest.raises(HemostreamError, match=message):
        made(name, chosen)
