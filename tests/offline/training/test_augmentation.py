"""What is done to windows that are learnt from: only what was asked, and only to what is there."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from offline.samples.recipe_sections import AugmentationSection, Training
from offline.training.augmentation import Augmentation

PLACES = (0, 1, 0, 1)  # HbO of two places, then HbR


def changed(seed: int = 0, n: int = 400, **asked: float) -> torch.Tensor:
    windows = torch.arange(1.0, 11.0).expand(n, 4, 10).clone()
    windows[:, 3] = 0.0  # left out
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Augmentation(Training(augmentation=AugmentationSection(**asked)), PLACES, 5.0)(windows)


@given(sd=st.floats(0.05, 1.0), seed=st.integers(0, 1000))
@settings(deadline=None, max_examples=20)
def test_gain_is_one_factor_a_place_and_pathlength_one_a_window(sd: float, seed: int) -> None:
    gain = (changed(seed, gain=sd) / torch.arange(1.0, 11.0)).numpy()
    assert gain[:, :3] == pytest.approx(np.repeat(gain[:, :3, :1], 10, axis=2), rel=1e-5)
    assert gain[:, 0] == pytest.approx(gain[:, 2], rel=1e-5)  # HbO and HbR of a place
    assert np.log(gain[:, 0, 0]).std() == pytest.approx(sd, rel=0.2)
    assert abs(np.corrcoef(np.log(gain[:, 0, 0]), np.log(gain[:, 1, 0]))[0, 1]) < 0.25
    path = (changed(seed, pathlength=sd) / torch.arange(1.0, 11.0)).numpy()[:, :3]
    assert path == pytest.approx(np.broadcast_to(path[:, :1, :1], path.shape), rel=1e-5)


def test_noise_has_its_size_and_leaves_absent_channels_absent() -> None:
    noisy = (changed(noise=0.5) - changed()).numpy()
    assert noisy[:, :3].std() == pytest.approx(0.5, rel=0.05)
    assert (noisy[:, 3] == 0.0).all()


def test_a_shift_moves_whole_windows_by_at_most_what_was_asked_and_holds_the_edge() -> None:
    moved = changed(time_shift_s=0.6).numpy()
    by = moved[:, 0, 5] - 6.0
    assert set(by) == {-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0}
    expected = np.clip(np.arange(1.0, 11.0) + by[:, None], 1.0, 10.0)
    np.testing.assert_array_equal(moved[:, :3], np.repeat(expected[:, None], 3, axis=1))


def test_nothing_asked_changes_nothing_and_draws_nothing() -> None:
    state = torch.random.get_rng_state()
    windows = torch.ones(3, 4, 10)
    assert Augmentation(Training(), PLACES, 5.0)(windows) is windows
    assert torch.equal(torch.random.get_rng_state(), state)
