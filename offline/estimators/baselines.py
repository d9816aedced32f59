"""What a network must beat: the commonest label, a linear model of simple features, and the clock.

The first two are scikit-learn classifiers over windows ``(n, n_channels, n_samples)``; whatever they fit,
scaling and strength of the penalty included, they fit to the people of training alone.
"""

import numpy as np
import numpy.typing as npt
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from offline.base.window_store import Windows

STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""Inverse penalties that are tried over groups of people."""
AT_ONCE = 1024
"""Windows whose features are computed together: more would only take memory."""
TIME_SD_S = 2.0
"""Over which time the clock's labels are averaged, s."""
DEFAULT_STRENGTH = 1e-2
"""Used where there are too few groups to try: strong, for windows overlap and are not independent."""


def window_features(X: Windows) -> npt.NDArray[np.float64]:
    """Mean, slope and standard deviation of each channel.

    Of windows (n_windows, n_channels, n_samples) float32, (n_windows, 3 * n_channels) float64: all means, all
    slopes (change over the window), all standard deviations, in the pipeline's units.
    """
    out = np.empty((len(X), 3 * X.shape[1]))
    for first in range(0, len(X), AT_ONCE):
        rows = slice(first, first + AT_ONCE)
        out[rows] = _features(X[rows])
    return out


def _features(X: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    n_samples = X.shape[2]
    time = np.linspace(-0.5, 0.5, n_samples) if n_samples > 1 else np.zeros(1)
    weights = time / max(float(time @ time), np.finfo(float).tiny)
    mean = X.mean(axis=2, dtype=np.float64)
    slope = X.astype(np.float64) @ weights
    spread = X.std(axis=2, dtype=np.float64)
    return np.concatenate([mean, slope, spread], axis=1)


def majority() -> DummyClassifier:
    """The classifier that knows only how common each label is."""
    return DummyClassifier(strategy="prior")


def fit_linear(
    X: npt.NDArray[np.float32], y: npt.NDArray[np.int64], group: npt.NDArray[np.str_]
) -> tuple[Pipeline, float]:
    """Fit the linear baseline, its inverse penalty chosen on people it was not fitted to; gives both.

    Of windows (n_windows, n_channels, n_samples) float32; all else as `fit_logistic` takes it.
    """
    fitted, strength = fit_logistic(window_features(X), y, group)
    return make_pipeline(FunctionTransformer(window_features), *(step for _, step in fitted.steps)), strength


def fit_logistic(
    features: npt.NDArray[np.float64], y: npt.NDArray[np.int64], group: npt.NDArray[np.str_]
) -> tuple[Pipeline, float]:
    """Logistic regression on standardised features, its inverse penalty chosen on unseen people; gives both.

    Of features (n_windows, n_features) float64, labels (n_windows,) int64 and whose they are, (n_windows,)
    str.  `DEFAULT_STRENGTH` where no division of the groups leaves every label on both sides.
    """
    n_groups = len(np.unique(group))
    divisions = []
    if n_groups > 1:
        split = StratifiedGroupKFold(min(5, n_groups))
        divisions = list(split.split(np.zeros(len(y)), y, groups=group))
    n_labels = len(np.unique(y))
    if not divisions or any(len(np.unique(y[part])) < n_labels for pair in divisions for part in pair):
        return _logistic(DEFAULT_STRENGTH).fit(features, y), DEFAULT_STRENGTH
    search = GridSearchCV(
        _logistic(DEFAULT_STRENGTH),
        {"logisticregression__C": list(STRENGTHS)},
        cv=divisions,
        scoring="neg_log_loss",
        refit=False,
    )
    search.fit(features, y)
    strength = float(search.best_params_["logisticregression__C"])
    return _logistic(strength).fit(features, y), strength


def _logistic(strength: float) -> Pipeline:
    return make_pipeline(
        StandardScaler(), LogisticRegression(C=strength, class_weight="balanced", max_iter=2000)
    )


def fit_by_time(
    elapsed: npt.NDArray[np.float64], y: npt.NDArray[np.int64], new: npt.NDArray[np.float64], n_labels: int
) -> npt.NDArray[np.float64]:
    """Probabilities (m, n_labels) of labels from nothing but the time within the recording.

    A task whose blocks come at the same times for everybody can be predicted from the clock alone; whatever
    reads the brain must do better than that.  Of training windows the time since the recording's first, (n,)
    float64 in s, and the label, (n,) int64; of new ones the time, (m,) float64 in s.  They get the labels
    that training windows had at about that time (a Gaussian of `TIME_SD_S`), balanced.
    """
    counts = np.bincount(y, minlength=n_labels)
    near = np.exp(-0.5 * np.square((new[:, np.newaxis] - elapsed) / TIME_SD_S))
    # A little of every label: beyond the training recordings the clock says nothing.
    votes = near @ (np.eye(n_labels)[y] / np.maximum(counts, 1)) + 1e-3 / len(y)
    return np.asarray(votes / votes.sum(axis=1, keepdims=True))
