"""A recording is read for a bundle as those of its training were: the recipe's [input] stands in the card."""

import json
from pathlib import Path

import numpy as np
import pytest

from models.bundle import read_bundle
from models.cards.window_card import CardRecording
from models.errors import RecordingError
from offline.recordings import read_recording
from offline.recordings.as_trained import read_as_trained
from offline.training.train import train
from tests.offline.support import group_recipe, series_cohort, write_homer
from tools.commands.classify import classify


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Series that do not say their repetition time, and a bundle of a recipe that does (2 s)."""
    where = tmp_path_factory.mktemp("series")
    train(series_cohort(where, "abab"), group_recipe(), where / "bundle")
    return where


def decisions(folder: Path, out: Path, **options: object) -> str:
    classify(folder / "p1.1D", model=folder / "bundle", out=out, device="cpu", **options)  # type: ignore[arg-type]
    return out.read_text()


def test_the_card_holds_what_the_recipe_says_of_its_input(folder: Path) -> None:
    assert read_bundle(folder / "bundle").card.recording == CardRecording(repetition_time=2.0)


def test_classify_reads_a_recording_as_it_was_trained(folder: Path, tmp_path: Path) -> None:
    by_card = decisions(folder, tmp_path / "card.jsonl")
    assert by_card == decisions(folder, tmp_path / "same.jsonl", repetition_time=2.0)
    assert by_card != decisions(folder, tmp_path / "other.jsonl", repetition_time=3.0)


def test_a_recording_that_says_another_repetition_time_is_refused_until_a_person_says(
    folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "p1.1D"
    path.write_bytes((folder / "p1.1D").read_bytes())
    side = path.with_suffix(".json")
    card = CardRecording(repetition_time=2.0)
    side.write_text(json.dumps({"RepetitionTime": 2}))
    assert read_as_trained(path, card, repetition_time=None).spec.rate == 0.5
    side.write_text(json.dumps({"RepetitionTime": 2.5}))
    with pytest.raises(RecordingError, match=r"RepetitionTime 2\.5, the bundle's recordings had 2\.0 s"):
        read_as_trained(path, card, repetition_time=None)
    assert read_as_trained(path, card, repetition_time=2.5).spec.rate == 0.4


def test_a_unit_of_length_is_the_bundle_s_unless_one_is_given(tmp_path: Path) -> None:
    path = write_homer(tmp_path / "a.nirs", seed=1)
    card = CardRecording(length_unit="cm")
    plain = read_recording(path).spec.channels[0].distance
    assert plain is not None
    with pytest.raises(RecordingError, match=r'read as the bundle.*length_unit = "cm".*go before'):
        read_as_trained(path, card, length_unit=None)  # optodes would lie 30 cm apart
    assert read_as_trained(path, card, length_unit="mm").spec.channels[0].distance == plain


def test_the_side_file_of_the_training_says_what_the_rows_are(data_dir: Path) -> None:
    cap = data_dir / "fnirs/lsl_tapping_xdf/sub-001_task-fingertapping_recording.xdf"
    side = cap.with_name("sub-001_task-fingertapping_nirs.json")
    name = "Photon_Cap_C2022044_RAW"
    card = CardRecording(side_file=json.loads(side.read_text()), stream=name)
    found = read_as_trained(cap, card, stream=None)
    wanted = read_recording(cap, layout=side, stream=name)
    assert found.spec == wanted.spec
    assert np.array_equal(found.data, wanted.data, equal_nan=True)
