"""Features of region series as a scikit-learn transformer: `models.features` compute.

A transformer learns at most numbers from the people it is fitted to; what it gives of a person is computed by
its feature.  So what was evaluated is what is exported.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from models.arrays import Floats
from models.errors import HemostreamError
from models.features.base import Feature
from models.features.series import Series, checked


class SeriesFeatures(TransformerMixin, BaseEstimator):
    """A feature of region series as a transformer.

    Parameters
    ----------
    feature : Feature
        Of `models.features`, such as ``Correlation(fisher=False)``.

    Attributes
    ----------
    fitted_to_people : bool
        False where nothing is learnt from the people it is fitted to but the number of regions: the
        result may be computed once, outside the folds, and cached.
    feature_ : Feature
        What it computes, for export.
    n_features_in_ : int
        Regions.
    """

    fitted_to_people: ClassVar[bool] = False

    def __init__(self, feature: Feature) -> None:
        self.feature = feature

    def make_feature(self, X: Series, repetition_time: Floats) -> Feature:
        """The feature; where `fitted_to_people`, fitted to these people.

        Parameters
        ----------
        X : (n, n_regions, n_times) floating
            Region series.
        repetition_time : (n,) float64, s
            NaN where unknown.
        """
        return self.feature

    def fit(self, X: Series, y: Any = None, *, repetition_time: Any = None) -> Self:
        """Make the feature.

        Parameters
        ----------
        X : (n, n_regions, n_times) float32 or float64
            Region series, NaN after a scan's own end, a constant region all zero.
        y : any
            Not looked at.
        repetition_time : (n,) float64 or float or None, s
            Of each scan, or of all; None where the feature needs none.
        """
        X = checked(X)
        if self.fitted_to_people and len(X) == 0:
            raise HemostreamError(
                f"{type(self).__name__} was given no people to be fitted to; expected some."
            )
        self.feature_ = self.make_feature(X, seconds_of(repetition_time, len(X)))
        self.n_features_in_ = int(X.shape[1])
        return self

    def transform(self, X: Series, *, repetition_time: Any = None) -> Floats:
        """Features of each person.

        Parameters
        ----------
        X : (n, n_regions, n_times) float32 or float64
            As in `fit`; other people, any length.
        repetition_time : (n,) float64 or float or None, s
            As in `fit`.

        Returns
        -------
        (n, n_features) float64
            Always finite; what a masked region has is stated by each feature.
        """
        check_is_fitted(self, "feature_")
        X = checked(X, n_regions=self.n_features_in_)
        return np.asarray(self.feature_(X, seconds_of(repetition_time, len(X))))

    def fit_transform(self, X: Series, y: Any = None, *, repetition_time: Any = None) -> Floats:
        """`fit`, then `transform` of the same people.

        Parameters
        ----------
        X : (n, n_regions, n_times) float32 or float64
            Region series.
        y : any
            Not looked at.
        repetition_time : (n,) float64 or float or None, s
            As in `fit`.

        Returns
        -------
        (n, n_features) float64
            As `transform` gives them.
        """
        return self.fit(X, y, repetition_time=repetition_time).transform(X, repetition_time=repetition_time)

    def get_feature_names_out(self, input_features: Sequence[str] | None = None) -> npt.NDArray[np.object_]:
        """Names of the columns.

        Parameters
        ----------
        input_features : sequence of str or None
            Names of regions; numbered where None.

        Returns
        -------
        (n_features,) str
            As objects, as scikit-learn has them.
        """
        check_is_fitted(self, "feature_")
        regions = [f"region {i + 1}" for i in range(self.n_features_in_)]
        if input_features is not None:
            regions = [str(name) for name in input_features]
        if len(regions) != self.n_features_in_:
            raise HemostreamError(
                f"{len(regions)} names of regions; expected {self.n_features_in_}, as fitted."
            )
        return np.array(self.feature_.names(regions), dtype=object)


def seconds_of(repetition_time: Any, n: int) -> Floats:
    """Repetition times as features take them.

    Parameters
    ----------
    repetition_time : (n,) float64 or float or None, s
        As transformers take them.
    n : int
        Scans.

    Returns
    -------
    (n,) float64, s
        NaN where none was given; whether that matters, the feature knows.
    """
    if repetition_time is None:
        return np.full(n, np.nan)
    seconds = np.asarray(repetition_time, dtype=np.float64)
    return np.full(n, float(seconds)) if seconds.ndim == 0 else seconds
