"""One window at a time, in array code: the same numbers as torch's."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.fast_cgrnn.single import SingleCGRNN
from models.networks.cgrnn import CGRNN


@given(
    n_chans=st.integers(1, 120),
    n_times=st.integers(3, 120),
    kernel=st.sampled_from([1, 3, 5, 7]),
    pool=st.integers(1, 6),
    hidden=st.integers(1, 40),
    scale=st.sampled_from([0.0, 0.1, 1.0, 30.0]),
    seed=st.integers(0, 2**31),
)
@settings(max_examples=60, deadline=None)
def test_the_same_logits_as_torch(
    n_chans: int, n_times: int, kernel: int, pool: int, hidden: int, scale: float, seed: int
) -> None:
    torch.manual_seed(seed)
    network = CGRNN(n_chans, n_times, 3, kernel=kernel, pool=pool, hidden=hidden).eval()
    single = SingleCGRNN(network, n_chans, n_times)
    for _ in range(2):  # nothing is left over from the window before
        window = scale * torch.randn(1, n_chans, n_times)
        with torch.inference_mode():
            expected = network(window)[0].numpy()
        np.testing.assert_allclose(single(window[0].numpy()), expected, atol=1e-5)


def test_what_is_not_finite_is_passed_on() -> None:
    network = CGRNN(2, 70, 2).eval()
    window = np.zeros((2, 70), dtype=np.float32)
    window[0, 30] = np.nan
    assert np.isnan(SingleCGRNN(network, 2, 70)(window)).all()
