"""Dice, surface distance and volume of structures, against what can be counted by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline.segmentation.agreement import agreement_of


def box(at: int, size: int = 4) -> np.ndarray:
    labels = np.zeros((16, 12, 12), np.uint8)
    labels[at : at + size, 3:7, 3:7] = 1
    return labels


@given(shift=st.integers(0, 6), mm=st.floats(0.5, 3))
def test_a_box_that_is_moved(shift: int, mm: float) -> None:
    found = agreement_of(box(2 + shift), box(2), 1, (mm, 1, 1))
    assert found.dice == max(4 - shift, 0) / 4
    assert found.volume_error == 0
    # Its end faces are as far apart as it moved; 95 of 100 surface voxels are not farther.
    assert found.hausdorff95_mm <= shift * mm + 1e-9
    if shift >= 4:
        assert found.hausdorff95_mm > 0


def test_volume_is_found_less_drawn() -> None:
    assert agreement_of(box(2, 5), box(2, 4), 1, (1, 1, 1)).volume_error == pytest.approx(0.25)


def test_what_was_not_found_is_infinitely_far() -> None:
    found = agreement_of(np.zeros_like(box(2)), box(2), 1, (1, 1, 1))
    assert (found.dice, found.hausdorff95_mm, found.volume_error) == (0, np.inf, -1)


def test_what_nobody_drew_is_refused() -> None:
    with pytest.raises(ValueError, match="label 2"):
        agreement_of(box(2), box(2), 2, (1, 1, 1))
