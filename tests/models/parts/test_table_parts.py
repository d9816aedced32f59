"""Parts of tables: what damaged ones say, and what ensembles make of opinions."""

import json

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from models.errors import BundleError
from models.parts import from_arrays, to_arrays
from models.parts.columns import SelectColumns, Standardise
from models.parts.ensemble import Ensemble, combined, ensemble_of
from models.parts.kernel import KernelMachine, squared_distances
from models.parts.layers import Layer, Linear, logits_of
from models.parts.packing import run
from models.parts.prototypes import Neighbours, Prototypes
from models.parts.trees import Trees
from models.probabilities import probabilities


def linear(seed: int) -> Linear:
    rng = np.random.default_rng(seed)
    return Linear(rng.normal(size=(2, 3)), rng.normal(size=3))


CHAINS = [
    [Standardise(np.ones(4), np.full(4, 2.0)), SelectColumns(np.array([3, 0])), linear(0)],
    [SelectColumns(np.array([1, 2])), Layer(np.eye(2), np.zeros(2), "tanh"), linear(1)],
]


@pytest.mark.parametrize("how", ["log odds", "probability", "majority"])
def test_an_ensemble_holds_its_chains_in_one_array(how: str) -> None:
    X = np.random.default_rng(2).normal(size=(6, 4))
    expected = combined([run(chain, X) for chain in CHAINS], how)
    part = ensemble_of(CHAINS, how)
    arrays, settings = to_arrays(part)
    assert set(arrays) == {"numbers"}
    again = from_arrays(Ensemble, arrays, json.loads(json.dumps(settings)))
    np.testing.assert_array_equal(again(X), expected)
    # An ensemble is a part, so an ensemble may hold it.
    np.testing.assert_allclose(ensemble_of([[part]], "probability")(X), probabilities_log(expected))


def probabilities_log(logits: np.ndarray) -> np.ndarray:
    return np.asarray(np.log(probabilities(logits)))


def test_opinions_are_put_together_as_said() -> None:
    sure, unsure = np.array([[0.0, 4.0]]), np.array([[1.0, 0.0]])
    odds = [float(np.diff(combined([sure, unsure, unsure], how))[0, 0]) for how in ("log odds", "majority")]
    assert odds[0] == pytest.approx((4 - 1 - 1) / 3)
    assert odds[1] < 0  # two against one
    mean = np.mean([probabilities(one) for one in (sure, unsure, unsure)], axis=0)
    np.testing.assert_allclose(np.exp(combined([sure, unsure, unsure], "probability")), mean)
    # With as many votes, the surer side wins; and a constant added to a member's logits says nothing.
    assert combined([sure, unsure], "majority").argmax() == 1
    np.testing.assert_allclose(
        combined([sure + 100, unsure], "log odds"), combined([sure, unsure - 3], "log odds")
    )


def test_damage_is_seen() -> None:
    part = ensemble_of(CHAINS)
    arrays, settings = to_arrays(part)
    short = from_arrays(Ensemble, {"numbers": arrays["numbers"][:-3]}, settings)
    with pytest.raises(BundleError, match="needs 3 numbers and has 0; the bundle is damaged"):
        short(np.zeros((1, 4)))
    other = json.loads(json.dumps(settings).replace('"Layer"', '"Layr"'))
    with pytest.raises(BundleError, match="Did you mean 'Layer'"):
        from_arrays(Ensemble, arrays, other)(np.zeros((1, 4)))
    with pytest.raises(BundleError, match="Known: log odds, majority, probability"):
        ensemble_of(CHAINS, "loudest")
    with pytest.raises(BundleError, match="bend is 'step'"):
        Layer(np.eye(2), np.zeros(2), "step")


def test_a_tree_that_would_never_end_is_refused() -> None:
    def tree(left: int, right: int) -> Trees:
        return Trees(
            np.array([0]),
            np.array([0, -1, -1]),
            np.zeros(3),
            np.array([left, -1, -1]),
            np.array([right, -1, -1]),
            np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]),
            np.zeros(2),
            0.0,
        )

    np.testing.assert_array_equal(tree(1, 2)(np.array([[0.0], [1.0]])), [[1, 0], [0, 1]])
    for left, right in ((0, 2), (1, 0), (1, 3)):
        with pytest.raises(BundleError, match="do not stand after their parents"):
            tree(left, right)


def test_distances_far_from_zero_keep_their_digits() -> None:
    rng = np.random.default_rng(3)
    X, others = rng.normal(size=(5, 3)) + 1e6, rng.normal(size=(4, 3)) + 1e6
    np.testing.assert_allclose(squared_distances(X, others), cdist(X, others) ** 2, rtol=1e-6)


def test_a_machine_without_vectors_gives_its_bias() -> None:
    part = KernelMachine(np.zeros((0, 3)), np.zeros((0, 2)), np.array([1.0, -1.0]), 0.5)
    np.testing.assert_array_equal(part(np.ones((2, 3))), [[1, -1], [1, -1]])


def test_prototypes_and_neighbours_by_hand() -> None:
    part = Prototypes(np.array([[0.0], [3.0]]), np.array([0, 1]), 4.0)
    logits = part(np.array([[1.0], [1.5]]))
    assert logits[0, 1] - logits[0, 0] == pytest.approx(8.0 * (1 - 4) / (1 + 4))
    assert logits[1, 1] == pytest.approx(logits[1, 0])
    near = Neighbours(np.array([[0.0], [1.0], [2.0], [9.0]]), np.array([0, 0, 1, 1]), 3, 2)
    np.testing.assert_allclose(np.exp(near(np.array([[1.0]]))), [[2.5 / 4, 1.5 / 4]])


def test_one_column_of_odds_is_shared_by_two_logits() -> None:
    np.testing.assert_array_equal(np.diff(logits_of(np.array([[3.0], [-1.0]]))), [[3.0], [-1.0]])
    three = np.arange(6.0).reshape(2, 3)
    assert logits_of(three) is three
