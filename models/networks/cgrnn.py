"""CGRNN: convolution and gated recurrent units over a short window.

Xu L, Geng X, He X, Li J, Yu J (2019). Prediction in autism by deep learning short-time spontaneous
hemodynamic fluctuations. Frontiers in Neuroscience 13:1120.

The paper takes 7 s of one optical channel and names the two parts; it publishes no layer sizes, no
stride and no optimiser.  The sizes here are ours, chosen so that one window takes a fraction of a
millisecond on one CPU thread, and the network takes one channel or many.
"""

import torch
from torch import Tensor, nn

from models.networks.parts.sizes import check_sizes, pool_that_fits


class CGRNN(nn.Module):
    """Convolution over time, then a GRU, then one linear layer on the GRU's last state.

    Parameters
    ----------
    n_chans : int
        Channels of a window.
    n_times : int
        Samples of a window, at least 3.
    n_outputs : int
        Labels.
    filters : int
        Filters of the convolution.
    kernel : int
        Samples that a filter spans.
    pool : int
        Samples of the filtered series of which the largest is kept; fewer for short windows.
    hidden : int
        Units of the GRU.
    dropout : float
        Probability of dropping a filter's sample in front of the GRU and a unit behind it, in
        training only.
    """

    def __init__(
        self,
        n_chans: int,
        n_times: int,
        n_outputs: int,
        *,
        filters: int = 32,
        kernel: int = 5,
        pool: int = 4,
        hidden: int = 32,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        check_sizes("cgrnn", n_chans=n_chans, n_times=n_times, n_outputs=n_outputs, least_times=3)
        self.conv = nn.Conv1d(n_chans, filters, kernel, padding="same")
        self.pool = nn.MaxPool1d(pool_that_fits(pool, n_times))
        self.drop = nn.Dropout(dropout)
        self.gru = nn.GRU(filters, hidden, batch_first=True)
        self.head = nn.Linear(hidden, n_outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of windows.

        Parameters
        ----------
        x : (batch, n_chans, n_times) float32
            Windows as the pipeline gives them (normalised, no unit).

        Returns
        -------
        (batch, n_outputs) float32
            Logits, no unit.
        """
        x = torch.relu(self.conv(x))  # (batch, filters, n_times)
        x = self.pool(x)  # (batch, filters, steps), steps = n_times // pool
        x = self.drop(x).transpose(1, 2)  # (batch, steps, filters)
        x = self.gru(x)[0][:, -1]  # (batch, hidden)
        return self.head(self.drop(x))  # (batch, n_outputs)
