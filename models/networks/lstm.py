"""LSTM: long short-term memory straight over the samples of a window.

Hochreiter S, Schmidhuber J (1997). Long short-term memory. Neural Computation 9(8):1735-1780.

The plainest recurrent network there is: what the convolution of the others buys shows against it.
"""

from torch import Tensor, nn

from models.networks.parts.sizes import check_sizes


class LSTM(nn.Module):
    """An LSTM over all samples, then one linear layer on its last state.

    Parameters
    ----------
    n_chans : int
        Channels of a window.
    n_times : int
        Samples of a window, at least 1.
    n_outputs : int
        Labels.
    hidden : int
        Units of each layer.
    layers : int
        LSTM layers on top of each other.
    dropout : float
        Probability of dropping a unit between layers and in front of the linear layer, in training
        only.
    """

    def __init__(
        self,
        n_chans: int,
        n_times: int,
        n_outputs: int,
        *,
        hidden: int = 32,
        layers: int = 1,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        check_sizes("lstm", n_chans=n_chans, n_times=n_times, n_outputs=n_outputs)
        # Between layers only: torch warns where it is asked for with a single one.
        between = dropout if layers > 1 else 0.0
        self.lstm = nn.LSTM(n_chans, hidden, layers, batch_first=True, dropout=between)
        self.drop = nn.Dropout(dropout)
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
        x = x.transpose(1, 2)  # (batch, n_times, n_chans)
        x = self.lstm(x)[0][:, -1]  # (batch, hidden)
        return self.head(self.drop(x))  # (batch, n_outputs)
