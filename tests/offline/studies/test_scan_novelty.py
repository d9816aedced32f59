"""What a bundle knows of its training's scans: strangers pass, what is no such scan does not."""

import numpy as np
import pytest

from models.scans.novelty import CHECKS
from offline.scans import Scans
from offline.scans.simulated import simulate_series
from offline.studies.scan_novelty import MOST_SLOW, FittedNovelty, fit_novelty
from tools.bench.scan_damage import DAMAGES, scan_of


@pytest.fixture(scope="module")
def half() -> tuple[FittedNovelty, Scans]:
    scans = simulate_series(160, effect=1.0, n_regions=20, n_times=160, n_sites=8, seed=3).scans
    group = np.unique(scans.site, return_inverse=True)[1] % 2
    return fit_novelty(scans.rows(group == 0)), scans.rows(group == 1)


def beyond(fitted: FittedNovelty, scans: Scans, damage: str | None = None) -> list[set[str]]:
    out = []
    for i, own in enumerate(scans.X):
        series, seconds = scan_of(own), float(scans.repetition_time[i])
        if damage is not None:
            series = DAMAGES[damage](series, seconds, np.random.default_rng(i))
        found = fitted.novelty.findings(series, seconds, np.ptp(series, axis=1) > 0)
        out.append({each.check for each in found if each.beyond})
    return out


def test_strangers_pass(half: tuple[FittedNovelty, Scans]) -> None:
    fitted, strangers = half
    assert set(fitted.novelty.bounds) == set(CHECKS)
    assert np.mean([bool(each) for each in beyond(fitted, strangers)]) <= 0.05
    assert fitted.how["refused"] <= 2 * MOST_SLOW + 0.01


@pytest.mark.parametrize(
    ("damage", "check"),
    [
        ("white noise", "region order"),
        ("regions shuffled", "region order"),
        ("one signal in all regions", "covariance rank"),
        ("60 frozen volumes", "repeated volumes"),
        ("global signal removed", "mean correlation"),
        ("band-pass", "spectrum"),
        ("global signal removed and band-pass", "spectrum"),
    ],
)
def test_what_is_no_such_scan_is_told_by_its_check(
    half: tuple[FittedNovelty, Scans], damage: str, check: str
) -> None:
    assert all(check in each for each in beyond(*half, damage))


def test_the_fit_looks_at_no_label_and_takes_a_small_training() -> None:
    scans = simulate_series(12, n_regions=5, n_times=60, n_sites=1, seed=0).scans
    fitted = fit_novelty(scans)
    assert fitted.novelty.time_base is None
    assert "time base" not in fitted.novelty.bounds
    assert np.isfinite(fitted.novelty.expected).all()
