"""A segmentation network on disk: as `models.bundle`, with a card that says which images it takes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

import torch
from pydantic import Field, model_validator
from torch import nn

from models.bundle_files import card_values, read_files, write_files
from models.cards.card import Card, Names
from models.decode import Record
from models.errors import BundleError
from models.files.weights import filled, weights_of
from models.networks.dilated_dense_unet import DilatedDenseUNet

Count = Annotated[int, Field(ge=1, le=1024)]
Millimetres = Annotated[float, Field(gt=0, le=20)]


class UNetSettings(Record):
    """What a `DilatedDenseUNet` is made from."""

    width: Count = 16
    levels: Annotated[int, Field(ge=1, le=6)] = 3
    dilations: Sequence[Count] = (1, 2, 4)
    growth: float = Field(default=0.5, gt=0, le=4)

    def network(self, n_labels: int) -> DilatedDenseUNet:
        """A network of so many labels, background included; weights drawn at random."""
        return DilatedDenseUNet(
            n_labels, width=self.width, levels=self.levels, dilations=self.dilations, growth=self.growth
        )


class VolumeInput(Record):
    """What an image must be, to be segmented.

    Parameters
    ----------
    voxel_mm : sequence of 3 floats
        Edges of the voxels that the network sees, mm; others are resampled to these.
    patch : sequence of 3 ints
        Voxels that it sees at once.
    percentiles : sequence of 2 floats
        Of the image's values, to which they are clipped before they are standardised.
    words : str
        What the images of the training were.
    """

    voxel_mm: Sequence[Millimetres] = Field(min_length=3, max_length=3)
    patch: Sequence[Count] = Field(min_length=3, max_length=3)
    percentiles: Sequence[Annotated[float, Field(ge=0, le=100)]] = Field(
        default=(0.5, 99.5), min_length=2, max_length=2
    )
    words: str = ""


class SegmentationCard(Card):
    """A network that says of each voxel which structure it belongs to.

    Parameters
    ----------
    labels : sequence of str
        Names of the structures, in the order of the outputs; the first is the background.
    values : sequence of int
        What stands for each in an image of labels; 0 for the background.
    network : UNetSettings
        What the network is made from.
    input : VolumeInput
        What an image must be.
    flips : sequence of int
        Axes along which the image is also flipped, and the predictions averaged.
    format : str
        Version of this form.
    """

    FORMAT: ClassVar = "segmentation 1"

    labels: Names = Field(min_length=2)
    values: Sequence[Annotated[int, Field(ge=0, le=255)]]
    network: UNetSettings
    input: VolumeInput
    flips: Sequence[Annotated[int, Field(ge=0, le=2)]] = ()
    format: Literal["segmentation 1"] = "segmentation 1"

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if len(self.values) != len(self.labels) or len(set(self.values)) < len(self.values):
            raise ValueError(f"values are {list(self.values)}; expected one of its own for each label")
        if self.values[0] != 0:
            raise ValueError(f"values begin with {self.values[0]}; expected 0, the background")
        multiple = 2 ** (self.network.levels - 1)
        if any(each % multiple for each in self.input.patch):
            raise ValueError(f"patch is {list(self.input.patch)}; expected multiples of {multiple}")
        low, high = self.input.percentiles
        if low >= high:
            raise ValueError(f"percentiles are {low:g} and {high:g}; expected them to rise")
        return self


@dataclass(frozen=True)
class SegmentationBundle:
    """A segmentation network in memory, on the CPU and in evaluation mode, and its card."""

    card: SegmentationCard
    network: nn.Module


def is_segmentation_bundle(folder: Path) -> bool:
    """Whether a folder's card is one of such a bundle, whole or not."""
    try:
        return str(card_values(folder).get("format", "")).startswith("segmentation")
    except BundleError:
        return False


def write_segmentation_bundle(folder: Path, card: SegmentationCard, network: nn.Module) -> str:
    """Write a bundle, whole or not at all; see `models.bundle.write_bundle`.

    Parameters
    ----------
    folder : Path
        Where to.
    card : SegmentationCard
        What it is; the hashes are filled in here.
    network : torch.nn.Module
        What ``card.network`` describes, trained.

    Returns
    -------
    str
        The bundle's hash, 64 hexadecimal digits.

    Raises
    ------
    BundleError
        The folder holds something else, the card does not describe the network, or a weight is no number.
    """
    weights = weights_of(network)
    return write_files(folder, card, weights, lambda written: _made(written, weights)).hash


def read_segmentation_bundle(folder: Path, expected_hash: str | None = None) -> SegmentationBundle:
    """Read a bundle, refusing it unless every byte is as it was written.

    Parameters
    ----------
    folder : Path
        Where it stands.
    expected_hash : str or None
        The hash it must have, or its first digits (12 at least).

    Raises
    ------
    BundleError
        It is not such a bundle, not whole, not readable by this version, or not the one asked for.
    """
    if not is_segmentation_bundle(folder):
        found = str(card_values(folder).get("format"))[:20]
        raise BundleError(
            f"{folder} holds a bundle of format {found!r}; expected one that segments images. Give one that "
            "hemostream study run li2019 wrote."
        )
    card, weights = read_files(folder, SegmentationCard, expected_hash)
    return SegmentationBundle(card, _made(card, weights))


def _made(card: SegmentationCard, weights: bytes) -> nn.Module:
    with torch.device("meta"):  # nothing is drawn, and a huge size costs nothing
        network = card.network.network(len(card.labels))
    return filled(network, weights)
