"""Maps find what was put there, keep their laws, and are not believed when training changes nothing."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from models.errors import RecipeError
from models.networks.registry import make_model
from offline.explain.gradients import guided, integrated_gradients
from offline.explain.maps import METHODS, explain
from offline.explain.margin import Margin, predicted
from offline.explain.occlusion import occlude
from offline.explain.over_folds import put_together
from offline.explain.sanity import likeness, stability, with_new_weights
from offline.recordings import read_recording
from offline.report.maps import draw_explanation
from offline.samples.channels import choose_channels
from offline.samples.recipe import load_recipe
from offline.samples.recipe_sections import Training
from offline.training.fit import fit_network
from realtime.pipeline import Pipeline

PLACES = (0, 1, 2, 3, 0, 1, 2, 3)  # HbO of four places, then HbR
TELLING = 2


def telling_windows(n: int = 240, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Only place 2, and only the last third of the window, says the label."""
    rng = np.random.default_rng(seed)
    y = (np.arange(n) % 2).astype(np.int64)
    X = rng.normal(size=(n, 8, 30)).astype(np.float32)
    X[:, TELLING, 20:] += (2.0 * y - 1.0)[:, None]
    X[:, TELLING + 4, 20:] -= (2.0 * y - 1.0)[:, None]
    return X, y


@pytest.fixture(scope="module")
def network() -> nn.Module:
    X, y = telling_windows()
    rows = np.arange(200), np.arange(200, 240)
    asked = Training(epochs=15, learning_rate=1e-2, batch_size=32)
    return fit_network(X, y, *rows, name="cgrnn", params={}, n_outputs=2, settings=asked, seed=1).network


@pytest.mark.parametrize("method", METHODS)
def test_every_method_finds_the_place_and_the_time(network: nn.Module, method: str) -> None:
    X, _ = telling_windows(80, seed=1)
    (found,) = explain(network, X, PLACES, 10.0, methods=[method], seed=0)
    assert set(np.argsort(found["channels"])[-2:]) == {TELLING, TELLING + 4}
    assert np.mean(found["times"][18:]) > 2 * np.mean(found["times"][:12])
    assert found["windows"] == 80
    if (
        method != "guided"
    ):  # which multiplies by the window, and here shows it even without training: the report says so
        assert found["like_untrained"] < 0.7
    again = explain(network, X, PLACES, 10.0, methods=[method], seed=0)[0]
    assert again == found


@given(seed=st.integers(0, 2**31), name=st.sampled_from(["cgrnn", "lstm", "cnn_lstm"]))
@settings(deadline=None, max_examples=15)
def test_integrated_gradients_add_up_to_the_margin(seed: int, name: str) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = make_model(name, {}, n_chans=8, n_times=30, n_outputs=3).eval()
    X = np.random.default_rng(seed).normal(size=(5, 8, 30)).astype(np.float32)
    label = predicted(network, X)
    with torch.inference_mode():
        wanted = torch.from_numpy(label)
        gone = Margin(network)(torch.zeros(5, 8, 30), wanted)
        change = (Margin(network)(torch.from_numpy(X), wanted) - gone).numpy()
    total = integrated_gradients(network, X, label).sum(axis=(1, 2))
    assert total == pytest.approx(change, abs=5e-3)


def test_the_margin_of_two_labels_is_their_difference(network: nn.Module) -> None:
    X, y = telling_windows(6)
    with torch.inference_mode():
        logits = network(torch.from_numpy(X)).numpy()
        margin = Margin(network)(torch.from_numpy(X), torch.from_numpy(y)).numpy()
    assert margin == pytest.approx(np.where(y == 1, 1, -1) * (logits[:, 1] - logits[:, 0]), abs=1e-5)


def test_hiding_all_of_the_only_place_costs_what_an_empty_window_costs(network: nn.Module) -> None:
    X, y = telling_windows(10)
    fall = occlude(network, X, y, (0,) * 8, stretch=30)
    with torch.inference_mode():
        wanted = torch.from_numpy(y)
        whole, empty = (Margin(network)(torch.from_numpy(w), wanted).numpy() for w in (X, 0 * X))
    assert fall == pytest.approx(np.broadcast_to((whole - empty)[:, None, None], X.shape), abs=1e-5)
    alone = occlude(network, X[3:4], y[3:4], PLACES, stretch=10)
    assert alone == pytest.approx(occlude(network, X, y, PLACES, stretch=10)[3:4], abs=1e-5)


def test_guiding_needs_a_rectifier_and_is_not_the_plain_gradient(network: nn.Module) -> None:
    X, y = telling_windows(10)
    lstm = make_model("lstm", {}, n_chans=8, n_times=30, n_outputs=2).eval()
    with pytest.raises(RecipeError, match="has none"):
        guided(lstm, X, y)
    windows = torch.from_numpy(X).requires_grad_(True)
    Margin(network)(windows, torch.from_numpy(y)).sum().backward()
    assert windows.grad is not None
    assert not np.allclose(guided(network, X, y), (windows.grad * windows).detach().numpy())
    module = nn.Sequential(nn.Flatten(), nn.Linear(240, 5), nn.ReLU(), nn.Linear(5, 2)).eval()
    assert np.isfinite(guided(module, X, y)).all()  # a rectifier that is a module is met too


def test_new_weights_are_new_everywhere_and_leave_the_network_as_it_was(network: nn.Module) -> None:
    before = {name: value.clone() for name, value in network.state_dict().items()}
    other = with_new_weights(network, 3)
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert all(not torch.equal(before[name], value) for name, value in other.state_dict().items())
    same = with_new_weights(network, 3).state_dict()
    assert all(torch.equal(same[name], value) for name, value in other.state_dict().items())


@given(st.lists(st.floats(0.01, 9.0), min_size=4, max_size=12, unique=True))
def test_likeness_is_of_ranks_and_stability_of_pairs(values: Sequence[float]) -> None:
    one = np.array(values)
    assert likeness(one, 3 * one**2) == pytest.approx(1.0)
    assert likeness(one, -one) == pytest.approx(1.0)  # how much, not which way
    assert likeness(one, 1 / one) == pytest.approx(-1.0)
    assert likeness(one, np.ones(len(one))) == 0.0
    assert stability([one]) is None
    assert stability([one, one, one]) == pytest.approx(1.0)
    assert stability([one, 1 / one]) == pytest.approx(-1.0)


def test_folds_count_the_same_and_a_map_like_an_untrained_one_is_not_believed() -> None:
    def fold(channels: list[float], alike: float) -> list[dict[str, object]]:
        its = {"method": "guided", "channels": channels, "times": [1.0, 3.0], "windows": 9}
        return [its | {"like_untrained": alike}]

    names = ["A HbO", "B HbO", "A HbR", "B HbR"]
    both = {"one": fold([8, 0, 2, 0], 0.9), "two": fold([0, 100, 0, 300], 0.8)}
    found = put_together(both, names, (0, 1, 0, 1))["guided"]
    assert found["channels"] == pytest.approx([0.4, 0.125, 0.1, 0.375])
    assert found["times"] == pytest.approx([0.25, 0.75])
    assert not found["believed"]
    assert found["foremost"] == {"A HbO": 1.0, "B HbO": 1.0}
    assert put_together({}, names, (0, 1, 0, 1)) == {}


def test_a_map_is_drawn_on_a_real_probe(data_dir: Path, tmp_path: Path) -> None:
    path = sorted((data_dir / "fnirs/homer3_tapping").rglob("*.nirs"))[0]
    recipe = load_recipe("tapping")
    spec, _ = choose_channels([(path.name, read_recording(path).spec)], recipe.input, recipe.kinds)
    behind = Pipeline(recipe.pipeline, spec).spec_out
    share = np.arange(1.0, len(behind) + 1)
    its = {
        "shows": "a test",
        "folds": 3,
        "channels": (share / share.sum()).tolist(),
        "times": [1 / 35] * 35,
        "stability": {"channels": 0.5},
        "like_untrained": 0.1,
        "believed": True,
    }
    figure = draw_explanation("occlusion", its, behind, 5.0)
    assert [axes.get_title() for axes in figure.axes[:3]] == ["HbO", "HbR", "within the window"]
    assert "depends on what was learnt" in figure._suptitle.get_text()  # type: ignore[attr-defined]
    assert len(figure.axes[0].collections[0].get_offsets()) == len(behind) // 2
    figure.savefig(tmp_path / "map.png")
    assert (tmp_path / "map.png").stat().st_size > 10_000
