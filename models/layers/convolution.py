"""Convolutions over a table laid out as an image: `models.networks.table_cnn` up to its dense layers."""

from dataclasses import dataclass
from math import prod

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from models.errors import BundleError

BLOCK = 16
"""Rows that are convolved at once: all at once, patches of a thousand people would fill the memory."""


@dataclass(frozen=True, eq=False)
class Convolutions:
    """Layers of filters, each rectified and pooled.

    Parameters
    ----------
    mean, scale : (n_columns,) float64
        Taken from and divided out of the columns.
    places : (side, side) int64
        Which column stands where; ``n_columns`` where a 0 does.
    numbers : (n_numbers,) float64
        Of each layer its weights ``(filters, filters below, rows, columns)``, then its biases.
    shapes : tuple of tuple of int
        Of each layer's weights.
    padding : tuple of int
        Zeros around the image in front of each layer.
    pools : tuple of int
        Rows and columns of which each layer keeps the largest value.
    """

    mean: Floats
    scale: Floats
    places: npt.NDArray[np.int64]
    numbers: Floats
    shapes: tuple[tuple[int, ...], ...]
    padding: tuple[int, ...]
    pools: tuple[int, ...]

    def __post_init__(self) -> None:
        wanted = sum(prod(shape) + shape[0] for shape in self.shapes)
        if len(self.numbers) != wanted:
            raise BundleError(
                f"Convolutions of shapes {tuple(map(tuple, self.shapes))} have {len(self.numbers)} numbers; "
                f"expected {wanted}. The bundle is damaged."
            )

    def __call__(self, X: Floats) -> Floats:
        """(n, n_columns) float64 to all pooled values (n, n_found) float64, filter by filter."""
        standard = np.concatenate([(X - self.mean) / self.scale, np.zeros((len(X), 1))], axis=1)
        blocks = [self._found(standard[at : at + BLOCK]) for at in range(0, len(X), BLOCK)]
        return np.concatenate(blocks)

    def _found(self, standard: Floats) -> Floats:
        image = standard[:, np.newaxis, self.places]  # (n, 1, side, side)
        at = 0
        for shape, edge, pool in zip(self.shapes, self.padding, self.pools, strict=True):
            weights = self.numbers[at : at + prod(shape)].reshape(shape)
            at += prod(shape) + shape[0]
            biases = self.numbers[at - shape[0] : at]
            image = np.pad(image, ((0, 0), (0, 0), (edge, edge), (edge, edge)))
            patches = np.lib.stride_tricks.sliding_window_view(image, tuple(shape[2:]), axis=(2, 3))
            image = np.tensordot(patches, weights, axes=((1, 4, 5), (1, 2, 3)))  # (n, rows, columns, filters)
            image = np.maximum(image + biases, 0.0).transpose(0, 3, 1, 2)
            rows, columns = (size // pool for size in image.shape[2:])
            whole = image[:, :, : rows * pool, : columns * pool]
            image = whole.reshape(*image.shape[:2], rows, pool, columns, pool).max(axis=(3, 5))
        return image.reshape(len(image), -1)
