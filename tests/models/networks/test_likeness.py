"""The model of likeness: what it compares, in both precisions, and what it does not depend on."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import RecipeError
from models.networks.likeness import likeness_features
from models.networks.registry import check_model, make_model
from offline.samples.likeness import likeness_of


@given(chans=st.integers(3, 6), times=st.integers(2, 60), seed=st.integers(0, 2**16))
@settings(max_examples=30, deadline=None)
def test_features_agree_in_both_precisions_and_know_no_scale(chans: int, times: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((5, chans, times)).astype(np.float32)
    pairs, others = ((0, 1),), tuple((0, k) for k in range(2, chans))
    whole = likeness_of(X, pairs, others)
    single = likeness_features(torch.from_numpy(X), pairs, others).numpy()
    np.testing.assert_allclose(single, whole, atol=2e-3, rtol=1e-3)
    gains = rng.uniform(0.1, 10.0, (1, chans, 1)).astype(np.float32)
    np.testing.assert_allclose(likeness_of(X * gains, pairs, others), whole, atol=1e-3, rtol=1e-3)


def test_equal_channels_are_as_alike_as_can_be_and_one_that_stands_still_is_like_none() -> None:
    x = torch.randn(2, 3, 40, generator=torch.Generator().manual_seed(0))
    x[:, 1] = x[:, 0]
    x[:, 2] = 0.0
    found = likeness_features(x, [(0, 1)], [(0, 2), (1, 2)])
    most = float(np.arctanh(0.999))
    torch.testing.assert_close(found[:, [0, 2]], torch.full((2, 2), most), rtol=1e-3, atol=1e-3)
    assert not found[:, [1, 3]].any()
    assert not likeness_features(x, [], []).any()


def test_the_level_counts_in_the_first_two_and_not_in_the_others() -> None:
    x = torch.randn(4, 2, 40, generator=torch.Generator().manual_seed(0))
    still, moved = (likeness_features(each, [(0, 1)], []) for each in (x, x + 3.0))
    assert (moved[:, 0] > still[:, 0] + 0.5).all()
    torch.testing.assert_close(moved[:, 2], still[:, 2], rtol=1e-3, atol=1e-3)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(RecipeError, match=r"others has \[0, 3\], but a window has 3 channels"):
        make_model("likeness", {"others": [[0, 3]]}, n_chans=3, n_times=40, n_outputs=2)
    with pytest.raises(RecipeError, match="expected pairs of two different channels"):
        check_model("likeness", {"others": [[1, 1]]})
