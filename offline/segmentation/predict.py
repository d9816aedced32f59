"""Structures of one image, found by a network, in the image's own space."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from monai.inferers import sliding_window_inference
from torch import nn
from torch.nn.functional import interpolate

from models.segmentation.bundle import SegmentationBundle, VolumeInput
from offline.segmentation.prepare import prepared
from offline.volumes.image import Image

OVERLAP = 0.5
"""Share by which neighbouring patches overlap."""


@dataclass(frozen=True, eq=False)
class Segmentation:
    """What was found in an image.

    Parameters
    ----------
    labels : (x, y, z) uint8
        On the image's voxels; numbers as on the card.
    volumes_mm3 : mapping of str to float
        Of each structure, mm3.
    """

    labels: npt.NDArray[np.uint8]
    volumes_mm3: Mapping[str, float]


def segment(image: Image, bundle: SegmentationBundle, device: torch.device | None = None) -> Segmentation:
    """Find the structures of a bundle in an image.

    Parameters
    ----------
    image : Image
        3-D.
    bundle : SegmentationBundle
        The network and its card.
    device : torch.device, optional
        The CPU without.

    Raises
    ------
    RecordingError
        The image holds nothing.
    """
    card = bundle.card
    data = prepared(image, card.input)
    logits = logits_of(bundle.network, data, card.input, card.flips, device)
    shape = image.data.shape
    if logits.shape[1:] != shape:
        logits = interpolate(logits[None], size=shape, mode="trilinear", align_corners=False)[0]
    labels = np.asarray(card.values, dtype=np.uint8)[logits.argmax(dim=0).numpy()]
    voxel = float(np.prod(image.voxel_mm))
    volumes = {
        name: float(np.count_nonzero(labels == value)) * voxel
        for name, value in zip(card.labels[1:], card.values[1:], strict=True)
    }
    return Segmentation(labels, volumes)


def logits_of(
    network: nn.Module,
    data: npt.NDArray[np.float32],
    wanted: VolumeInput,
    flips: Sequence[int] = (),
    device: torch.device | None = None,
) -> torch.Tensor:
    """Logits of a prepared image, averaged over its flips.

    Parameters
    ----------
    network : torch.nn.Module
        In evaluation mode.
    data : (x, y, z) float32
        As prepared.
    wanted : VolumeInput
        Its patch.
    flips : sequence of int
        Axes; all their combinations are averaged.
    device : torch.device, optional
        The CPU without.

    Returns
    -------
    (n_labels, x, y, z) float32, on the CPU
    """
    device = device or torch.device("cpu")
    x = torch.from_numpy(np.array(data))[None, None].to(device)
    network = network.to(device)
    every: Sequence[Any] = tuple(chain.from_iterable(combinations(flips, n) for n in range(len(flips) + 1)))
    total = None
    with torch.inference_mode():
        for axes in every:
            at = [axis + 2 for axis in axes]
            found = sliding_window_inference(
                x.flip(at) if at else x,
                roi_size=tuple(wanted.patch),
                sw_batch_size=1,
                predictor=network,
                overlap=OVERLAP,
                mode="gaussian",
                padding_mode="replicate",
            )
            assert isinstance(found, torch.Tensor)
            found = found.flip(at) if at else found
            total = found if total is None else total + found
    assert total is not None
    return (total / len(every))[0].float().cpu()
