"""One site's ComBat correction, as fitted numbers (Johnson 2007, Biostatistics 8:118-127).

A feature is set against the mean and spread of all sites, what is left of the site (a shift and a
stretch) is taken out, and the result is put back into the feature's own unit.
"""

from dataclasses import dataclass

import numpy as np

from models.arrays import Floats


@dataclass(frozen=True, eq=False)
class Harmonise:
    """Take one site's shift and stretch out of every feature.

    Parameters
    ----------
    mean, scale : (n_features,) float64, the features' unit
        Over all sites; a constant feature's scale is 1.
    effects : (n_covariates, n_features) float64
        What a covariate adds to a feature; kept in the result.
    shift : (n_features,) float64, in units of `scale`
        The site's; 0 for a site of which nothing is known.
    stretch : (n_features,) float64
        The site's SD in units of `scale`; 1 for a site of which nothing is known.
    """

    mean: Floats
    scale: Floats
    effects: Floats
    shift: Floats
    stretch: Floats

    def __call__(self, X: Floats) -> Floats:
        """Rows as if recorded at no site in particular.

        Parameters
        ----------
        X : (n, n_features + n_covariates) float64
            A row's features, then its covariates.

        Returns
        -------
        (n, n_features) float64
            Features, in their unit.
        """
        features, covariates = X[:, : len(self.mean)], X[:, len(self.mean) :]
        expected = self.mean + covariates @ self.effects
        left = (features - expected) / self.scale
        return np.asarray((left - self.shift) / self.stretch * self.scale + expected)
