"""A network that sees components: the map travels with the weights and changes nothing else."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from models.errors import RecipeError
from models.networks import VIRTUAL_PROBE
from models.networks.parts.projection import Projected
from models.networks.registry import NETWORKS, make_model

SIZES = {"n_chans": 6, "n_times": 35, "n_outputs": 2}


@pytest.mark.parametrize("name", [name for name in NETWORKS if name != VIRTUAL_PROBE])
def test_the_components_are_what_the_inner_network_sees(name: str, tmp_path: Path) -> None:
    network = make_model(name, {"components": 2}, **SIZES).eval()
    assert isinstance(network, Projected)
    weights = torch.randn(2, 6, generator=torch.Generator().manual_seed(0))
    network.components.copy_(weights)
    x = torch.randn(5, 6, 35, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        seen = torch.stack([weights @ window for window in x])
        assert torch.allclose(network(x), network.inner(seen), atol=1e-6)
    save_file(network.state_dict(), tmp_path / "weights.safetensors")
    other = make_model(name, {"components": 2}, **SIZES).eval()
    other.load_state_dict(load_file(tmp_path / "weights.safetensors"))
    with torch.inference_mode():
        assert torch.equal(other(x), network(x))


def test_they_are_not_learnt_and_not_more_than_there_are_channels() -> None:
    network = make_model("cgrnn", {"components": 3}, **SIZES)
    assert "components" not in dict(network.named_parameters())
    assert not isinstance(make_model("cgrnn", {}, **SIZES), Projected)
    with pytest.raises(RecipeError, match="components is 7, but a window has 6 channels"):
        make_model("cgrnn", {"components": 7}, **SIZES)
    with pytest.raises(RecipeError, match="components is 0"):
        make_model("cgrnn", {"components": 0}, **SIZES)
    with pytest.raises(RecipeError, match="has no parameter 'components'"):
        make_model(VIRTUAL_PROBE, {"components": 2}, **SIZES)  # they are nowhere on the head
