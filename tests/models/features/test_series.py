"""Whatever reads series refuses those of another shape, or of another atlas, by name."""

import numpy as np
import pytest

from models.errors import HemostreamError
from models.features.series import checked


def test_series_of_another_shape_or_atlas_are_refused() -> None:
    good = np.zeros((2, 3, 4), np.float32)
    assert checked(good, n_regions=3) is good
    with pytest.raises(HemostreamError, match=r"shape \(2, 3\)"):
        checked(good[..., 0])
    with pytest.raises(HemostreamError, match="3 regions; expected 5"):
        checked(good, n_regions=5)
