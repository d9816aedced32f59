"""Fitting through skorch: reproducible to the bit, stopping when it should, failing in words."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import RecipeError
from models.probabilities import probabilities
from offline.estimators.baselines import DEFAULT_STRENGTH, fit_by_time, fit_linear, majority, window_features
from offline.samples.recipe_sections import Training
from offline.training.augmentation import Augmentation
from offline.training.fit import FittedNetwork, fit_network
from offline.training.temperature import fit_temperature, logits_of


def _windows(n: int = 120, effect: float = 1.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    X = rng.normal(size=(n, 3, 14)).astype(np.float32)
    X[y == 1, 0] += effect
    return X, y.astype(np.int64)


def _fit(X: np.ndarray, y: np.ndarray, seed: int = 7, spared: int = 40, **asked: object) -> FittedNetwork:
    train = np.arange(len(y) - spared)
    validation = np.arange(len(y) - spared, len(y))
    params = {"filters": 4, "hidden": 4}
    settings = Training(**asked)  # type: ignore[arg-type]
    return fit_network(
        X,
        y,
        train,
        validation,
        name="cgrnn",
        params=params,
        n_outputs=2,
        settings=settings,
        seed=seed,
        augment=Augmentation(settings, range(X.shape[1]), rate=5.0),
    )


def _same(a: FittedNetwork, b: FittedNetwork) -> bool:
    pairs = zip(a.network.state_dict().values(), b.network.state_dict().values(), strict=True)
    return all(torch.equal(one, other) for one, other in pairs)


def test_same_seed_same_bits_whatever_was_drawn_before() -> None:
    X, y = _windows()
    first = _fit(X, y, epochs=3)
    torch.rand(5)
    before = torch.random.get_rng_state()
    again = _fit(X, y, epochs=3)
    assert _same(first, again)
    assert first.history == again.history
    assert torch.equal(before, torch.random.get_rng_state())  # and the caller's own draws go on undisturbed
    assert not torch.are_deterministic_algorithms_enabled()
    assert not _same(first, _fit(X, y, seed=8, epochs=3))


def test_class_weights_let_a_rare_label_weigh_as_much() -> None:
    """Where nothing can be known, the probabilities are the weights' and not how common the labels are."""
    X, _ = _windows(400, effect=0.0)
    y = (np.arange(400) % 10 == 0).astype(np.int64)
    rare = {}
    for weighted in ("balanced", "none"):
        fitted = _fit(X, y, spared=100, epochs=15, patience=15, learning_rate=1e-2, class_weights=weighted)
        rare[weighted] = probabilities(logits_of(fitted.network, X), 1.0)[:, 1].mean()
    assert rare["balanced"] == pytest.approx(0.5, abs=0.12)
    assert rare["none"] == pytest.approx(0.1, abs=0.06)


def test_it_learns_what_is_there_and_calibrates_it() -> None:
    X, y = _windows(300, effect=2.0)
    fitted = _fit(X, y, spared=100, epochs=30, learning_rate=1e-2)
    logits = logits_of(fitted.network, X[200:])
    assert np.mean(logits.argmax(axis=1) == y[200:]) > 0.9
    assert not fitted.network.training
    scores = probabilities(logits, fit_temperature(logits, y[200:]))
    assert np.allclose(scores.sum(axis=1), 1.0)


def test_early_stopping_keeps_the_best_epoch_and_grants_the_least() -> None:
    X, y = _windows(effect=0.0)  # noise: validation loss must soon grow
    fitted = _fit(X, y, epochs=200, patience=3, min_epochs=12, learning_rate=0.02)
    assert fitted.stopped_early
    assert 12 <= len(fitted.history) < 200
    losses = [row["valid_loss"] for row in fitted.history]
    assert losses[fitted.best_epoch - 1] == min(losses)
    kept = torch.nn.functional.cross_entropy(
        torch.from_numpy(logits_of(fitted.network, X[80:])), torch.from_numpy(y[80:])
    )
    assert float(kept) == pytest.approx(min(losses), abs=1e-5)


def test_without_validation_every_epoch_is_run() -> None:
    X, y = _windows(6)
    fitted = _fit(X, y, spared=0, epochs=4)
    assert len(fitted.history) == 4 == fitted.best_epoch
    assert "valid_loss" not in fitted.history[0]


def test_one_label_alone_does_not_crash() -> None:
    X, y = _windows(8)
    assert len(_fit(X, np.zeros_like(y), spared=0, epochs=1).history) == 1


def test_what_cannot_be_fitted_is_said() -> None:
    X, y = _windows(10)
    with pytest.raises(RecipeError, match="no window to train on"):
        _fit(X, y, spared=10)
    X[0, 0, 0] = np.inf
    with pytest.raises(RecipeError, match="learning rate"):
        _fit(X, y, spared=0)


def test_ctrl_c_ends_the_training_for_good() -> None:
    X, y = _windows()

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit_network(
            X,
            y,
            np.arange(80),
            np.arange(80, 120),
            name="lstm",
            params={},
            n_outputs=2,
            settings=Training(),
            seed=0,
            on_epoch=interrupt,
        )


def test_temperature_finds_the_scale_of_the_logits() -> None:
    rng = np.random.default_rng(0)
    true = rng.normal(size=(20_000, 2)) * 2
    y = (rng.random(len(true)) < probabilities(true.astype(np.float32))[:, 1]).astype(np.int64)
    assert fit_temperature((true * 3).astype(np.float32), y) == pytest.approx(3.0, rel=0.1)


def test_features_are_mean_slope_and_spread() -> None:
    ramp = np.linspace(-1, 1, 8, dtype=np.float32)
    features = window_features(np.stack([np.stack([ramp + 5, np.full(8, 2, np.float32)])]))
    assert features[0, :2] == pytest.approx([5, 2])
    assert features[0, 2:4] == pytest.approx([2, 0], abs=1e-6)
    assert features[0, 4:] == pytest.approx([ramp.std(), 0], abs=1e-6)


def test_the_clock_alone_tells_blocks_that_come_at_the_same_times_and_nothing_else() -> None:
    elapsed = np.tile(np.arange(120.0), 3)
    regular = (elapsed // 10 % 2).astype(np.int64)
    said = fit_by_time(elapsed, regular, np.arange(120.0), 2)
    assert np.mean(said.argmax(axis=1) == regular[:120]) > 0.95
    assert said.sum(axis=1) == pytest.approx(1.0)
    chance = np.random.default_rng(0).integers(0, 2, 360)
    said = fit_by_time(elapsed, chance, np.arange(120.0), 2)
    assert np.mean(said.argmax(axis=1) == np.random.default_rng(1).integers(0, 2, 120)) < 0.65
    assert fit_by_time(elapsed, regular, np.array([1e6]), 2) == pytest.approx(0.5)  # nothing is known then


def test_baselines_learn_from_training_alone() -> None:
    X, y = _windows(200, effect=2.0)
    group = np.repeat(["a", "b", "c", "d"], 50)
    model, strength = fit_linear(X, y, group)
    assert model.score(X, y) > 0.8
    assert strength > 0
    assert fit_linear(X, y, np.full(200, "a"))[1] == DEFAULT_STRENGTH
    prior = majority().fit(X[:3], np.array([0, 0, 1])).predict_proba(X)
    assert prior == pytest.approx(np.tile([2 / 3, 1 / 3], (200, 1)))


@given(share=st.floats(0.01, 0.99), pairs=st.integers(2, 8), seed=st.integers(0, 2**32))
@settings(deadline=None, max_examples=30)
def test_dropout_takes_whole_places_and_leaves_one(share: float, pairs: int, seed: int) -> None:
    places = [*range(pairs), *range(pairs)]  # HbO of all, then HbR
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        dropped = Augmentation(Training(channel_dropout=share), places, 5.0)(torch.ones(200, 2 * pairs, 5))
    kept = dropped[:, :, 0].numpy()
    np.testing.assert_array_equal(dropped.numpy(), np.repeat(kept[:, :, None], 5, axis=2))
    assert set(np.unique(kept)) <= {0.0, 1.0}
    np.testing.assert_array_equal(kept[:, :pairs], kept[:, pairs:])
    assert (kept.sum(axis=1) >= 2).all()
    expected = share - share**pairs / pairs  # one stays, whatever was drawn
    assert 1 - kept.mean() == pytest.approx(expected, abs=5 * np.sqrt(0.25 / (200 * pairs)))


def test_dropout_is_drawn_anew_reproducibly_and_changes_nothing_at_0() -> None:
    X, y = _windows()
    one, two = (_fit(X, y, epochs=2, channel_dropout=0.3) for _ in range(2))
    assert _same(one, two)
    assert not _same(one, _fit(X, y, epochs=2))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        drop = Augmentation(Training(channel_dropout=0.5), range(4), 5.0)
        windows = torch.ones(50, 4, 2)
        assert not torch.equal(drop(windows), drop(windows))
        assert Augmentation(Training(), range(4), 5.0)(windows) is windows


def test_dropout_teaches_to_predict_with_fewer_channels() -> None:
    """One channel that says all, another that says as much, more noisily: without the first, only a network
    that learnt to do without it uses the second."""
    rng = np.random.default_rng(3)
    y = (np.arange(400) % 2).astype(np.int64)
    X = rng.normal(size=(400, 2, 14)).astype(np.float32)
    X[:, 0] += 6 * y[:, None] - 3
    X[:, 1] += 2 * y[:, None] - 1
    without = X[300:].copy()
    without[:, 0] = 0.0
    right = {}
    for share in (0.0, 0.4):
        fitted = _fit(X, y, spared=100, epochs=12, patience=12, learning_rate=1e-2, channel_dropout=share)
        right[share] = np.mean(logits_of(fitted.network, without).argmax(axis=1) == y[300:])
    assert right[0.4] > 0.9
    assert right[0.4] >= right[0.0]


def test_dropout_of_the_only_place_is_refused_by_name() -> None:
    X, y = _windows(20)
    with pytest.raises(
        RecipeError, match=r"channel_dropout is 0\.2.*single source-detector pair \(1 channel\)"
    ):
        _fit(X[:, :1], y, spared=0, channel_dropout=0.2)
    with pytest.raises(RecipeError, match=r"single source-detector pair \(2 channels\)"):
        Augmentation(Training(channel_dropout=0.2), (0, 0), 5.0)


def test_components_are_those_of_the_training_windows_alone() -> None:
    """The first finds the direction in which training windows vary; spared windows do not move it."""
    X, y = _windows()
    rng = np.random.default_rng(1)
    direction = np.array([0.6, 0.0, 0.8], dtype=np.float32)
    X += 5 * rng.normal(size=(len(X), 1, X.shape[2])).astype(np.float32) * direction[:, None]
    asked = {"name": "cgrnn", "params": {"components": 1, "filters": 4, "hidden": 4}, "n_outputs": 2}
    rows = np.arange(80), np.arange(80, 120)
    fitted = fit_network(X, y, *rows, **asked, settings=Training(epochs=1), seed=0)  # type: ignore[arg-type]
    found = fitted.network.state_dict()["components"].numpy()
    assert found[0] == pytest.approx(direction, abs=0.05)
    X[80:] *= np.array([9.0, -3.0, 0.1], dtype=np.float32)[:, None]
    again = fit_network(X, y, *rows, **asked, settings=Training(epochs=1), seed=0)  # type: ignore[arg-type]
    np.testing.assert_array_equal(found, again.network.state_dict()["components"].numpy())


def test_without_early_stopping_all_epochs_are_run_and_the_last_is_kept() -> None:
    X, y = _windows(effect=0.0)
    stopped = _fit(X, y, epochs=12, patience=2, min_epochs=1, learning_rate=0.05)
    assert len(stopped.history) < 12
    whole = _fit(X, y, epochs=12, patience=2, min_epochs=1, learning_rate=0.05, early_stopping=False)
    assert len(whole.history) == whole.best_epoch == 12
    assert not whole.stopped_early
    assert "valid_loss" in whole.history[-1]  # it is reported, and not listened to
