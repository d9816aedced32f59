"""A layer is its arrays and settings, and comes back from them the same."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest

from models.errors import BundleError
from models.layers import run
from models.layers.base import from_arrays, to_arrays
from models.layers.columns import SelectColumns, Standardise
from models.layers.linear import Linear, logits_of


@dataclass(frozen=True, eq=False)
class Scaled:
    factor: npt.NDArray[np.float64]
    names: tuple[str, ...]

    def __call__(self, X: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return X * self.factor


def test_a_layer_comes_back_the_same() -> None:
    layer = Scaled(np.array([2.0, 3.0]), ("a", "b"))
    arrays, settings = to_arrays(layer)
    assert set(arrays) == {"factor"}
    again = from_arrays(Scaled, arrays, {"names": list(settings["names"])})
    np.testing.assert_array_equal(again(np.ones((4, 2))), layer(np.ones((4, 2))))
    assert again.names == layer.names


def test_a_layer_with_a_field_too_few_or_too_many_is_refused() -> None:
    with pytest.raises(BundleError, match=r"expected factor, names"):
        from_arrays(Scaled, {"factor": np.ones(2)}, {})
    with pytest.raises(BundleError, match=r"has extra, factor, names"):
        from_arrays(Scaled, {"factor": np.ones(2)}, {"names": [], "extra": 1})


def test_a_pipeline_is_one_layer_after_the_other() -> None:
    pipeline = [
        Standardise(np.ones(4), np.full(4, 2.0)),
        SelectColumns(np.array([3, 0])),
        Linear(np.array([[1.0], [-1.0]]), np.array([5.0])),
    ]
    found = run(pipeline, np.array([[3.0, 0.0, 0.0, 5.0]]))
    np.testing.assert_array_equal(found, [[(5 - 1) / 2 - (3 - 1) / 2 + 5]])


def test_one_column_of_odds_is_shared_by_two_logits() -> None:
    np.testing.assert_array_equal(np.diff(logits_of(np.array([[3.0], [-1.0]]))), [[3.0], [-1.0]])
    three = np.arange(6.0).reshape(2, 3)
    assert logits_of(three) is three
