"""Change within a scan: none where nothing changes, more where it does, and in the region that does."""

import numpy as np
import pytest

from models.errors import HemostreamError
from models.features.dynamics import TemporalVariability
from tests.models.features.computed import computed


def test_variability_by_hand() -> None:
    """One less the mean over pairs of windows of the correlation of the region's profiles."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1, 6, 100)) + rng.normal(size=(1, 1, 100))
    found = computed(TemporalVariability(window_s=40.0), X, 2.0)[0]
    matrices = [np.corrcoef(X[0, :, at : at + 20]) for at in range(0, 100, 20)]
    for region in range(6):
        profiles = np.array([np.delete(matrix[region], region) for matrix in matrices])
        alike = np.corrcoef(profiles)[np.triu_indices(5, 1)].mean()
        assert found[region] == pytest.approx(1 - alike, abs=1e-9)


def test_a_masked_region_is_in_nobodys_profile() -> None:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(1, 6, 100)) + rng.normal(size=(1, 1, 100))
    rest = np.delete(X, 2, axis=1)
    X[:, 2] = 0.0
    found = computed(TemporalVariability(), X, 2.0)[0]
    alone = computed(TemporalVariability(), rest, 2.0)[0]
    assert found[2] == 0
    np.testing.assert_allclose(np.delete(found, 2), alone, atol=1e-9)


def test_what_repeats_does_not_vary() -> None:
    rng = np.random.default_rng(2)
    piece = rng.normal(size=(1, 5, 20)) + rng.normal(size=(1, 1, 20))
    X = np.tile(piece, (1, 1, 5))
    same = computed(TemporalVariability(window_s=40.0), X, 2.0)
    np.testing.assert_allclose(same, 0, atol=1e-9)


def test_the_region_that_changes_company_varies_most() -> None:
    rng = np.random.default_rng(3)
    first, second = rng.normal(size=(2, 1, 200))
    X = 0.5 * rng.normal(size=(1, 9, 200))
    X[0, :4] += first
    X[0, 4:8] += second
    turn = np.arange(200) // 20 % 2 == 0
    X[0, 8] += np.where(turn, first[0], second[0])
    found = computed(TemporalVariability(window_s=40.0), X, 2.0)[0]
    assert found.argmax() == 8
    assert found[8] > 5 * found[:8].max()


def test_windows_are_seconds_at_any_repetition_time() -> None:
    """The same scan, every second volume of it: about the same variability from the same seconds."""
    rng = np.random.default_rng(4)
    X = np.repeat(rng.normal(size=(1, 5, 100)) + rng.normal(size=(1, 1, 100)), 2, axis=2)
    np.testing.assert_allclose(
        computed(TemporalVariability(), X, 1.0), computed(TemporalVariability(), X[:, :, ::2], 2.0), atol=1e-9
    )


def test_windows_that_cannot_be() -> None:
    X = np.random.default_rng(5).normal(size=(1, 5, 30))
    with pytest.raises(HemostreamError, match=r"A window of 4 s has 2 volumes at a repetition time of 2 s"):
        computed(TemporalVariability(window_s=4.0), X, 2.0)
    with pytest.raises(HemostreamError, match=r"Scan 0 has 30 volumes; .* needs at least 40"):
        computed(TemporalVariability(), X, 2.0)
    with pytest.raises(HemostreamError, match="2 regions; a profile of correlations needs 3"):
        computed(TemporalVariability(), X[:, :2], 2.0)
