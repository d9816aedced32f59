"""Convolutional network over a table that is laid out as an image.

Aghdam MA, Sharifi A, Pedram MM (2019). Diagnosis of autism spectrum disorders in young children based on
resting-state functional magnetic resonance imaging data using convolutional neural networks. Journal of
Digital Imaging 32:899-918.

A connectivity matrix has no neighbourhoods: regions come in an order that an atlas chose.  There a filter
covers all the connections of one region, as in Kawahara J et al. (2017). BrainNetCNN. NeuroImage
146:1038-1049.
"""

from math import ceil, isqrt, sqrt

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d, pad
from torch.nn.utils import convert_conv2d_weight_memory_format

from models.errors import RecipeError, near_match
from models.networks.parts.sizes import check_sizes

ARRANGEMENTS = ("image", "matrix")
KERNEL = 3
"""Rows and columns that a filter of an image covers."""


class TableCNN(nn.Module):
    """Convolutions over the arranged table, one layer that sees all they found, one linear layer.

    Parameters
    ----------
    n_inputs : int
        Columns of the table.
    n_outputs : int
        Labels.
    arrangement : {"image", "matrix"}
        ``"image"``: columns fill a square row by row, the rest of it 0, and two layers of 3 x 3 filters, each
        with a pool, look at neighbours.  ``"matrix"``: columns are the upper triangle of a symmetric matrix
        without its diagonal, row by row, and each filter sees a whole row.
    filters : int
        Of the first layer; a second has twice as many.
    hidden : int
        Units of the layer that sees all filters.
    dropout : float
        Probability of dropping a unit in front of the last two layers, in training only.
    """

    places: Tensor

    def __init__(
        self,
        n_inputs: int,
        n_outputs: int,
        *,
        arrangement: str = "image",
        filters: int = 8,
        hidden: int = 32,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        check_sizes("table_cnn", n_inputs=n_inputs, n_outputs=n_outputs, hidden=(filters, hidden))
        places = places_of(n_inputs, arrangement)
        side = len(places)
        self.arrangement = arrangement
        self.register_buffer("places", torch.from_numpy(places), persistent=False)
        if arrangement == "matrix":
            self.convolutions = nn.ModuleList([nn.Conv2d(1, filters, (1, side))])
            self.pools: tuple[int, ...] = (1,)
            n_found = filters * side
        else:
            self.convolutions = nn.ModuleList(
                [
                    nn.Conv2d(1, filters, KERNEL, padding=KERNEL // 2),
                    nn.Conv2d(filters, 2 * filters, KERNEL, padding=KERNEL // 2),
                ]
            )
            # A pool over what is too small for it would leave nothing.
            first = 2 if side >= 2 else 1
            self.pools = (first, 2 if side // first >= 2 else 1)
            n_found = 2 * filters * (side // first // self.pools[1]) ** 2
            # Channels side by side in memory: both convolutions and pools take less time on a CPU.
            convert_conv2d_weight_memory_format(self.convolutions, torch.channels_last)
        self.drop = nn.Dropout(dropout)
        self.dense = nn.Linear(n_found, hidden)
        self.head = nn.Linear(hidden, n_outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of rows.

        Parameters
        ----------
        x : (batch, n_inputs) float32
            Standardised columns, no unit.

        Returns
        -------
        (batch, n_outputs) float32
            Logits, no unit.
        """
        x = pad(x, (0, 1))[:, self.places]  # (batch, side, side): place n_inputs is the 0 that was padded
        x = x.unsqueeze(1)  # (batch, 1, side, side)
        for convolution, pool in zip(self.convolutions, self.pools, strict=True):
            x = convolution(x)  # (batch, filters, rows, columns)
            if pool > 1:
                x = max_pool2d(x, pool)  # (batch, filters, rows / pool, columns / pool)
            x = torch.relu(x)  # after the pool, where less is left; the larger of two stays the larger
        x = torch.relu(self.dense(self.drop(x.flatten(1))))  # (batch, hidden)
        return self.head(self.drop(x))  # (batch, n_outputs)


def places_of(n_inputs: int, arrangement: str) -> npt.NDArray[np.int64]:
    """Which column is at which place of the image.

    Parameters
    ----------
    n_inputs : int
        Columns.
    arrangement : {"image", "matrix"}
        As `TableCNN` has it.

    Returns
    -------
    (side, side) int64
        A column; ``n_inputs`` where there is none.

    Raises
    ------
    RecipeError
        No such arrangement, or as many columns as no matrix has.
    """
    if arrangement == "image":
        side = ceil(sqrt(n_inputs))
        places = np.full(side * side, n_inputs, dtype=np.int64)
        places[:n_inputs] = np.arange(n_inputs)
        return places.reshape(side, side)
    if arrangement != "matrix":
        raise RecipeError(
            f"table_cnn: arrangement is {arrangement!r}. {near_match(arrangement, ARRANGEMENTS)}"
        )
    side = (1 + isqrt(1 + 8 * n_inputs)) // 2
    if side * (side - 1) // 2 != n_inputs:
        raise RecipeError(
            f"table_cnn: {n_inputs} columns are the upper triangle of no matrix; expected n (n - 1) / 2, "
            f'e.g. {side * (side - 1) // 2} for {side} regions. Give all connections, or arrangement "image".'
        )
    places = np.full((side, side), n_inputs, dtype=np.int64)
    rows, columns = np.triu_indices(side, 1)
    places[rows, columns] = places[columns, rows] = np.arange(n_inputs)
    return places
