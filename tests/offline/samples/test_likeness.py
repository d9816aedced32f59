"""The model of likeness from recordings to a bundle that predicts."""

from pathlib import Path

import numpy as np
import pytest

from models.bundle import read_bundle
from models.errors import RecipeError
from offline.base.cohort import read_cohort
from offline.recordings import read_recording
from offline.samples.likeness import compared_channels
from offline.samples.recipe import Recipe, load_recipe, parse_recipe
from offline.samples.samples import collect
from offline.simulation.cohort import write_cohort
from offline.simulation.settings import Simulation
from offline.training.train import train
from realtime.inference import Inference
from realtime.rerun import predict_recording
from realtime.signal import Channel, Kind, Position, SignalSpec


def _spec(places: list[Position | None], kinds: list[Kind]) -> SignalSpec:
    named = enumerate((place, kind) for place in places for kind in kinds)
    return SignalSpec(
        tuple(
            Channel(name=f"ch{i}", kind=kind, unit="mol/L", source=i, detector=i, position=place)
            for i, (place, kind) in named
        ),
        5.0,
    )


def test_mirrored_channels_are_compared_with_all_others_of_their_kind() -> None:
    places: list[Position | None] = [(side * x, 0.0, 0.05) for x in (0.03, 0.06) for side in (-1, 1)]
    pairs, others = compared_channels(_spec(places, [Kind.HBO, Kind.HBR]))
    assert {frozenset(pair) for pair in pairs} == {frozenset(p) for p in ((0, 2), (1, 3), (4, 6), (5, 7))}
    assert len(others) == 2 * (6 - 2)
    assert all(one % 2 == other % 2 for one, other in others)  # HbO with HbO
    assert not {frozenset(pair) for pair in pairs} & {frozenset(pair) for pair in others}
    with pytest.raises(RecipeError, match="of 2 channels 0 have a mirrored partner"):
        compared_channels(_spec([None], [Kind.HBO, Kind.HBR]))


def _recipe() -> Recipe:
    values = load_recipe("xu2019").model_dump()
    values |= {"name": "likeness", "model": {"kind": "likeness"}, "policy": {"min_confidence": 0.0}}
    values["window"]["step_s"] = 5.0
    return parse_recipe(values, "likeness")


def test_a_bundle_of_it_predicts_as_it_was_trained(tmp_path: Path) -> None:
    settings = Simulation(
        seconds=90.0, rate=5.0, n_pairs=4, n_short=0, task=None, group_effect=2.0,
        spikes_per_minute=0.0, shifts_per_minute=0.0, bad_pairs=0.0,
    )  # fmt: skip
    write_cohort(tmp_path / "cohort", settings, 8, 5)
    cohort = tmp_path / "cohort" / "cohort.tsv"
    train(cohort, _recipe(), tmp_path / "bundle")
    bundle = read_bundle(tmp_path / "bundle")
    samples = collect(read_cohort(cohort), _recipe())
    pairs, others = compared_channels(samples.behind)
    assert bundle.card.model.params["pairs"] == [list(pair) for pair in pairs]
    assert bundle.card.model.params["others"] == [list(pair) for pair in others]
    row = read_cohort(cohort).rows[0]
    recording = read_recording(tmp_path / "cohort" / row.recording)
    inference = Inference(bundle, device="cpu")
    decisions = list(predict_recording(recording, bundle, inference, session="bed"))
    said = [each for each in decisions if not each.abstained]
    assert len(said) == np.count_nonzero(samples.table.person == row.person)
