"""A part is its arrays and settings, and comes back from them the same."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest

from models.errors import BundleError
from models.parts import from_arrays, to_arrays


@dataclass(frozen=True, eq=False)
class Scaled:
    factor: npt.NDArray[np.float64]
    names: tuple[str, ...]

    def __call__(self, X: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return X * self.factor


def test_a_part_comes_back_the_same() -> None:
    part = Scaled(np.array([2.0, 3.0]), ("a", "b"))
    arrays, settings = to_arrays(part)
    assert set(arrays) == {"factor"}
    again = from_arrays(Scaled, arrays, {"names": list(settings["names"])})
    np.testing.assert_array_equal(again(np.ones((4, 2))), part(np.ones((4, 2))))
    assert again.names == part.names


def test_a_part_with_a_field_too_few_or_too_many_is_refused() -> None:
    with pytest.raises(BundleError, match=r"expected factor, names"):
        from_arrays(Scaled, {"factor": np.ones(2)}, {})
    with pytest.raises(BundleError, match=r"has extra, factor, names"):
        from_arrays(Scaled, {"factor": np.ones(2)}, {"names": [], "extra": 1})
