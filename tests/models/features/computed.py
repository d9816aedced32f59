"""A feature as tests call it."""

from typing import Any

import numpy as np

from models.features.base import Feature


def computed(feature: Feature, X: np.ndarray, repetition_time: Any = np.nan) -> np.ndarray:
    """Its table of series (n, n_regions, n_times), of one repetition time (s) or one a scan."""
    return np.asarray(feature(X, np.broadcast_to(np.asarray(repetition_time, dtype=float), len(X))))
