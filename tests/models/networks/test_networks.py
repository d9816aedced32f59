"""The contract of every network."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import RecipeError
from models.networks import BLEND, LIKENESS, MEMORY
from models.networks.likeness import WindowLikeness
from models.networks.memory import FEWEST_SAMPLES, WindowMemory
from models.networks.registry import MODELS, NETWORKS, check_model, make_model, parameters_of
from models.networks.ridge import WindowRidge

SIZES = (1, 8, 64)
"""The padded batch sizes that are served (`realtime.inference.Inference`)."""


def network(name: str, *, n_chans: int = 6, n_times: int = 35, n_outputs: int = 2) -> torch.nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return make_model(name, {}, n_chans=n_chans, n_times=n_times, n_outputs=n_outputs).eval()


@pytest.mark.parametrize("name", NETWORKS)
@settings(max_examples=20, deadline=None)
@given(batch=st.integers(1, 9), chans=st.integers(1, 12), times=st.integers(3, 80), outputs=st.integers(2, 5))
def test_gives_one_finite_logit_a_label(name: str, batch: int, chans: int, times: int, outputs: int) -> None:
    made = network(name, n_chans=chans, n_times=times, n_outputs=outputs)
    logits = made(torch.ones(batch, chans, times))
    assert logits.shape == (batch, outputs)
    assert logits.dtype == torch.float32
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("n_times", [3, 4, 35, 70])
def test_gradient_reaches_every_parameter(name: str, n_times: int) -> None:
    made = network(name, n_times=n_times)
    data = torch.randn(16, 6, n_times, generator=torch.Generator().manual_seed(0))
    made(data).square().sum().backward()
    without = [
        key for key, value in made.named_parameters() if value.grad is None or not value.grad.abs().sum()
    ]
    assert without == []


@pytest.mark.parametrize("name", NETWORKS)
def test_every_sample_and_channel_matters(name: str) -> None:
    """Each input has a say somewhere: no sample is cut off by a pool, no channel is dropped."""
    made = network(name, n_times=32)
    data = torch.randn(64, 6, 32, generator=torch.Generator().manual_seed(0), requires_grad=True)
    made(data).sum().backward()
    assert data.grad is not None
    assert (data.grad.abs().sum(dim=0) > 0).all()


@pytest.mark.parametrize("name", NETWORKS)
def test_one_seed_gives_one_network_and_another_seed_another(name: str) -> None:
    def weights(seed: int) -> torch.Tensor:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            made = make_model(name, {}, n_chans=3, n_times=20, n_outputs=2)
        return torch.cat([value.flatten() for value in made.state_dict().values()])

    assert torch.equal(weights(5), weights(5))
    assert not torch.equal(weights(5), weights(6))


@pytest.mark.parametrize("name", NETWORKS)
def test_dropout_works_in_training_and_rests_in_evaluation(name: str) -> None:
    made = network(name)
    data = torch.ones(4, 6, 35)
    assert torch.equal(made(data), made(data))
    made.train()
    assert not torch.equal(made(data), made(data))


def drawn(kind: str, **sizes: int) -> torch.nn.Module:
    """A model of any kind with weights that are not zero."""
    params: dict[str, object] = {}
    if kind == MEMORY and sizes["n_chans"] > 1:
        params = {"pairs": [[0, sizes["n_chans"] - 1]]}
    if kind == LIKENESS and sizes["n_chans"] > 1:
        params = {"pairs": [[0, 1]], "others": [[0, each] for each in range(2, sizes["n_chans"])]}
    if kind == BLEND:
        own = [name for name in MODELS if name != MEMORY or sizes["n_times"] >= FEWEST_SAMPLES]
        params = {"members": [{"kind": name, "params": {}} for name in own]}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        made = make_model(kind, params, **sizes).eval().requires_grad_(False)
        for module in made.modules():
            if isinstance(module, WindowRidge | WindowMemory | WindowLikeness):
                for tensor in module.state_dict().values():
                    tensor.copy_(torch.rand(tensor.shape) + 0.5)
    return made


@pytest.mark.parametrize("kind", [*MODELS, BLEND])
@pytest.mark.parametrize(("n_chans", "n_times"), [(1, 70), (52, 70), (104, 35), (40, 3)])
def test_a_windows_logits_do_not_depend_on_its_batch_or_its_row(
    kind: str, n_chans: int, n_times: int
) -> None:
    """Bitwise, for a fixed batch size, on the CPU: what the journal's promise rests on."""
    n_times = max(n_times, FEWEST_SAMPLES) if kind == MEMORY else n_times
    made = drawn(kind, n_chans=n_chans, n_times=n_times, n_outputs=2)
    draws = torch.Generator().manual_seed(2)
    window = torch.randn(n_chans, n_times, generator=draws)
    with torch.inference_mode():
        for size in SIZES:
            alone = torch.zeros(size, n_chans, n_times)
            alone[0] = window
            expected = made(alone)[0]
            for row in range(size):
                batch = torch.randn(size, n_chans, n_times, generator=draws) * 100
                batch[row] = window
                assert torch.equal(made(batch)[row], expected), f"row {row} of {size}"


@pytest.mark.parametrize("name", ["cgrnn", "cnn_lstm"])
def test_a_window_too_short_is_refused_with_advice(name: str) -> None:
    with pytest.raises(RecipeError, match=r"n_times is 2; expected .* from 3 .*longer window"):
        make_model(name, {}, n_chans=1, n_times=2, n_outputs=2)


def test_misspelt_names_are_met_with_the_near_one() -> None:
    with pytest.raises(RecipeError, match="Did you mean 'cgrnn'"):
        make_model("cgrn", {}, n_chans=1, n_times=9, n_outputs=2)
    with pytest.raises(RecipeError, match="Did you mean 'hidden'"):
        make_model("lstm", {"hiden": 3}, n_chans=1, n_times=9, n_outputs=2)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("hidden", 0),
        ("hidden", 2.5),
        ("hidden", True),
        ("hidden", 10**9),
        ("dropout", 1.0),
        ("dropout", "low"),
    ],
)
def test_values_that_cannot_be_are_refused(key: str, value: object) -> None:
    with pytest.raises(RecipeError, match=f"{key} is"):
        check_model("cgrnn", {key: value})


@pytest.mark.parametrize("name", NETWORKS)
def test_every_parameter_takes_effect(name: str) -> None:
    """A parameter that changes nothing would be a lie in a recipe."""

    def trace(params: dict[str, object]) -> np.ndarray:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(1)
            made = make_model(name, params, n_chans=3, n_times=40, n_outputs=2)
            return made(torch.ones(2, 3, 40)).detach().numpy()

    usual = trace({})
    for key, default in parameters_of(name).items():
        other = default + 2 if isinstance(default, int) else 0.8
        assert not np.array_equal(trace({key: other}), usual), key


def test_importing_models_does_not_import_torch() -> None:
    code = "import models, models.errors, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
