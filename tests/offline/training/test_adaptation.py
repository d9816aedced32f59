"""A model moved to one person: what may move, what must not, and when nothing does."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from models.arrays import Floats
from models.errors import RecipeError
from models.networks import LIKENESS
from models.networks.last_layer import last_layers
from models.networks.registry import MODELS, make_model
from offline.base.sample_table import SampleTable
from offline.training import adaptation as module
from offline.training.adaptation import Adapted, adapt, blocks_of
from offline.training.temperature import logits_of

LABELS = ("a", "b")
Person = tuple[npt.NDArray[np.float32], npt.NDArray[np.int64], npt.NDArray[np.int64]]
"""Windows, labels, blocks."""


def _ridge(weight: float = 1.0) -> nn.Module:
    """Tells labels by the mean of the first channel."""
    model = make_model("ridge", {}, n_chans=3, n_times=8, n_outputs=2).eval()
    (layer,) = last_layers(model)
    new = np.zeros((10, 1))
    new[0] = weight
    layer.put(new)
    return model


def _person(seed: int, sign: float = 1.0, shift: float = 0.0, blocks: int = 12, windows: int = 8) -> Person:
    """Windows whose first channel has mean +-1 and the person's shift, in blocks that are alike within."""
    rng = np.random.default_rng(seed)
    block = np.repeat(np.arange(blocks), windows)
    y = (block % 2).astype(np.int64)
    own = 0.3 * rng.standard_normal((blocks, 3))[block]
    own[:, 0] += sign * (2.0 * y - 1.0) + shift
    X = own[:, :, None] + 0.3 * rng.standard_normal((len(y), 3, 8))
    return X.astype(np.float32), y, block


def _adapted(model: nn.Module, person: Person, temperature: float = 1.0) -> Adapted:
    X, y, block = person
    return adapt(model, X, y, block, labels=LABELS, temperature=temperature)


def _loss(model: nn.Module, person: Person) -> float:
    X, y, _ = person
    return float(module._losses(logits_of(model, X).astype(np.float64), y).mean())


@pytest.mark.parametrize(("sign", "shift"), [(1.0, 3.0), (-1.0, 0.0), (-1.0, -2.0)])
def test_a_person_who_differs_is_met(sign: float, shift: float) -> None:
    model = _ridge()
    adapted = _adapted(model, _person(1, sign, shift))
    unseen = _person(2, sign, shift)
    assert adapted.moved
    assert adapted.after < adapted.before
    assert _loss(adapted.network, unseen) < 0.5 * _loss(model, unseen)


def test_the_old_model_stays_as_it_is() -> None:
    model = _ridge()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    assert _adapted(model, _person(1, -1.0)).moved
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


@given(seed=st.integers(0, 2**32))
@settings(max_examples=15, deadline=None)
def test_where_nothing_is_gained_on_held_out_blocks_nothing_moves(seed: int) -> None:
    rng = np.random.default_rng(seed)
    X, y, block = _person(seed)
    model = _ridge(float(rng.uniform(1, 6)))
    person = X, rng.permutation(y.reshape(12, -1)).ravel(), block  # labels that tell nothing
    adapted = _adapted(model, person)
    if adapted.moved:
        assert adapted.after < adapted.before
    else:
        assert adapted.after == adapted.before
        np.testing.assert_array_equal(logits_of(adapted.network, X), logits_of(model, X))


def test_the_farther_weights_may_move_the_farther_they_do() -> None:
    X, y, block = _person(4, -1.0)
    features, old = X.mean(axis=2).astype(np.float64), np.array([[1.0], [0.0], [0.0], [0.0]])

    def step(move: float) -> Floats:
        return module._fit(features, y, module._weights(y, block), old, move) - old

    sizes = [float(np.abs(step(move)[:-1]).max()) for move in (1e-4, 0.1, 0.3, 1.0, 3.0)]
    assert sizes == sorted(sizes)
    assert sizes[0] < 1e-6


def test_the_slope_of_what_is_minimised_is_right() -> None:
    """At the least of a convex function nothing near is lower; of one column and of several."""
    X, y, block = _person(5, 1.0, 1.0)
    features = X.mean(axis=2).astype(np.float64)
    rng = np.random.default_rng(0)
    for columns in (1, 2, 3):
        old = rng.normal(size=(4, columns))
        weight = module._weights(y, block)

        def value(weights: Floats, old: Floats = old, weight: Floats = weight) -> float:
            prior = module._prior(features, weight, old, 1.0)
            each = module._losses(module._logits(features, weights), y)
            return float(weight @ each + 0.5 * (prior * (weights - old) ** 2).sum())

        best = module._fit(features, y, weight, old, 1.0)
        least = value(best)
        assert all(value(best + 1e-2 * rng.normal(size=old.shape)) > least for _ in range(20))


def test_a_block_counts_once_however_many_windows_it_has() -> None:
    X, y, block = _person(6, -1.0)
    often = np.repeat(np.arange(len(y)), np.where(block == 3, 5, 1))
    one, other = _adapted(_ridge(), (X, y, block)), _adapted(_ridge(), (X[often], y[often], block[often]))
    np.testing.assert_allclose(logits_of(one.network, X), logits_of(other.network, X), atol=1e-2)


def test_the_temperature_is_taken_into_account() -> None:
    """The same model in other units is adapted to the same probabilities."""
    person = _person(7, -1.0)
    one, other = _adapted(_ridge(1.0), person), _adapted(_ridge(5.0), person, temperature=5.0)
    np.testing.assert_allclose(
        logits_of(other.network, person[0]) / 5.0, logits_of(one.network, person[0]), atol=1e-3
    )


@pytest.mark.parametrize("name", MODELS)
def test_every_model_that_a_bundle_may_hold_can_be_moved(name: str) -> None:
    torch.manual_seed(0)
    params = {"pairs": [[0, 2]], "others": [[0, 1], [1, 2]]} if name == LIKENESS else {}
    model = make_model(name, params, n_chans=3, n_times=8, n_outputs=2).eval()
    follows = 10.0 if name == LIKENESS else 0.0
    own, later = (_smooth(_person(seed), follows=follows) for seed in (8, 9))
    adapted = _adapted(model, own)
    assert adapted.moved
    assert _loss(adapted.network, later) < _loss(model, later)


def _smooth(person: Person, *, follows: float = 0.0) -> Person:
    """The same, where one label's last channel wanders (memory sees that), or follows the first."""
    X, y, block = person
    wandering = X.copy()
    wandering[y == 1, 2] = np.cumsum(X[y == 1, 2], axis=1) + follows * X[y == 1, 0]
    return wandering, y, block


def test_too_few_blocks_and_models_without_a_last_layer_are_refused() -> None:
    with pytest.raises(RecipeError, match="2 blocks of every label or more; found 2 of 'a', 1 of 'b'"):
        _adapted(_ridge(), _person(1, blocks=3))
    with pytest.raises(RecipeError, match="Sequential has no last layer"):
        _adapted(nn.Sequential(nn.Flatten(), nn.Linear(24, 2)), _person(1))


def _table(start: list[float], target: list[int], recording: list[str] | None = None) -> SampleTable:
    n = len(start)
    names = np.array(recording or ["r"] * n)
    text = np.full(n, "p")
    times = np.array(start)
    return SampleTable(names, text, text, text, times, times + 4.0, np.array(target, dtype=np.int64))


def test_blocks_are_told_by_label_pause_and_recording() -> None:
    table = _table([0, 1, 2, 10, 11, 20, 21, 0, 1], [0, 0, 0, 0, 0, 1, 1, 1, 1], [*["r"] * 7, *["s"] * 2])
    assert blocks_of(table).tolist() == [0, 0, 0, 1, 1, 2, 2, 3, 3]


def test_blocks_do_not_depend_on_the_order_of_rows_and_a_lost_window_ends_none() -> None:
    start, target = [0.0, 1.0, 3.0, 20.0, 21.0], [0, 0, 0, 1, 1]
    whole, order = blocks_of(_table(start, target)), [3, 0, 4, 2, 1]
    assert whole.tolist() == [0, 0, 0, 1, 1]
    mixed = blocks_of(_table([start[i] for i in order], [target[i] for i in order]))
    assert mixed.tolist() == whole[order].tolist()
    assert blocks_of(_table([], [])).tolist() == []


def test_blocks_are_those_of_the_table_where_it_has_them() -> None:
    """Two blocks of one label that follow each other at once, and one of which the middle is lost."""
    table = _table([0, 1, 5, 6, 20, 40, 0], [0, 0, 0, 0, 1, 1, 1], [*["r"] * 6, "s"])
    numbered = replace(table, block=np.array([0, 0, 1, 1, 2, 2, 0]))
    assert blocks_of(numbered).tolist() == [0, 0, 1, 1, 2, 2, 3]
