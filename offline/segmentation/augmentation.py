"""Images varied as they are trained on: position, size, contrast, noise; the same for the same seed."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from monai.transforms import (
    Compose,
    RandAdjustContrastd,
    RandAffined,
    RandFlipd,
    RandGaussianNoised,
    RandSpatialCropd,
    SpatialPadd,
)

IMAGE, LABELS = "image", "labels"
TURN = 0.2
"""Most by which an image is turned about each axis, rad."""
SIZE = 0.12
"""Most by which it is stretched along each, as a share."""
SHIFT = 3.0
"""Most by which it is moved along each, voxels."""


class ImageAugmentation:
    """Patches of cases, varied at random.

    Parameters
    ----------
    patch : sequence of 3 ints
        Voxels of what comes out.
    flips : sequence of int
        Axes along which images may also be flipped.
    device : torch.device
        Where it is computed.
    """

    def __init__(self, patch: Sequence[int], flips: Sequence[int], device: torch.device) -> None:
        both = (IMAGE, LABELS)
        turned = RandAffined(
            keys=both,
            prob=0.7,
            rotate_range=(TURN,) * 3,
            scale_range=(SIZE,) * 3,
            translate_range=(SHIFT,) * 3,
            mode=("bilinear", "nearest"),
            padding_mode="border",
            device=device,
        )
        self._steps = Compose(
            [
                SpatialPadd(keys=both, spatial_size=tuple(patch), mode="edge"),
                RandSpatialCropd(keys=both, roi_size=tuple(patch), random_size=False),
                turned,
                *(RandFlipd(keys=both, prob=0.5, spatial_axis=axis) for axis in flips),
                RandAdjustContrastd(keys=IMAGE, prob=0.3, gamma=(0.7, 1.5), retain_stats=True),
                RandGaussianNoised(keys=IMAGE, prob=0.3, std=0.15),
            ]
        )

    def __call__(self, image: Any, labels: Any, seed: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor]:
        """One case, varied.

        Parameters
        ----------
        image, labels : (x, y, z) float32, uint8
            As prepared.
        seed : sequence of int
            What its chance follows from.

        Returns
        -------
        (1, *patch) float32, (1, *patch) int64
        """
        state = int(np.random.SeedSequence(list(seed)).generate_state(1)[0])
        self._steps.set_random_state(seed=state)
        values = {
            IMAGE: torch.from_numpy(np.array(image))[None],
            LABELS: torch.from_numpy(np.array(labels))[None],
        }
        out: Mapping[str, Any] = self._steps(values)
        return (
            torch.as_tensor(out[IMAGE]).as_subclass(torch.Tensor).float(),
            torch.as_tensor(out[LABELS]).as_subclass(torch.Tensor).long(),
        )
