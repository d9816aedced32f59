"""The last layer of every model that a bundle may hold."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from models.networks.last_layer import features_of, last_layers
from models.networks.registry import MODELS, make_model
from models.networks.ridge import WindowRidge
from offline.training.temperature import logits_of

N_CHANS, N_TIMES = 4, 35


def _model(name: str, n_outputs: int, **params: int) -> nn.Module:
    torch.manual_seed(3)
    model = make_model(name, params, n_chans=N_CHANS, n_times=N_TIMES, n_outputs=n_outputs)
    for module in model.modules():
        if isinstance(module, WindowRidge):
            module.reset_parameters()
    return model.eval()


def _windows(n: int = 300) -> np.typing.NDArray[np.float32]:
    return np.random.default_rng(0).normal(size=(n, N_CHANS, N_TIMES)).astype(np.float32)


def _as_logits(values: np.typing.NDArray[np.float64]) -> np.typing.NDArray[np.float64]:
    return np.concatenate([-0.5 * values, 0.5 * values], axis=1) if values.shape[1] == 1 else values


@pytest.mark.parametrize("n_outputs", [2, 3])
@pytest.mark.parametrize("name", MODELS)
def test_features_times_weights_are_the_logits_of_every_model(name: str, n_outputs: int) -> None:
    model, X = _model(name, n_outputs), _windows()
    layers = last_layers(model)
    assert layers
    (layer,), (features,) = layers, features_of(model, layers, X)
    logits = _as_logits(features @ layer.weights[:-1] + layer.weights[-1])
    np.testing.assert_allclose(logits, logits_of(model, X), atol=1e-4)


@pytest.mark.parametrize("name", MODELS)
def test_what_is_put_is_what_predicts(name: str) -> None:
    model, X = _model(name, 3), _windows(20)
    (layer,) = last_layers(model)
    (features,) = features_of(model, [layer], X)
    new = np.random.default_rng(1).normal(size=layer.weights.shape)
    layer.put(new)
    np.testing.assert_allclose(layer.weights, new, atol=1e-6)
    np.testing.assert_allclose(logits_of(model, X), features @ new[:-1] + new[-1], atol=1e-3)


def test_a_network_of_components_has_the_one_inside() -> None:
    assert len(last_layers(_model("cgrnn", 2, components=2))) == 1


class _Both(nn.Module):
    def __init__(self, first: nn.Module, second: nn.Module) -> None:
        super().__init__()
        self.parts = nn.ModuleList([first, second])

    def forward(self, x: Tensor) -> Tensor:
        return 0.5 * (self.parts[0](x) + self.parts[1](x))


def test_a_model_of_several_has_one_for_each() -> None:
    both = _Both(_model("cgrnn", 2), _model("ridge", 2)).eval()
    layers = last_layers(both)
    features = features_of(both, layers, _windows(7))
    assert [each.shape for each in features] == [(7, 32), (7, 12)]


def test_a_model_without_one_has_none() -> None:
    assert last_layers(nn.Sequential(nn.Flatten(), nn.Linear(3, 2))) == []
