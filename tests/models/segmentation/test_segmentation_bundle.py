"""A bundle that segments is whole or refused, and its card fits together."""

import json
from pathlib import Path

import pytest
import torch

from models.errors import BundleError
from models.segmentation.bundle import (
    SegmentationCard,
    UNetSettings,
    VolumeInput,
    read_segmentation_bundle,
    write_segmentation_bundle,
)

SETTINGS = UNetSettings(width=2, levels=2, dilations=(1,))


def card(**changed: object) -> SegmentationCard:
    values: dict[str, object] = {
        "labels": ("background", "ball"),
        "values": (0, 5),
        "network": SETTINGS,
        "input": VolumeInput(voxel_mm=(1.0, 1.0, 1.0), patch=(8, 8, 8)),
    }
    return SegmentationCard(**(values | changed))  # type: ignore[arg-type]


def test_what_is_read_predicts_what_was_written(tmp_path: Path) -> None:
    network = SETTINGS.network(2).eval()
    found = write_segmentation_bundle(tmp_path / "b", card(), network)
    read = read_segmentation_bundle(tmp_path / "b", found)
    x = torch.randn(1, 1, 8, 8, 8)
    with torch.inference_mode():
        assert torch.equal(read.network(x), network(x))


def test_a_changed_byte_is_found(tmp_path: Path) -> None:
    write_segmentation_bundle(tmp_path / "b", card(), SETTINGS.network(2))
    path = tmp_path / "b" / "card.json"
    values = json.loads(path.read_text())
    values["values"] = [0, 6]
    path.write_text(json.dumps(values))
    with pytest.raises(BundleError, match="was changed"):
        read_segmentation_bundle(tmp_path / "b")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"values": (0, 5, 6)}, "one of its own"),
        ({"values": (1, 5)}, "expected 0, the background"),
        ({"input": VolumeInput(voxel_mm=(1.0, 1.0, 1.0), patch=(8, 8, 9))}, "multiples of 2"),
        (
            {"input": VolumeInput(voxel_mm=(1.0, 1.0, 1.0), patch=(8, 8, 8), percentiles=(9.0, 1.0))},
            "to rise",
        ),
    ],
)
def test_a_card_fits_together(changed: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        card(**changed)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"another network|needs"):
        write_segmentation_bundle(tmp_path / "b", card(), UNetSettings(width=4).network(2))
