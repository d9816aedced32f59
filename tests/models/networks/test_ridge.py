"""The ridge model: the baseline's features of windows, and a linear layer."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.networks.registry import make_model
from models.networks.ridge import WindowRidge
from offline.estimators.baselines import window_features


def _drawn(n_chans: int, n_times: int, n_outputs: int, seed: int = 0) -> WindowRidge:
    made = make_model("ridge", {}, n_chans=n_chans, n_times=n_times, n_outputs=n_outputs)
    assert isinstance(made, WindowRidge)
    draw = torch.Generator().manual_seed(seed)
    for tensor in made.state_dict().values():
        tensor.copy_(torch.rand(tensor.shape, generator=draw) + 0.5)
    return made.eval().requires_grad_(False)


@given(
    chans=st.integers(1, 9), times=st.integers(1, 60), outputs=st.integers(2, 4), seed=st.integers(0, 2**16)
)
@settings(max_examples=30, deadline=None)
def test_the_logits_are_linear_in_the_baselines_features(
    chans: int, times: int, outputs: int, seed: int
) -> None:
    made = _drawn(chans, times, outputs, seed)
    X = np.random.default_rng(seed).standard_normal((5, chans, times)).astype(np.float32)
    state = {name: value.double().numpy() for name, value in made.state_dict().items()}
    odds = (window_features(X) - state["mean"]) / state["scale"] @ state["weight"] + state["bias"]
    expected = np.concatenate([-odds / 2, odds / 2], axis=1) if outputs == 2 else odds
    np.testing.assert_allclose(made(torch.from_numpy(X)).numpy(), expected, rtol=1e-4, atol=1e-3)


def test_weights_can_be_drawn_again_for_a_comparison() -> None:
    made = _drawn(3, 20, 2).requires_grad_(True)
    before = made.weight.detach().clone()
    made.reset_parameters()
    assert not torch.equal(made.weight, before)
