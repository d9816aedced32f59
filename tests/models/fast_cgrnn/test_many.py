"""Many CGRNNs as one are what they are alone: logits, gradients, and what they learn."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy

from models.errors import RecipeError
from models.fast_cgrnn.many import ManyCGRNN, make_many
from models.networks.cgrnn import CGRNN
from models.networks.lstm import LSTM
from models.networks.registry import make_model

SHAPES = st.tuples(
    st.integers(1, 3), st.integers(3, 40), st.integers(2, 4), st.integers(1, 6), st.integers(1, 5)
)


def some(n: int, n_chans: int, n_times: int, n_outputs: int, kernel: int, pool: int) -> list[torch.nn.Module]:
    torch.manual_seed(n_times)
    params = {"filters": 5, "hidden": 4, "kernel": kernel, "pool": pool}
    return [
        make_model("cgrnn", params, n_chans=n_chans, n_times=n_times, n_outputs=n_outputs).eval()
        for _ in range(n)
    ]


@given(SHAPES)
@settings(max_examples=25, deadline=None)
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
def test_logits_and_gradients_are_those_of_the_single_networks(shape: tuple[int, int, int, int, int]) -> None:
    n_chans, n_times, n_outputs, _kernel, _pool = shape
    networks = some(3, *shape)
    many = ManyCGRNN(networks).eval()
    x = torch.randn(3, 6, n_chans, n_times)
    y = torch.arange(6) % n_outputs
    together = many(x)
    assert together.shape == (3, 6, n_outputs)
    cross_entropy(together.flatten(0, 1), y.repeat(3), reduction="sum").backward()
    for m, network in enumerate(networks):
        alone = network(x[m])
        assert together[m].detach().numpy() == pytest.approx(alone.detach().numpy(), abs=1e-5)
        cross_entropy(alone, y, reduction="sum").backward()
        for name, weight in network.named_parameters():
            assert weight.grad is not None
            theirs = many.stacked[name.replace(".", "/")].grad[m]
            assert theirs.numpy() == pytest.approx(weight.grad.numpy(), rel=1e-3, abs=1e-4), name


def test_a_network_can_be_taken_out_and_does_not_depend_on_how_many_there_are() -> None:
    shape = {"n_chans": 1, "n_times": 20, "n_outputs": 2}
    few, more = make_many({}, seeds=[7, 8], **shape), make_many({}, seeds=[7, 8, 9, 10], **shape)
    assert len(few) == 2
    x = torch.randn(4, 5, 1, 20)
    few.eval()
    more.eval()
    assert few(x[:2]).detach().numpy() == pytest.approx(more(x)[:2].detach().numpy(), abs=1e-6)
    alone = CGRNN(**shape)
    alone.load_state_dict(more.state_of(2))
    assert alone.eval()(x[2]).detach().numpy() == pytest.approx(more(x)[2].detach().numpy(), abs=1e-6)


def test_they_learn_each_from_its_own_windows() -> None:
    """Ten networks, ten channels, one of which carries the label."""
    rng = np.random.default_rng(0)
    y = torch.arange(200) % 2
    x = torch.tensor(rng.normal(size=(10, 200, 1, 20)), dtype=torch.float32)
    x[3, :, 0, 5:15] += 1.5 * (y[:, None] - 0.5)
    many = make_many({"filters": 8, "hidden": 8}, seeds=range(10), n_chans=1, n_times=20, n_outputs=2).train()
    optimiser = torch.optim.AdamW(many.parameters(), lr=1e-2)
    torch.manual_seed(0)
    for _ in range(30):
        optimiser.zero_grad()
        cross_entropy(many(x[:, :100]).flatten(0, 1), y[:100].repeat(10), reduction="sum").backward()
        optimiser.step()
    right = (many.eval()(x[:, 100:]).argmax(dim=2) == y[100:]).float().mean(dim=1)
    assert right[3] > 0.9
    assert right.argsort()[-1] == 3
    assert right[[0, 1, 2, 4, 5, 6, 7, 8, 9]].mean() < 0.65


def test_dropout_drops_its_share_in_training_only() -> None:
    many = make_many({"dropout": 0.4}, seeds=range(4), n_chans=1, n_times=20, n_outputs=2)
    x = torch.ones(4, 50, 8, 20)
    torch.manual_seed(0)
    kept = many.train()._dropped(x)
    assert float((kept == 0).float().mean()) == pytest.approx(0.4, abs=0.02)
    assert float(kept.mean()) == pytest.approx(1.0, abs=0.02)
    assert many.eval()._dropped(x) is x


def test_what_cannot_be_stacked_is_refused() -> None:
    shape = {"n_chans": 1, "n_times": 20, "n_outputs": 2}
    with pytest.raises(RecipeError, match="LSTM"):
        ManyCGRNN([LSTM(**shape)])
    with pytest.raises(RecipeError, match="nothing"):
        ManyCGRNN([])
    with pytest.raises(RecipeError, match="one shape"):
        ManyCGRNN([CGRNN(**shape), CGRNN(**shape, hidden=3)])
