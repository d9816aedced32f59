"""Networks over tables: the contract of all, and what is particular to each."""

from collections.abc import Callable
from itertools import pairwise, product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from models.errors import BundleError, RecipeError
from models.layers.network import TableNetwork, network_of, standardised
from models.networks.boltzmann import RestrictedBoltzmannMachine
from models.networks.deep_belief import DeepBeliefNetwork
from models.networks.mixture_of_experts import MixtureOfExperts
from models.networks.stacked_autoencoder import DenoisingAutoEncoder, StackedAutoEncoder
from models.networks.table_cnn import TableCNN, places_of

NETWORKS: dict[str, Callable[[int, int], nn.Module]] = {
    "stacked_autoencoder": lambda n, out: StackedAutoEncoder(n, out, hidden=(9, 5)),
    "deep_belief": lambda n, out: DeepBeliefNetwork(n, out, hidden=(9, 7, 5)),
    "image": lambda n, out: TableCNN(n, out, filters=4, hidden=6),
    "matrix": lambda n, out: TableCNN(n * (n + 1) // 2, out, arrangement="matrix", filters=4, hidden=6),
    "mixture_of_experts": lambda n, out: MixtureOfExperts(n, out, experts=3, hidden=4),
}


def network(name: str, n_inputs: int = 20, n_outputs: int = 2) -> tuple[nn.Module, int]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        made = NETWORKS[name](n_inputs, n_outputs).eval()
    return made, n_inputs * (n_inputs + 1) // 2 if name == "matrix" else n_inputs


def table(rows: int, columns: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", NETWORKS)
@settings(max_examples=15, deadline=None)
@given(batch=st.integers(1, 9), n_inputs=st.integers(1, 40), outputs=st.integers(2, 4))
def test_gives_one_finite_logit_a_label(name: str, batch: int, n_inputs: int, outputs: int) -> None:
    made, columns = network(name, n_inputs, outputs)
    logits = made(table(batch, columns))
    assert logits.shape == (batch, outputs)
    assert logits.dtype == torch.float32
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize("name", NETWORKS)
def test_gradient_reaches_every_parameter_and_every_column_matters(name: str) -> None:
    made, columns = network(name)
    data = table(64, columns).requires_grad_()
    made(data)[:, 0].sum().backward()
    assert data.grad is not None
    assert (data.grad.abs().sum(dim=0) > 0).all()
    assert not [k for k, v in made.named_parameters() if v.grad is None or not v.grad.abs().sum()]


@pytest.mark.parametrize("name", NETWORKS)
def test_a_rows_logits_do_not_depend_on_its_batch(name: str) -> None:
    made, columns = network(name)
    rows = table(8, columns)
    others = 100 * table(8, columns, seed=1)
    others[5] = rows[5]
    with torch.inference_mode():
        assert torch.equal(made(others)[5], made(rows)[5])


@pytest.mark.parametrize("name", NETWORKS)
def test_dropout_works_in_training_and_rests_in_evaluation(name: str) -> None:
    made, columns = network(name)
    rows = table(8, columns)
    assert torch.equal(made(rows), made(rows))
    made.train()
    assert not torch.equal(made(rows), made(rows))


@pytest.mark.parametrize("value", [0, 2.5, True, 10**9])
def test_sizes_that_cannot_be_are_refused(value: object) -> None:
    makers = (StackedAutoEncoder, DeepBeliefNetwork, TableCNN, MixtureOfExperts)
    for maker, place in product(makers, range(2)):
        sizes = [3, 2]
        sizes[place] = value  # type: ignore[call-overload]
        with pytest.raises(RecipeError, match=r"n_(inputs|outputs) is .*; expected a whole number"):
            maker(*sizes)


def test_a_denoising_layer_hides_columns_in_training_only() -> None:
    torch.manual_seed(0)
    layer = nn.Linear(4, 3)
    coder = DenoisingAutoEncoder(layer, corruption=0.5)
    rows = table(6, 4)
    assert coder.encoder is layer
    assert coder(rows).shape == rows.shape
    assert not torch.equal(coder(rows), coder(rows))
    assert torch.equal(coder.eval()(rows), coder(rows))


def test_a_belief_network_begins_where_its_machines_ended() -> None:
    torch.manual_seed(0)
    machines = [RestrictedBoltzmannMachine(5, 4, gaussian=True), RestrictedBoltzmannMachine(4, 3)]
    made = DeepBeliefNetwork(5, 2, hidden=(4, 3))
    made.begin_from(machines)
    rows = table(6, 5)
    expected = machines[1].hidden(machines[0].hidden(rows))
    torch.testing.assert_close(made.features(rows), expected)


def test_connections_are_laid_out_as_the_matrix_they_came_from() -> None:
    matrix = np.random.default_rng(0).normal(size=(7, 7))
    matrix += matrix.T
    np.fill_diagonal(matrix, 0.0)
    upper = matrix[np.triu_indices(7, 1)]
    np.testing.assert_array_equal(np.append(upper, 0.0)[places_of(21, "matrix")], matrix)
    assert places_of(5, "image").tolist() == [[0, 1, 2], [3, 4, 5], [5, 5, 5]]
    with pytest.raises(RecipeError, match=r"22 columns .* e\.g\. 21 for 7 regions"):
        places_of(22, "matrix")
    with pytest.raises(RecipeError, match="Did you mean 'matrix'"):
        places_of(21, "matrx")


def test_an_experts_word_counts_where_the_gate_trusts_it() -> None:
    made, _ = network("mixture_of_experts")
    assert isinstance(made, MixtureOfExperts)
    rows = table(6, 20)
    shares = made(rows).exp().sum(dim=1)
    torch.testing.assert_close(shares, torch.ones(6))  # log probabilities of a mixture
    with torch.no_grad():
        made.gate.bias.copy_(torch.tensor([0.0, 1000.0, 0.0]))
        units = torch.tanh(made.hidden(rows)).unflatten(1, (3, 4))[:, 1]
        alone = torch.log_softmax(units @ made.head_weight[1] + made.head_bias[1], dim=1)
        torch.testing.assert_close(made(rows), alone)


def drawn(rng: np.random.Generator, sizes: tuple[int, ...], bends: tuple[str, ...]) -> TableNetwork:
    layers = [(rng.normal(size=(a, b)), rng.normal(size=b)) for a, b in pairwise(sizes)]
    return network_of(layers, bends)


def test_a_first_layer_takes_the_standard_in() -> None:
    rng = np.random.default_rng(0)
    one = drawn(rng, (3, 2), ("none",))
    mean, scale = rng.normal(size=3), rng.uniform(0.1, 5, 3)
    X = rng.normal(size=(5, 3))
    raw = network_of([standardised(*one.layers()[0], mean, scale)], ("none",))
    np.testing.assert_allclose(raw(X), one((X - mean) / scale), atol=1e-12)


def test_a_damaged_network_is_refused() -> None:
    with pytest.raises(BundleError, match=r"has 7 numbers and 1 bends; expected 8 and 1"):
        TableNetwork(np.zeros(7), (3, 2), ("none",))
    with pytest.raises(BundleError, match="Did you mean 'tanh'"):
        TableNetwork(np.zeros(8), (3, 2), ("tan",))
