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
    """Teach encoding layers (linear), in place; the caller has seeded torch.

    The lowest comes first and sees standardised rows, (n, n_columns) float32, each other what those below
    make of them.  A share of its input, from 0 to below 1, is hidden from a layer (corruption); the learning
    rate is of the optimiser Adam (Kingma & Ba 2015).  Gives of each layer the mean squared error of what it
    gives back, epoch by epoch.
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
