"""A network that knows where channels are is told so where it is fitted, and its bundle keeps it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models.bundle import read_bundle
from models.errors import RecipeError, SignalError
from models.networks.registry import make_model
from models.networks.virtual_probe import VirtualProbe
from offline.samples.recipe_sections import Training
from offline.training.fit import fit_network
from offline.training.placement import place_on
from offline.training.train import train
from realtime.signal import Channel, Kind, SignalSpec
from realtime.stages.homologues import Homologues
from tests.offline.support import task_cohort, task_recipe


def montage(half: int, seed: int, origin: float = 0.0) -> SignalSpec:
    """A montage of its own: HbO and HbR at drawn places of the left and their mirror images."""
    rng = np.random.default_rng(seed)
    places = [(-abs(x) - 0.02, y, z) for x, y, z in 0.04 * rng.standard_normal((half, 3))]
    places += [(-x, y, z) for x, y, z in places]
    return SignalSpec(
        tuple(
            Channel(
                name=f"S{i}_D{i} {kind}", kind=kind, unit="mol/L", source=i, detector=i,
                position=(float(x + origin), float(y), float(z)),
            )
            for i, (x, y, z) in enumerate(places, 1)
            for kind in (Kind.HBO, Kind.HBR)
        ),
        5.0,
    )  # fmt: skip


def flat(spec: SignalSpec) -> SignalSpec:
    """The same, drawn in one plane: not head coordinates."""
    return replace(
        spec, channels=tuple(replace(c, position=(*c.position[:2], 0.0)) for c in spec.channels if c.position)
    )


def probe(spec: SignalSpec) -> VirtualProbe:
    made = make_model("virtual_probe", {}, n_chans=len(spec), n_times=20, n_outputs=2)
    assert isinstance(made, VirtualProbe)
    return made


def test_positions_are_taken_from_the_midline_wherever_a_drawing_has_its_origin() -> None:
    drawings = [flat(montage(5, 0, origin)) for origin in (0.0, 0.13)]
    one, other = map(probe, drawings)
    place_on(one, drawings[0])
    place_on(other, drawings[1])
    torch.testing.assert_close(one.position, other.position, rtol=0, atol=1e-6)
    assert one.kind.tolist() == [0, 1] * 10


def test_what_has_no_place_is_refused() -> None:
    spec = montage(2, 0)
    with pytest.raises(RecipeError, match="must be told which channels"):
        place_on(probe(spec), None)
    with pytest.raises(SignalError, match="'virtual_probe' needs every channel's position: 1 of 8"):
        place_on(
            probe(spec),
            replace(spec, channels=(replace(spec.channels[0], position=None), *spec.channels[1:])),
        )
    light = replace(spec.channels[0], kind=Kind.INTENSITY, unit="V", wavelength=760.0)
    with pytest.raises(RecipeError, match=r"takes hbo, hbr, hbt, bold; 1 of 1 channels are others"):
        place_on(probe(spec.pick([0])), SignalSpec((light,), 5.0))
    differences = Homologues(spec).spec_out
    with pytest.raises(RecipeError, match="Leave the stage 'homologues' out"):
        place_on(probe(differences), differences)


def heads(spec: SignalSpec, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Windows of a head of which one side, the label, is raised around one spot; any montage may look."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    where = np.array([channel.position for channel in spec.channels])
    side = np.where(y == 1, 1.0, -1.0)[:, None]
    spot = np.exp(-((where[:, 0] * side - 0.05) ** 2 + where[:, 1] ** 2 + where[:, 2] ** 2) / (2 * 0.04**2))
    X = rng.normal(size=(n, len(spec), 20)) + 2.0 * spot[:, :, None]
    return X.astype(np.float32), y.astype(np.int64)


def test_what_was_learnt_on_one_montage_holds_on_another() -> None:
    here, elsewhere = montage(8, 1), montage(5, 2)
    X, y = heads(here, 240, 0)
    fitted = fit_network(
        X, y, np.arange(200), np.arange(200, 240), name="virtual_probe", params={}, n_outputs=2,
        settings=Training(epochs=15, learning_rate=5e-3), seed=0, behind=here,
    )  # fmt: skip
    moved = probe(elsewhere)
    learnt = {k: v for k, v in fitted.network.state_dict().items() if k not in ("position", "kind")}
    moved.load_state_dict(learnt, strict=False)
    place_on(moved, elsewhere)
    X, y = heads(elsewhere, 400, 1)
    with torch.inference_mode():
        right = moved.eval()(torch.from_numpy(X)).argmax(dim=1).numpy() == y
    assert right.mean() > 0.85


def test_a_bundle_keeps_where_its_channels_are(tmp_path: Path) -> None:
    recipe = task_recipe(
        model={"kind": "virtual_probe"}, training={"epochs": 2}, policy={"min_channels": 0.5}
    )
    out = train(task_cohort(tmp_path, people=2, sessions=1), recipe, tmp_path / "bundle", seed=1)
    bundle = read_bundle(tmp_path / "bundle", out.hash)
    network = bundle.network
    assert isinstance(network, VirtualProbe)
    assert len(network.position) == bundle.card.model.n_chans
    assert network.kind.unique().tolist() == [0, 1]
    assert network.position.abs().max() > 0.01
