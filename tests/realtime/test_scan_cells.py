"""Cells of a scan: a lone one is bridged and counted, a volume is lost, a region is absent or constant."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.scan_cells import ScanCells

N, T = 5, 40


def scan(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    return np.random.default_rng(seed).normal(size=(N, T)), np.zeros((N, T), bool)


@given(
    seed=st.integers(0, 2**32 - 1),
    at=st.sets(st.integers(0, (T - 1) // 2), max_size=3),
    row=st.integers(0, N - 1),
)
def test_lone_cells_are_bridged_along_time_and_counted(seed: int, at: set[int], row: int) -> None:
    data, missing = scan(seed)
    gone = sorted(2 * each for each in at)
    whole = data.copy()
    data[row, gone] = np.nan
    cells = ScanCells.of(data, missing)
    assert cells.bridged == len(gone)
    for none in (cells.masked, cells.absent, cells.lost, cells.holes):
        assert not none.any()
    for k in gone:
        beside = [whole[row, j] for j in (k - 1, k + 1) if 0 <= j < T]
        assert cells.series[row, k] == pytest.approx(np.mean(beside), rel=1e-5, abs=1e-6)
    kept = np.ones((N, T), bool)
    kept[row, gone] = False
    np.testing.assert_array_equal(cells.series[kept], whole.astype(np.float32)[kept])


def test_two_in_a_row_or_too_many_are_a_hole() -> None:
    data, missing = scan()
    data[1, 7:9] = np.nan
    data[3, 1:11:2] = np.nan  # 5 of 40
    cells = ScanCells.of(data, missing)
    assert cells.holes.tolist() == [False, True, False, True, False]
    assert np.isfinite(cells.series).all()


def test_a_scrubbed_volume_is_lost_and_an_absent_region_is_not_constant() -> None:
    data, missing = scan()
    data[:, 12] = np.nan
    data[2] = np.nan
    data[4] = 3.0
    missing[4] = True
    cells = ScanCells.of(data, missing)
    assert np.flatnonzero(cells.lost).tolist() == [12]
    assert cells.absent.tolist() == [False, False, True, False, False]
    assert cells.masked.tolist() == [False, False, False, False, True]
    assert cells.bridged == 0
    assert (cells.series[[2, 4]] == 0).all()


def test_a_scan_without_volumes_has_no_regions() -> None:
    cells = ScanCells.of(np.zeros((N, 0)), np.zeros((N, 0), bool))
    assert cells.absent.all()
    assert not cells.lost.any()
