"""A 3-D U-Net of dilated dense blocks: which structure each voxel of an image belongs to.

After Li G, Chen MH, Li G, Wu D, Lian C, Sun Q, Shen D, Wang L (2019). A longitudinal MRI study of amygdala
and hippocampal subfields for infants with risk of autism. GLMI 2019, LNCS 11849:164-171.  It gives neither
growth rate nor dilations nor depth: these are settings here.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

SLOPE = 0.01
"""Of the leaky rectifier, for negative values."""


def _conv(n_in: int, n_out: int, dilation: int = 1) -> nn.Sequential:
    """A 3 x 3 x 3 convolution that keeps the size, normalised within the image, rectified."""
    return nn.Sequential(
        nn.Conv3d(n_in, n_out, 3, padding=dilation, dilation=dilation, bias=False),
        nn.InstanceNorm3d(n_out, affine=True),
        nn.LeakyReLU(SLOPE, inplace=True),
    )


class DilatedDenseBlock(nn.Module):
    """Convolutions of growing reach, each given what all before it found.

    Parameters
    ----------
    n_in, n_out : int
        Channels in and out.
    growth : int
        Channels that each convolution adds.
    dilations : sequence of int
        One convolution each: voxels between the taps of its kernel.
    """

    def __init__(self, n_in: int, n_out: int, *, growth: int, dilations: Sequence[int]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            _conv(n_in + k * growth, growth, dilation) for k, dilation in enumerate(dilations)
        )
        self.join = nn.Conv3d(n_in + len(dilations) * growth, n_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, n_in, x, y, z) float32 -> (batch, n_out, x, y, z)."""
        for layer in self.layers:
            x = torch.cat([x, layer(x)], dim=1)  # (batch, n_in + (k + 1) * growth, x, y, z)
        return leaky_relu(self.join(x), SLOPE)


class PlainBlock(nn.Sequential):
    """Two convolutions, one after the other: the block of an ordinary U-Net.

    Parameters
    ----------
    n_in, n_out : int
        Channels in and out.
    """

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__(_conv(n_in, n_out), _conv(n_out, n_out))


class DilatedDenseUNet(nn.Module):
    """Encoder and decoder over a few resolutions, joined at each.

    Parameters
    ----------
    n_labels : int
        Structures and the background.
    width : int
        Channels at the full resolution; doubled at each below.
    levels : int
        Resolutions; the image is halved ``levels - 1`` times.
    dilations : sequence of int
        Of each block's convolutions; none makes blocks plain (`PlainBlock`).
    growth : float
        Channels that a dense block's convolution adds, as a share of the block's width.

    Raises
    ------
    ValueError
        A size is less than one.
    """

    def __init__(
        self,
        n_labels: int,
        *,
        width: int = 16,
        levels: int = 3,
        dilations: Sequence[int] = (1, 2, 4),
        growth: float = 0.5,
    ) -> None:
        super().__init__()
        if min(n_labels, width, levels, *dilations, 1) < 1 or growth <= 0:
            raise ValueError(
                f"n_labels {n_labels}, width {width}, levels {levels}, dilations {list(dilations)}, "
                f"growth {growth:g}; expected 1 or more of each, and growth above 0"
            )

        def block(n_in: int, n_out: int) -> nn.Module:
            if not dilations:
                return PlainBlock(n_in, n_out)
            added = max(round(growth * n_out), 1)
            return DilatedDenseBlock(n_in, n_out, growth=added, dilations=dilations)

        widths = [width * 2**level for level in range(levels)]
        self.enter = nn.Conv3d(1, width, 3, padding=1)
        self.down = nn.ModuleList(nn.Conv3d(above, below, 2, stride=2) for above, below in pairwise(widths))
        self.encode = nn.ModuleList(block(each, each) for each in widths)
        self.up = nn.ModuleList(
            nn.ConvTranspose3d(below, above, 2, stride=2) for above, below in pairwise(widths)
        )
        self.decode = nn.ModuleList(block(2 * each, each) for each in widths[:-1])
        self.leave = nn.Conv3d(width, n_labels, 1)

    @property
    def multiple(self) -> int:
        """What each side of an image must be a multiple of, voxels."""
        return int(2 ** len(self.down))

    def forward(self, x: Tensor) -> Tensor:
        """Logits of every voxel.

        Parameters
        ----------
        x : (batch, 1, x, y, z) float32
            Images, mean 0 and standard deviation 1 each; sides are multiples of `multiple`.

        Returns
        -------
        (batch, n_labels, x, y, z) float32
        """
        x = self.enter(x)
        passed = []
        for level, encode in enumerate(self.encode):
            if level:
                passed.append(x)
                x = self.down[level - 1](x)
            x = encode(x)  # (batch, width * 2**level, x / 2**level, ...)
        for level in reversed(range(len(self.decode))):
            x = torch.cat([passed[level], self.up[level](x)], dim=1)
            x = self.decode[level](x)
        logits: Tensor = self.leave(x)
        return logits
