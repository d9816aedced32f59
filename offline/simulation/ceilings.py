"""How well the groups of a simulated cohort can be distinguished at all: three ceilings, each under the last.

Latent: were each person's parameters known exactly.  Recording: from the whole recording, by the best of
several scorers that learnt from very many people.  Window: the same from windows behind the live pipeline, a
person's log odds averaged.  The first is exact; the other two are the best that was *found*, so the true
ceilings may lie a little above.  Simulated figures say nothing about autism.
"""

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from scipy.signal import detrend, welch
from scipy.stats import norm
from sklearn.base import ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from models.arrays import Bools, Floats
from offline.estimators.baselines import window_features

BANDS_HZ = ((0.005, 0.01), (0.01, 0.02), (0.02, 0.04), (0.04, 0.07), (0.07, 0.13), (0.13, 0.4), (0.4, 1.0))
"""Bands in which the whole recording's power and homotopic correlation are taken."""


def latent_auc(group_effect: float) -> float:
    """Area under the ROC curve of the perfect scorer of two independent parameters of equal spread.

    Of Cohen's d of each: together the groups differ by ``sqrt(2) * d``, and the area is ``Phi(d)``.
    """
    return float(norm.cdf(abs(group_effect)))


def recording_features(series: Floats, partners: npt.NDArray[np.intp], rate: float) -> Floats:
    """What a whole recording shows of memory and of homotopic correlation.

    Of concentration changes, (n_channels, n_samples) float64 mol/L at a rate, Hz, and the mirrored channel of
    each, of the same chromophore, (n_channels,) intp, it gives (n_features,) float64: log power of each band,
    its slope over frequency, and the Fisher z of the correlation of mirrored channels in each band, each as
    mean over channels; bands that the recording is too short for are left out.
    """
    n = series.shape[1]
    clean = detrend(series, axis=1)
    spectrum = np.fft.rfft(clean * np.hanning(n), axis=1)
    frequency = np.fft.rfftfreq(n, 1.0 / rate)
    power = np.abs(spectrum) ** 2
    out: list[float] = []
    for low, high in BANDS_HZ:
        inside = (frequency >= low) & (frequency < min(high, 0.45 * rate))
        if np.count_nonzero(inside) < 2:
            continue
        band = power[:, inside].mean(axis=1)
        cross = np.real(spectrum[:, inside] * np.conj(spectrum[partners][:, inside])).mean(axis=1)
        likeness = np.clip(cross / np.sqrt(band * band[partners]), -0.99, 0.99)
        out += [float(np.log(band).mean()), float(np.arctanh(likeness).mean())]
    slow = (frequency >= 1.0 / (n / rate) * 1.5) & (frequency < 0.07)
    slopes = np.polyfit(np.log(frequency[slow]), np.log(power[:, slow]).T, 1)[0]
    smooth, density = welch(clean, rate, nperseg=min(n, int(64 * rate)), axis=1)
    below = (smooth > 0) & (smooth < 0.07)
    out += [float(slopes.mean()), float(slopes.std()), float(np.log(density[:, below]).std())]
    return np.array(out)


def rich_window_features(X: npt.NDArray[np.float32]) -> Floats:
    """The linear baseline's features, and in each window what channels share and how smooth they are.

    Of windows behind the pipeline, (n, n_channels, n_samples) float32, it gives (n, n_features) float64: also
    all covariances of channels, and autocovariances up to half the window.
    """
    values = X.astype(np.float64)
    n_times = values.shape[2]
    shared = np.einsum("nct,ndt->ncd", values, values, optimize=True) / n_times
    rows, columns = np.tril_indices(values.shape[1])
    lags = sorted({1, 2, 4, n_times // 4, n_times // 2})
    own = [np.mean(values[:, :, lag:] * values[:, :, : n_times - lag], axis=2) for lag in lags]
    return np.concatenate([window_features(X), shared[:, rows, columns], *own], axis=1)


def scorers(seed: int) -> Mapping[str, ClassifierMixin]:
    """What is tried: a linear and a non-linear classifier, made to learn from very many rows."""
    return {
        "logistic": make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=500)),
        "boosted trees": HistGradientBoostingClassifier(
            max_iter=150, learning_rate=0.06, max_leaf_nodes=15, l2_regularization=1.0, random_state=seed
        ),
    }


def by_person(log_odds: Floats, whose: npt.NDArray[np.intp], n_people: int) -> Floats:
    """Mean, (n_people,) float64, over the windows of each person (`whose`, from 0); NaN without any."""
    count = np.bincount(whose, minlength=n_people)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.bincount(whose, log_odds, minlength=n_people) / np.where(count, count, np.nan))


def compare(first: Floats, second: Floats, positive: Bools) -> tuple[float, float, float]:
    """Area under the ROC curve of the first of two scores, how much more it is than the second's, and the SE.

    Of scores of the same people, (n_people,) float64; the standard error is of the paired difference (DeLong
    et al. 1988).
    """
    one, other = _placements(first, positive), _placements(second, positive)
    variance = sum(float(np.var(a - b, ddof=1)) / len(a) for a, b in zip(one, other, strict=True))
    area = float(one[0].mean())
    return area, area - float(other[0].mean()), math.sqrt(variance)


def _placements(scores: Floats, positive: Bools) -> tuple[Floats, Floats]:
    """For each of the second group the share of the first that it lies above; and the other way round."""
    second, first = scores[positive], scores[~positive]
    above = (second[:, np.newaxis] > first) + 0.5 * (second[:, np.newaxis] == first)
    return above.mean(axis=1), above.mean(axis=0)
