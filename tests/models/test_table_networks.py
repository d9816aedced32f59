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
from models.networks.boltzmann import RestrictedBoltzmannMachine
from models.networks.deep_belief import DeepBeliefNetwork
from models.networks.mixture_of_experts import MixtureOfExperts
from models.networks.stacked_autoencoder import DenoisingAutoEncoder, StackedAutoEncoder
from models.networks.table_cnn import TableCNN, places_of
from models.parts.fusion import MEMBERS, VoteFusion
from models.parts.network import BENDS, TableNetwork, network_of, side_by_side, standardised
from models.parts.packing import packed, unpacked
from models.parts.tree_bayes import TreeBayes

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


@pytest.mark.parametrize("gaussian", [False, True])
def test_free_energy_adds_up_over_all_hidden_states(gaussian: bool) -> None:
    """Against the definition: minus the log of the sum over hidden states of exp(-energy)."""
    torch.manual_seed(0)
    machine = RestrictedBoltzmannMachine(3, 4, gaussian=gaussian)
    with torch.no_grad():
        for parameter in machine.parameters():
            parameter.normal_()
        seen = table(5, 3)
        states = torch.tensor(list(product((0.0, 1.0), repeat=4)))
        links = seen @ machine.weight.T @ states.T + states @ machine.hidden_bias
        own = -0.5 * (seen - machine.visible_bias).square() if gaussian else seen * machine.visible_bias
        expected = -torch.logsumexp(own.sum(dim=1, keepdim=True) + links, dim=1)
        torch.testing.assert_close(machine.free_energy(seen), expected)
        # A hidden unit's probability is its mean over those states.
        torch.testing.assert_close(machine.hidden(seen), torch.softmax(links, dim=1) @ states)


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
    said = made(rows).exp().sum(dim=1)
    torch.testing.assert_close(said, torch.ones(6))  # log probabilities of a mixture
    with torch.no_grad():
        made.gate.bias.copy_(torch.tensor([0.0, 1000.0, 0.0]))
        units = torch.tanh(made.hidden(rows)).unflatten(1, (3, 4))[:, 1]
        alone = torch.log_softmax(units @ made.head_weight[1] + made.head_bias[1], dim=1)
        torch.testing.assert_close(made(rows), alone)


def drawn(rng: np.random.Generator, sizes: tuple[int, ...], bends: tuple[str, ...]) -> TableNetwork:
    layers = [(rng.normal(size=(a, b)), rng.normal(size=b)) for a, b in pairwise(sizes)]
    return network_of(layers, bends)


@given(st.integers(0, 10_000), st.sampled_from(sorted(BENDS)))
@settings(max_examples=15, deadline=None)
def test_networks_side_by_side_say_what_each_says(seed: int, bend: str) -> None:
    rng = np.random.default_rng(seed)
    pair = [drawn(rng, sizes, (bend, "none")) for sizes in ((3, 4, 2), (2, 5, 3))]
    columns = [np.array([4, 0, 2]), np.array([1, 3])]
    X = rng.normal(size=(6, 6))
    apart = np.concatenate([one(X[:, own]) for one, own in zip(pair, columns, strict=True)], axis=1)
    np.testing.assert_allclose(side_by_side(pair, columns, 6)(X), apart, atol=1e-12)


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


def test_a_tree_multiplies_what_its_tables_say() -> None:
    """Two binary columns, the second's bin given by the first's for one label only."""
    tables = np.log(
        [[[[0.5, 0.5]] * 2, [[0.5, 0.5]] * 2], [[[0.5, 0.5], [0.5, 0.5]], [[0.9, 0.1], [0.1, 0.9]]]]
    )
    tree = TreeBayes(np.zeros((2, 1)), np.array([-1, 0]), tables, np.log([0.25, 0.75]))
    found = np.exp(tree(np.array([[1.0, 1.0], [1.0, -1.0]])))
    np.testing.assert_allclose(found, [[0.25 * 0.25, 0.75 * 0.45], [0.25 * 0.25, 0.75 * 0.05]])


def test_a_fusion_weighs_votes_by_how_often_they_were_right() -> None:
    """Two members: the first is right nine times in ten, the second no better than chance."""
    member = network_of([(np.array([[-1.0, 1.0]]), np.zeros(2))], ("none",))
    numbers, members = packed([[member], [member]])
    confusion = np.log([[[0.9, 0.1], [0.1, 0.9]], [[0.5, 0.5], [0.5, 0.5]]])
    fused = VoteFusion(numbers, members, np.array([0, 1]), confusion, np.log([0.5, 0.5]))
    odds = np.diff(fused(np.array([[1.0, -1.0], [-1.0, -1.0]])), axis=1)
    np.testing.assert_allclose(odds, np.log([[9.0], [1 / 9.0]]))
    assert isinstance(unpacked(numbers, members, MEMBERS)[0][0], TableNetwork)
    with pytest.raises(BundleError, match="needs 4 numbers and has 3"):
        unpacked(numbers[:-1], members, MEMBERS)
    members[1][0]["kind"] = "TableNetwerk"
    with pytest.raises(BundleError, match="Did you mean 'TableNetwork'"):
        unpacked(numbers, members, MEMBERS)
