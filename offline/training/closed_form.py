"""Models that are solved for, not trained step by step, in the form that a bundle holds."""

import numpy as np
import torch
from torch import nn

from models.networks import RIDGE
from models.networks.registry import make_model
from offline.estimators.baselines import window_features
from offline.samples.samples import Samples
from offline.training.feature_table import FeatureTable, Rows
from offline.training.ridge import fit_ridge


def solve_ridge(samples: Samples, which: Rows, *, by_person: bool, seed: int) -> nn.Module:
    """Fit the ridge model, which predicts as the baseline of the same name.

    Its penalty is chosen, and its log odds are calibrated, on people of training who are held out in turn; so
    nobody is spared, and no temperature is needed.

    Parameters
    ----------
    samples : Samples
        All.
    which : (n,) intp
        Those of training.
    by_person : bool
        Whether the label is the person's: then a person is one row.
    seed : int
        Who is held out together.

    Returns
    -------
    torch.nn.Module
        A `models.networks.ridge.WindowRidge`, in evaluation mode.
    """
    n_labels = len(samples.labels)
    data = FeatureTable(window_features(samples.X), samples.table, by_person, n_labels)
    found = fit_ridge(data, which, seed=seed).discriminant
    numbers = {
        "mean": found.mean,
        "scale": found.scale,
        "weight": found.weights * found.slope,
        "bias": -found.middle * found.slope,
    }
    _, n_chans, n_times = samples.X.shape
    network = make_model(RIDGE, {}, n_chans=n_chans, n_times=n_times, n_outputs=n_labels)
    network.load_state_dict({name: torch.from_numpy(np.float32(each)) for name, each in numbers.items()})
    return network.eval()
