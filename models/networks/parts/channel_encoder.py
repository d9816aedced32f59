"""What one place on the head shows over a window, as a few numbers; the same for every place."""

import torch
from torch import Tensor, nn


class ChannelEncoder(nn.Module):
    """Convolutions over time, and the mean of what they find in each part of the window.

    It knows neither where it looks nor how many places there are, so its weights fit any montage.

    Parameters
    ----------
    n_kinds : int
        Kinds of series (chromophores of one place) that may be looked at together.
    filters, kernel, layers : int
        Filters of each convolution, samples that one spans, and convolutions; each spans twice the time of
        the one before.
    segments : int
        Parts of the window, of equal length within a sample; fewer where there are fewer samples.
    """

    def __init__(self, n_kinds: int, *, filters: int, kernel: int, layers: int, segments: int) -> None:
        super().__init__()
        # Padded by hand on either side, as "same" would be.
        self.margin = ((kernel - 1) // 2, kernel // 2)
        self.first = nn.Conv1d(n_kinds, filters, kernel)
        self.others = nn.ModuleList(
            nn.Conv1d(filters, filters, kernel, padding="same", dilation=2**i) for i in range(1, layers)
        )
        self.segments = segments

    def forward(self, x: Tensor, kinds: Tensor) -> Tensor:
        """Features of series.

        Parameters
        ----------
        x : (n, n_here, n_times) float32
            Windows of single places (normalised, no unit).
        kinds : (n_here,) int64
            Which kinds they are, of all that the weights are for.

        Returns
        -------
        (n, filters, segments) float32
            No unit.
        """
        # Of kinds that are not there nothing comes: their weights are not even read.
        weight = self.first.weight[:, kinds]
        x = torch.relu(nn.functional.conv1d(nn.functional.pad(x, self.margin), weight, self.first.bias))
        for conv in self.others:
            x = torch.relu(conv(x))  # (n, filters, n_times)
        parts = x.tensor_split(min(self.segments, x.shape[2]), dim=2)
        return torch.stack([part.mean(dim=2) for part in parts], dim=2)
