"""A network a channel: the one that carries the label is found, within training alone."""

from pathlib import Path

import numpy as np
import pytest

from models.errors import RecipeError
from offline.evaluation.evaluate import evaluate
from offline.samples.recipe_sections import Training
from offline.training.single_channel import TOGETHER, Channels, fit_channels
from offline.training.temperature import logits_of
from offline.training.train import train
from tests.offline.support import group_recipe, task_cohort, task_recipe

SETTINGS = Training(epochs=12, min_epochs=2, patience=4, batch_size=32, learning_rate=1e-2)


def windows(channel: int | None, *, n_channels: int = 15, n: int = 240) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = np.arange(n) % 2
    X = rng.normal(size=(n, n_channels, 20)).astype(np.float32)
    if channel is not None:
        X[:, channel, 5:15] += (2.0 * y[:, None] - 1.0).astype(np.float32)
    return X, y


def fit(X: np.ndarray, y: np.ndarray, **options: object) -> Channels:
    values = {"params": {"filters": 6, "hidden": 6}, "n_outputs": 2, "settings": SETTINGS, "seed": 3}
    return fit_channels(X, y, np.arange(120), np.arange(120, 180), **(values | options))


@pytest.mark.parametrize("channel", [2, TOGETHER + 1])
def test_the_channel_with_the_label_is_the_best(channel: int) -> None:
    X, y = windows(channel)
    found = fit(X, y)
    assert found.best == channel
    assert found.ranking[0] == channel
    said = logits_of(found.networks[channel], X[180:, channel : channel + 1]).argmax(axis=1)
    assert (said == y[180:]).mean() > 0.9
    others = [
        logits_of(found.networks[c], X[180:, c : c + 1]).argmax(axis=1) for c in range(5) if c != channel
    ]
    assert np.mean([np.mean(each == y[180:]) for each in others]) < 0.7


def test_the_same_seed_gives_the_same_bits_and_rows_that_are_not_named_are_not_looked_at() -> None:
    X, y = windows(2)
    first = fit(X, y)
    X[180:] = 99.0
    second = fit(X, y)
    assert np.array_equal(first.loss, second.loss)
    for one, other in zip(first.networks, second.networks, strict=True):
        for name, value in one.state_dict().items():
            assert bool((value == other.state_dict()[name]).all())
    assert not np.array_equal(first.loss, fit(X, y, seed=4).loss)


def test_a_loss_that_is_not_finite_and_nothing_to_choose_by_are_refused() -> None:
    X, y = windows(None, n_channels=2)
    with pytest.raises(RecipeError, match="0 to choose the channel by"):
        fit_channels(X, y, np.arange(120), np.arange(0), params={}, n_outputs=2, settings=SETTINGS, seed=0)
    X[5] = np.inf
    with pytest.raises(RecipeError, match="expected finite"):
        fit(X, y)


def test_evaluation_names_the_channel_of_every_fold(tmp_path: Path) -> None:
    recipe = task_recipe(model={"kind": "cgrnn", "channels": "best", "params": {"filters": 4, "hidden": 4}})
    results = evaluate(task_cohort(tmp_path), recipe, tmp_path / "report", show=False)
    assert "cgrnn, best channel" in results.figures["conditions"]
    for fold in results.figures["folds"].values():
        how = fold["cgrnn, best channel"]
        assert how["channel"] == how["ranking"][0][0]
        assert len(how["ranking"]) == results.figures["channels"]
    with pytest.raises(RecipeError, match="can be evaluated, but a bundle"):
        train(tmp_path / "cohort.tsv", recipe, tmp_path / "bundle")


def test_only_the_cgrnn_has_this_form() -> None:
    with pytest.raises(RecipeError, match="'cgrnn' only"):
        group_recipe(model={"kind": "lstm", "channels": "best"})
