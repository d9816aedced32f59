"""Every feature, as it comes, on real scans: short ones and long ones, and one with a constant region."""

from pathlib import Path

import numpy as np
import pytest

from models.errors import HemostreamError
from models.scan_model import FEATURES
from tests.models.features.computed import computed


@pytest.fixture(scope="module")
def scans(data_dir: Path) -> np.ndarray:
    """Every thirty-seventh person, and those with the smallest and the largest file."""
    files = sorted((data_dir / "abide/ABIDE_pcp/cpac/nofilt_noglobal").glob("*_rois_cc200.1D"))
    assert len(files) == 843
    series = {file.name: np.loadtxt(file, dtype=np.float32).T for file in files[::37]}
    for file in (min(files, key=lambda f: f.stat().st_size), max(files, key=lambda f: f.stat().st_size)):
        series[file.name] = np.loadtxt(file, dtype=np.float32).T
    X = np.full((len(series), 200, max(s.shape[1] for s in series.values())), np.nan, dtype=np.float32)
    for row, one in zip(X, series.values(), strict=True):
        row[:, : one.shape[1]] = one
    X[1, 7, np.isfinite(X[1, 7])] = 0.0
    return X


@pytest.mark.parametrize("name", sorted(set(FEATURES) - {"Kinds"}))
def test_defaults_suit_real_scans(name: str, scans: np.ndarray) -> None:
    found = FEATURES[name]()
    out = computed(found, scans, 2.0)
    assert np.isfinite(out).all()
    assert out.shape == (len(scans), len(found.names([f"r{i}" for i in range(200)])))
    assert len(np.unique(out.round(12), axis=0)) == len(scans)
    alone = computed(found, scans[-2:-1], 2.0)
    np.testing.assert_allclose(alone[0], out[-2], rtol=1e-7, atol=1e-9)
    with pytest.raises(HemostreamError, match="needs at least"):
        computed(found, scans[:1, :, :2], 2.0)
