"""A person's own version of components that were found in others: dual regression.

Beckmann CF, Mackay CE, Filippini N, Smith SM (2009). Group comparison of resting-state FMRI data using
multi-subject ICA and dual regression. NeuroImage 47(S1):S148.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.arrays import Floats
from models.errors import HemostreamError
from models.features.series import Series, blocks, checked, fisher_z, pair_names, unit, upper

COMPONENT_MEASURES = ("loadings", "connectivity")
"""What `ComponentFeatures` can give."""


@dataclass(frozen=True, eq=False)
class ComponentFeatures:
    """What components do in a person; needs two volumes more than there are components.

    The maps are regressed on each volume, which gives the components' time courses in the person.

    Parameters
    ----------
    maps : (n_components, n_regions) float64
        Weights of regions.
    measure : str
        ``"loadings"``: the regions' standardised series regressed on the standardised time courses, all
        at once, which is the person's own maps.  ``"connectivity"``: Fisher's z of the correlations of
        every two time courses.
    """

    maps: Floats
    measure: str = "loadings"

    def __post_init__(self) -> None:
        if self.measure not in COMPONENT_MEASURES:
            known = ", ".join(COMPONENT_MEASURES)
            raise HemostreamError(f"measure is {self.measure!r}; expected one of {known}.")

    def __call__(self, X: Series, repetition_time: Floats) -> Floats:
        """Series in, (n, n_components * n_regions) or (n, n_component_pairs) float64 out.

        A masked region takes no part in finding the time courses, and loads 0.
        """
        n_components, n_regions = self.maps.shape
        X = checked(X, n_regions=n_regions)
        pairs = upper(n_components)
        loads = self.measure == "loadings"
        out = np.empty((len(X), n_components * n_regions if loads else int(pairs.sum())))
        for block in blocks(X, repetition_time):
            block.require(n_components + 2, f"regression on {n_components} components")
            series, live = unit(block)
            series = series.astype(np.float64)
            seen = self.maps * live[:, np.newaxis, :]
            # Least squares over live regions; where these leave a component out, the shortest solution.
            courses = np.linalg.pinv(seen @ self.maps.T, rcond=1e-10, hermitian=True) @ (seen @ series)
            norm = np.sqrt(np.square(courses).sum(axis=2, keepdims=True))
            courses = np.where(norm > 1e-12, courses / np.maximum(norm, 1e-12), 0.0)
            alike = courses @ courses.swapaxes(1, 2)
            if loads:
                inverse = np.linalg.pinv(alike, rcond=1e-10, hermitian=True)
                found = inverse @ (courses @ series.swapaxes(1, 2))
                out[block.rows] = found.reshape(len(block.rows), -1)
            else:
                out[block.rows] = fisher_z(alike[:, pairs])
        return out

    def names(self, regions: Sequence[str]) -> list[str]:
        """Names of the columns."""
        components = [f"component {c + 1}" for c in range(len(self.maps))]
        if self.measure == "connectivity":
            return pair_names(components)
        return [f"{component} in {region}" for component in components for region in regions]
