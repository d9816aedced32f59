"""CNN-LSTM: two convolutions over time, then long short-term memory.

Xu L, Liu Y, Yu J, Li X, Yu X, Cheng H, Li J (2020). Characterizing autism spectrum disorder by deep
learning spontaneous brain activity from functional near-infrared spectroscopy. Journal of
Neuroscience Methods 331:108538.

The paper puts an LSTM behind a convolutional network on the temporal variation of HbO and Hb; layer
sizes, stride and optimiser are not published.  The sizes here are ours.
"""

import torch
from torch import Tensor, nn

from models.networks.parts.sizes import check_sizes, pool_that_fits


class CNNLSTM(nn.Module):
    """Two convolutions with a pool between them, then an LSTM, then one linear layer.

    Parameters
    ----------
    n_chans : int
        Channels of a window.
    n_times : int
        Samples of a window, at least 3.
    n_outputs : int
        Labels.
    filters : int
        Filters of each convolution.
    kernel : int
        Samples that a filter spans.
    pool : int
        Samples of the filtered series of which the largest is kept; fewer for short windows.
    hidden : int
        Units of the LSTM.
    dropout : float
        Probability of dropping a filter's sample in front of the LSTM and a unit behind it, in
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
        pool: int = 2,
        hidden: int = 32,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        check_sizes("cnn_lstm", n_chans=n_chans, n_times=n_times, n_outputs=n_outputs, least_times=3)
        self.first = nn.Conv1d(n_chans, filters, kernel, padding="same")
        self.pool = nn.MaxPool1d(pool_that_fits(pool, n_times))
        self.second = nn.Conv1d(filters, filters, kernel, padding="same")
        self.drop = nn.Dropout(dropout)
        self.lstm = nn.LSTM(filters, hidden, batch_first=True)
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
        x = torch.relu(self.first(x))  # (batch, filters, n_times)
        x = self.pool(x)  # (batch, filters, steps), steps = n_times // pool
        x = torch.relu(self.second(x))  # (batch, filters, steps)
        x = self.drop(x).transpose(1, 2)  # (batch, steps, filters)
        x = self.lstm(x)[0][:, -1]  # (batch, hidden)
        return self.head(self.drop(x))  # (batch, n_outputs)
