"""The memory model: in single precision what the baseline computes in double."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import RecipeError
from models.networks.memory import memory_features
from models.networks.registry import check_model, make_model


@given(chans=st.integers(2, 6), times=st.integers(8, 60), seed=st.integers(0, 2**16))
@settings(max_examples=30, deadline=None)
def test_features_agree_in_both_precisions(chans: int, times: int, seed: int) -> None:
    X = np.random.default_rng(seed).standard_normal((5, chans, times)).cumsum(axis=2)
    pairs = [(0, chans - 1)]
    whole = memory_features(torch.from_numpy(X.astype(np.float32).astype(np.float64)), pairs).numpy()
    single = memory_features(torch.from_numpy(X.astype(np.float32)), pairs).numpy()
    np.testing.assert_allclose(single, whole, atol=2e-3, rtol=1e-4)


def test_a_channel_that_stands_still_is_0_whatever_window_is_beside_it() -> None:
    x = torch.randn(3, 2, 40, generator=torch.Generator().manual_seed(0))
    x[1, 1] = 5.0
    found = memory_features(x, [(0, 1)])
    assert found[1, 1] == 0.0
    assert found[1, 2] == 0.0
    torch.testing.assert_close(memory_features(x[1:2] * 1.0, [(0, 1)])[0], found[1])


def test_what_cannot_be_is_refused() -> None:
    sizes = {"n_times": 40, "n_outputs": 2}
    with pytest.raises(RecipeError, match=r"pairs has \[0, 3\], but a window has 3 channels"):
        make_model("memory", {"pairs": [[0, 3]]}, n_chans=3, **sizes)
    for pairs in ([[0, 0]], [[0]], "01", [[0, -1]], [[0, True]], [3]):
        with pytest.raises(RecipeError, match="expected pairs of two different channels"):
            check_model("memory", {"pairs": pairs})
    with pytest.raises(RecipeError, match="n_times is 7; expected a whole number from 8"):
        make_model("memory", {}, n_chans=3, n_times=7, n_outputs=2)
    with pytest.raises(RecipeError, match="expected one or more of mean, slope, spread"):
        check_model("ridge", {"features": ["mean", "peak"]})


def test_weights_that_learnt_nothing_differ_from_draw_to_draw() -> None:
    model = make_model("memory", {}, n_chans=3, n_times=20, n_outputs=2)
    torch.manual_seed(1)
    model.reset_parameters()
    first = model.weight.detach().clone()
    torch.manual_seed(2)
    model.reset_parameters()
    assert first.abs().min() > 0
    assert not torch.equal(first, model.weight)
    assert torch.equal(model.bias, torch.zeros_like(model.bias))
