"""What every feature of region series keeps, over the registry."""

import json
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.ndimage import uniform_filter1d
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from models.errors import HemostreamError
from models.layers.base import from_arrays, to_arrays
from offline.features import FEATURES, SeriesFeatures

REGIONS = 8
SETTINGS: dict[str, dict[str, Any]] = {
    "components": {"n_components": 3, "n_runs": 3},
    "spectrum": {"n_cells": 6},
}
"""Where the defaults are for an atlas of hundreds of regions."""
ALL = pytest.mark.parametrize("name", sorted(FEATURES))
VARIANTS = [
    ("correlation", {"fisher": False}),
    ("shrunk", {"measure": "covariance", "standardised": False}),
    ("shrunk", {"measure": "correlation"}),
    ("tangent", {"reference": "geometric"}),
    ("tangent", {"reference": "euclidean", "standardised": False}),
    ("low_frequency", {"fraction": True}),
    ("band_amplitude", {"standardised": False, "unreached": -1.0}),
    ("granger", {"signed": True}),
    ("components", {"n_components": 3, "n_runs": 2, "measure": "connectivity"}),
]
EVERY = pytest.mark.parametrize(
    ("name", "chosen"), [*((name, SETTINGS.get(name, {})) for name in sorted(FEATURES)), *VARIANTS]
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


def fitted(name: str, chosen: dict[str, Any] | None = None) -> SeriesFeatures:
    X, seconds = people(99, n=6)
    chosen = SETTINGS.get(name, {}) if chosen is None else chosen
    return FEATURES[name](**chosen).fit(X, repetition_time=seconds)


@EVERY
def test_shape_names_and_numbers(name: str, chosen: dict[str, Any]) -> None:
    X, seconds = people(0)
    found = fitted(name, chosen)
    out = found.transform(X, repetition_time=seconds)
    assert out.dtype == np.float64
    assert np.isfinite(out).all()
    assert out.std(axis=0).max() > 0
    names = found.get_feature_names_out()
    assert out.shape == (len(X), len(names))
    assert len(set(names)) == len(names)
    regions = [f"r{i}" for i in range(REGIONS)]
    assert len(found.get_feature_names_out(regions)) == len(names)
    with pytest.raises(HemostreamError, match="7 names of regions; expected 8"):
        found.get_feature_names_out(regions[:-1])


@EVERY
@given(seed=st.integers(0, 10_000), tail=st.integers(1, 50))
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_stands_after_a_scan_says_nothing(
    name: str, chosen: dict[str, Any], seed: int, tail: int
) -> None:
    X, seconds = people(seed, n=3)
    found = fitted(name, chosen)
    longer = np.concatenate([X, np.full((3, REGIONS, tail), np.nan, dtype=X.dtype)], axis=2)
    np.testing.assert_allclose(
        found.transform(longer, repetition_time=seconds),
        found.transform(X, repetition_time=seconds),
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
    found = fitted(name, chosen)
    whole = found.transform(X, repetition_time=seconds)
    order = np.array(data.draw(st.permutations(range(7))))
    np.testing.assert_allclose(
        found.transform(X[order], repetition_time=seconds[order]), whole[order], rtol=1e-9, atol=1e-10
    )
    one = slice(order[0], order[0] + 1)
    alone = found.transform(X[one], repetition_time=seconds[one])
    np.testing.assert_allclose(alone, whole[one], rtol=1e-9, atol=1e-10)


@EVERY
def test_a_constant_region_is_masked(name: str, chosen: dict[str, Any]) -> None:
    """All numbers stay finite, and what the masked region's units were does not matter."""
    X, seconds = people(1)
    end = np.isfinite(X[0, 0]).sum()
    X[0, 2, :end] = 0.0
    X[1, 0, np.isfinite(X[1, 0])] = 0.1  # constant, and not to be written exactly in binary
    found = fitted(name, chosen)
    out = found.transform(X, repetition_time=seconds)
    assert np.isfinite(out).all()
    names = found.get_feature_names_out([f"r{i}r" for i in range(REGIONS)])
    own = np.array(["r2r" in column for column in names])
    if name == "tangent":
        # Masked means expected: alone with the reference there would be zeros.
        assert own.any()
    elif own.any():
        unreached = chosen.get("unreached", 0.0)
        assert set(out[0, own]) <= {0.0, unreached}
        assert set(out[1, np.array(["r0r" in column for column in names])]) <= {0.0, unreached}
    X[0, 2, :end] = 1e4
    np.testing.assert_array_equal(found.transform(X, repetition_time=seconds), out)
    X[0, :, :end] = 0.0
    assert np.isfinite(found.transform(X, repetition_time=seconds)).all()


@EVERY
def test_clones_and_settings(name: str, chosen: dict[str, Any]) -> None:
    first = fitted(name, chosen)
    again = clone(first)
    assert repr(again) == repr(first)
    assert not hasattr(again, "feature_")
    X, seconds = people(99, n=6)
    np.testing.assert_array_equal(
        again.fit_transform(X, repetition_time=seconds), first.transform(X, repetition_time=seconds)
    )


@ALL
def test_asked_before_it_is_fitted(name: str) -> None:
    X, seconds = people(2)
    with pytest.raises(NotFittedError):
        FEATURES[name]().transform(X, repetition_time=seconds)
    with pytest.raises(NotFittedError):
        FEATURES[name]().get_feature_names_out()


@ALL
def test_what_is_not_learnt_from_people_is_the_same_after_any(name: str) -> None:
    """And what is, is not: `fitted_to_people` decides what may be computed outside the folds."""
    X, seconds = people(3)
    other, other_seconds = people(4)
    first = fitted(name)
    second = clone(first).fit(other, repetition_time=other_seconds)
    same = np.array_equal(
        first.transform(X, repetition_time=seconds), second.transform(X, repetition_time=seconds)
    )
    assert same is not first.fitted_to_people


@EVERY
def test_the_feature_is_the_transformer_and_survives_a_file(name: str, chosen: dict[str, Any]) -> None:
    X, seconds = people(5)
    found = fitted(name, chosen)
    arrays, settings_ = to_arrays(found.feature_)
    assert {field.name for field in fields(found.feature_)} == arrays.keys() | settings_.keys()
    again = from_arrays(type(found.feature_), arrays, json.loads(json.dumps(settings_)))
    said = found.transform(X, repetition_time=seconds)
    np.testing.assert_array_equal(again(X, seconds), said)
    np.testing.assert_array_equal(found.feature_(X, seconds), said)


@ALL
def test_series_that_are_none(name: str) -> None:
    found = fitted(name)
    X, seconds = people(6)
    for wrong in (X[0], X[:, :, 0], X[np.newaxis]):
        with pytest.raises(HemostreamError, match=r"expected 3 dimensions, \(n, n_regions, n_times\)"):
            found.transform(wrong, repetition_time=2.0)
        with pytest.raises(HemostreamError, match="expected 3 dimensions"):
            clone(found).fit(wrong, repetition_time=2.0)
    with pytest.raises(HemostreamError, match="7 regions; expected 8"):
        found.transform(X[:, :7], repetition_time=seconds)
    with pytest.raises(HemostreamError, match=r"repetition_time has shape \(4,\); expected \(5,\)"):
        found.transform(X, repetition_time=seconds[:4])
    hole = X.copy()
    hole[3, 4, 20] = np.nan
    with pytest.raises(HemostreamError, match=r"Scan 3 holds in region 4 a value that is not finite"):
        found.transform(hole, repetition_time=seconds)


@ALL
def test_a_scan_that_is_too_short(name: str) -> None:
    """The message counts: what it says is needed is enough."""
    X, _ = people(7, n=2)
    found = fitted(name)
    for end in (0, 1, 2):
        short = X.copy()
        short[1, :, end:] = np.nan
        with pytest.raises(HemostreamError, match=rf"Scan 1 has {end} volumes; .* needs at least \d+"):
            found.transform(short, repetition_time=2.0)
    for _ in range(10):  # one band after the other may ask for more
        try:
            out = found.transform(short, repetition_time=2.0)
            break
        except HemostreamError as error:
            needed = int(str(error).partition("at least ")[2].split(".")[0])
            assert needed > end
            end = needed
            short = X.copy()
            short[1, :, end:] = np.nan
    assert np.isfinite(out).all()


@pytest.mark.parametrize(
    "name",
    [
        "band_amplitude",
        "band_correlation",
        "low_frequency",
        "sliding_connectivity",
        "spectrum",
        "temporal_variability",
    ],
)
def test_what_is_defined_in_seconds_needs_them(name: str) -> None:
    X, _ = people(8)
    for seconds in (None, 0.0, -2.0, np.inf):
        with pytest.raises(HemostreamError, match=r"has a repetition time of .* expected a positive number"):
            fitted(name).transform(X, repetition_time=seconds)


@pytest.mark.parametrize(
    "name", ["autoregression", "components", "correlation", "granger", "shrunk", "tangent"]
)
def test_what_is_not_does_not(name: str) -> None:
    X, seconds = people(9)
    found = fitted(name)
    np.testing.assert_allclose(
        found.transform(X), found.transform(X, repetition_time=seconds), rtol=1e-9, atol=1e-10
    )


@ALL
def test_nobody_is_answered_with_nothing(name: str) -> None:
    X, _ = people(10)
    found = fitted(name)
    out = found.transform(X[:0], repetition_time=np.empty(0))
    assert out.shape == (0, len(found.get_feature_names_out()))
    if found.fitted_to_people:
        with pytest.raises(HemostreamError, match="no people"):
            clone(found).fit(X[:0])


@pytest.mark.parametrize(
    ("name", "chosen", "said"),
    [
        ("shrunk", {"measure": "parcial"}, "'parcial'; expected one of covariance, correlation, partial"),
        ("tangent", {"reference": "mean"}, "'mean'; expected one of euclidean, log-euclidean, geometric"),
        ("components", {"measure": "maps", "n_components": 2}, "'maps'; expected one of loadings"),
        ("components", {"n_components": 8}, "n_components is 8; expected 1 to 7"),
        ("components", {"n_components": 2, "share": 1.5}, "share 1.5; expected"),
        ("autoregression", {"penalty": 0.0}, "penalty is 0.0; expected a positive number"),
        ("band_amplitude", {"bands": (("x", 0.2, 0.1),)}, "Band 'x' goes from 0.2 to 0.1 Hz"),
        ("spectrum", {"n_cells": 0}, "n_cells is 0"),
        ("sliding_connectivity", {"step_s": 0.0}, "expected positive numbers"),
    ],
)
def test_settings_that_cannot_be(name: str, chosen: dict[str, Any], said: str) -> None:
    with pytest.raises(HemostreamError, match=said):
        fitted(name, chosen)
