"""What a study makes of the judged site's people, of whom no label is known: its transductive arm."""

import numpy as np
import numpy.typing as npt

from offline.sample_table import SampleTable
from offline.studies.base import Study

Floats = npt.NDArray[np.float64]


def centred(rows: Floats, site: npt.NDArray[np.str_]) -> Floats:
    """Features less the mean of each site's people: no label is looked at, but other people are.

    Parameters
    ----------
    rows : (n, n_features) float64
        Of everybody.
    site : (n,) str
        Where each was recorded.
    """
    out = rows.copy()
    for name in np.unique(site):
        here = site == name
        known = np.isfinite(rows[here])
        total = np.where(known, rows[here], 0.0).sum(axis=0)
        out[here] -= total / np.maximum(known.sum(axis=0), 1)
    return out


def words(study: Study, table: SampleTable) -> str:
    """How the unlabelled people are used, and for which sites they are too few.

    Parameters
    ----------
    study : Study
        Which.
    table : SampleTable
        One row a person.
    """
    if study.unlabelled is None:
        return ""
    names, counts = np.unique(table.site, return_counts=True)
    small = [str(name) for name, n in zip(names, counts, strict=True) if n < study.fewest_unlabelled]
    said = f"In the transductive arm no site is centred; instead: {study.unlabelled_words}."
    if small:
        said += (
            f" Sites with under {study.fewest_unlabelled} people are judged there as in the first arm: "
            f"{', '.join(small)}."
        )
    return said
