"""Layers that learn, one after the other and without labels, to give back what was hidden from them.

Vincent P, Larochelle H, Lajoie I, Bengio Y, Manzagol PA (2010). Stacked denoising autoencoders. Journal of
Machine Learning Research 11:3371-3408.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from models.networks.stacked_autoencoder import DenoisingAutoEncoder
from offline.estimators.torch_fit import Singles, run_epochs


def pretrain(
    layers: Iterable[Any], X: Singles, *, epochs: int, corruption: float, learning_rate: float = 1e-3
) -> list[list[float]]:
    """Teach encoding layers, in place; the caller has seeded torch.

    Parameters
    ----------
    layers : iterable of torch.nn.Linear
        The lowest first; each then sees what those below make of the rows.
    X : (n, n_columns) float32
        Standardised rows.
    epochs : int
        Passes over the rows a layer.
    corruption : float
        Share of its input that is hidden from a layer, from 0 to below 1.
    learning_rate : float
        Of the optimiser Adam (Kingma & Ba 2015).

    Returns
    -------
    list of list of float
        Of each layer the mean squared error of what it gives back, epoch by epoch.
    """
    errors = []
    for layer in layers:
        network = DenoisingAutoEncoder(layer, corruption=corruption)
        adam = torch.optim.Adam(network.parameters(), lr=learning_rate, fused=True)
        history = run_epochs(network, X, X, loss_of=nn.MSELoss(), optimizer=adam, epochs=epochs)
        errors.append([row["train_loss"] for row in history])
        with torch.inference_mode():
            X = torch.tanh(layer(torch.from_numpy(X))).numpy()
    return errors
