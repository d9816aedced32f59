"""Training finds what is drawn, and a killed run ends with the weights of one that was not."""

from pathlib import Path

import numpy as np
import pytest
import torch

from models.errors import HemostreamError
from models.segmentation.bundle import UNetSettings, VolumeInput
from offline.segmentation.agreement import agreement_of
from offline.segmentation.cases import read_cases
from offline.segmentation.predict import logits_of
from offline.segmentation.prepare import PreparedCases
from offline.segmentation.train import FittedUNet, SegmentationTraining, fit_unet
from tests.offline.segmentation.support import VALUES, write_cases

WANTED = VolumeInput(voxel_mm=(1.0, 1.0, 1.0), patch=(16, 16, 16))
SMALL = UNetSettings(width=4, levels=2, dilations=(1, 2))


@pytest.fixture
def cases(tmp_path: Path) -> PreparedCases:
    return PreparedCases(read_cases(write_cases(tmp_path / "data", 4)), WANTED, VALUES, tmp_path / "cache")


def fitted(cases: PreparedCases, epochs: int = 2, **how: object) -> FittedUNet:
    training = SegmentationTraining(epochs=epochs, **how.pop("training", {}))  # type: ignore[arg-type]
    return fit_unet(cases, (0, 1, 2), SMALL, training, n_labels=3, patch=WANTED.patch, **how)  # type: ignore[arg-type]


class KilledError(Exception):
    pass


def test_a_killed_run_ends_with_the_same_weights(cases: PreparedCases, tmp_path: Path) -> None:
    whole = fitted(cases, 3)

    def kill(epoch: int, epochs: int, loss: float) -> None:
        if epoch == 2:
            raise KilledError

    kept = tmp_path / "checkpoint"
    with pytest.raises(KilledError):
        fitted(cases, 3, checkpoint=kept, on_epoch=kill)
    seen: list[int] = []
    again = fitted(cases, 3, checkpoint=kept, on_epoch=lambda epoch, *_: seen.append(epoch))
    assert seen == [3]
    assert again.losses == whole.losses
    for name, values in whole.network.state_dict().items():
        assert torch.equal(again.network.state_dict()[name], values), name


@pytest.mark.parametrize("damage", [lambda b: b[:-10], lambda b: b"", lambda b: b"\xff" * 100])
def test_a_damaged_checkpoint_is_not_believed(cases: PreparedCases, tmp_path: Path, damage) -> None:
    kept = tmp_path / "checkpoint"
    first = fitted(cases, 1, checkpoint=kept)
    kept.write_bytes(damage(kept.read_bytes()))
    assert fitted(cases, 1, checkpoint=kept).losses == first.losses


def test_a_checkpoint_of_other_cases_is_not_taken_up(cases: PreparedCases, tmp_path: Path) -> None:
    kept, seen = tmp_path / "checkpoint", []
    fitted(cases, 1, checkpoint=kept, key="these")
    fitted(cases, 1, checkpoint=kept, key="others", on_epoch=lambda epoch, *_: seen.append(epoch))
    assert seen == [1]


def test_parts_of_a_batch_give_the_step_of_the_whole(cases: PreparedCases) -> None:
    whole, parts = fitted(cases, 1), fitted(cases, 1, training={"accumulate": 2})
    np.testing.assert_allclose(parts.losses, whole.losses, rtol=1e-6)
    for name, values in whole.network.state_dict().items():
        torch.testing.assert_close(parts.network.state_dict()[name], values, rtol=1e-3, atol=1e-4)


def test_a_batch_that_cannot_be_shared_is_refused(cases: PreparedCases) -> None:
    with pytest.raises(HemostreamError, match="multiple of 3"):
        fitted(cases, 1, training={"accumulate": 3})


def test_what_is_drawn_is_found_in_an_unseen_case(cases: PreparedCases) -> None:
    found = fitted(cases, 60, training={"learning_rate": 1e-2, "batch": 1})
    logits = logits_of(found.network, cases.image(3), WANTED)
    labels = logits.argmax(dim=0).numpy().astype(np.uint8)
    assert found.losses[-1] < found.losses[0] / 2
    for structure in (1, 2):
        assert agreement_of(labels, np.array(cases.labels(3)), structure, (1, 1, 1)).dice > 0.6
