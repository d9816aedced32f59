"""What models are given: features of each scan, in which nothing is learnt from anybody else.

So they are computed once, whoever is left out afterwards, and kept by what they were computed from.
"""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np

from models.arrays import Floats
from models.errors import HemostreamError, ScanError, near_match
from models.features.base import Feature
from models.features.connectivity import Correlation, Shrunk
from models.features.dynamics import TemporalVariability
from models.features.granger import Granger
from models.features.measures import MEASURES, ConnectivityMeasures, regions_of, widths
from models.features.spectra import LowFrequency, Spectrum
from models.files.regular_file import check_regular
from models.layers.connectivity_ensemble import TANGENT
from offline.base.result_cache import DAMAGED, make_folder, put_array
from offline.base.versions import versions
from offline.scans import Scans

ALL_MEASURES = "connectivity measures"
"""The one table in which what a constant region would have is NaN."""
CORRELATION_AND_TRAITS = "correlation and traits"
"""Connectivity, then `N_TRAITS` columns: age, its square, whether female, logarithm of motion; NaN
where unknown, for whoever fits to decide about."""
AGE, AGE_SQUARED, FEMALE, LOG_MOTION = range(4)
"""Which of them is which."""
N_TRAITS = 4
AS_IT_IS = "as it is"
"""The data's own table, where they are no series."""
OF_ANYBODY = ("age and sex", "motion", "site")
"""Tables that need no scan."""
LEAST_MOTION = 1e-3
"""mm, of which the logarithm is taken where somebody moved less by the table."""


OF_SERIES: Mapping[str, tuple[Feature, ...]] = MappingProxyType(
    {
        "correlation": (Correlation(),),
        "covariance": (Shrunk("covariance"),),
        "shrunk correlation": (ConnectivityMeasures((TANGENT,)),),
        "partial correlation": (Shrunk(),),
        "effective connectivity": (Correlation(), Granger()),
        "spectrum": (Spectrum(),),
        "low frequency": (LowFrequency(), LowFrequency(fraction=True)),
        "temporal variability": (TemporalVariability(),),
        ALL_MEASURES: (ConnectivityMeasures(),),
    }
)
"""Tables of region series: what stands side by side in each.  A bundle computes with these."""


def _of(features: tuple[Feature, ...]) -> Callable[[Scans], Floats]:
    def table(scans: Scans) -> Floats:
        if not scans.is_series:
            raise HemostreamError(
                f"This system needs region series; these data are a table ({scans.derivative}). Give series, "
                "or run ridge-table, which takes a table as it is."
            )
        columns = [feature(scans.X, scans.repetition_time) for feature in features]
        return np.concatenate(columns, axis=1)

    return table


def _traits(scans: Scans) -> Floats:
    unknown = ~np.isfinite(scans.age)
    age = np.where(unknown, 0.0, scans.age)
    return np.column_stack([age, age**2, unknown, scans.sex == "F", scans.sex == "M"]).astype(np.float64)


def trait_columns(scans: Scans) -> Floats:
    """Age, its square, whether female, logarithm of motion: (n, n_traits) float64, NaN where unknown."""
    female = np.where(np.isin(scans.sex, ("F", "M")), scans.sex == "F", np.nan)
    motion = np.log(np.maximum(scans.motion, LEAST_MOTION))
    return np.column_stack([scans.age, scans.age**2, female, motion])


def _with_traits(scans: Scans) -> Floats:
    return np.concatenate([_of((Correlation(),))(scans), trait_columns(scans)], axis=1)


def _motion(scans: Scans) -> Floats:
    known = np.isfinite(scans.motion)
    motion = np.where(known, scans.motion, 0.0)
    logarithm = np.log(np.maximum(motion, LEAST_MOTION)) * known
    return np.column_stack([motion, logarithm, ~known]).astype(np.float64)


def _site(scans: Scans) -> Floats:
    return (scans.site[:, np.newaxis] == np.unique(scans.site)).astype(np.float64)


def _as_it_is(scans: Scans) -> Floats:
    if scans.is_series:
        raise HemostreamError("This system takes a table as it is; these data are region series.")
    return np.asarray(scans.X, dtype=np.float64)


TABLES: Mapping[str, Callable[[Scans], Floats]] = MappingProxyType(
    {
        **{name: _of(features) for name, features in OF_SERIES.items()},
        CORRELATION_AND_TRAITS: _with_traits,
        "age and sex": _traits,
        "motion": _motion,
        "site": _site,
        AS_IT_IS: _as_it_is,
    }
)
"""By name."""
WIDE = (ALL_MEASURES,)
"""Tables so wide that models take them in single precision, as they are kept, and copy nothing."""
OF_MATRICES = ("shrunk correlation", ALL_MEASURES)
"""Tables in which upper triangles of positive definite matrices stand."""
REVISION = 2
"""Raise it when what a table holds changes: what was kept before is then not taken up."""


def can_take(name: str, scans: Scans) -> bool:
    """Whether data of this kind (series, or a table) have such a table at all."""
    if name in OF_ANYBODY:
        return not unknown_of(name, scans)
    return (name == AS_IT_IS) != scans.is_series


def matrices_in(name: str, n_columns: int) -> slice | None:
    """Which of a table's columns are the upper triangle of a matrix, for whoever moves people about."""
    if name not in OF_MATRICES:
        return None
    measures = tuple(MEASURES) if name == ALL_MEASURES else (TANGENT,)
    size = widths(measures, regions_of(measures, n_columns))
    start = sum(size[measure] for measure in measures[: measures.index(TANGENT)])
    return slice(start, start + size[TANGENT])


def unknown_of(name: str, scans: Scans) -> str:
    """What a table that needs no scan would be made of and is not known; empty where it is."""
    if name == "motion" and not np.isfinite(scans.motion).any():
        return "no one's motion is known"
    if name == "age and sex" and not (np.isfinite(scans.age).any() or np.isin(scans.sex, ("F", "M")).any()):
        return "no one's age or sex is known"
    if name == "site" and len(np.unique(scans.site)) < 2:
        return "all people are of one site, or none says which"
    return ""


def table_of(name: str, scans: Scans, cache: Path) -> Path:
    """Where one of `TABLES` lies as ``.npy``, (n, n_features) float32, computed if it was not before.

    Raises
    ------
    HemostreamError
        There is no such table, or it cannot be computed from these data.
    """
    if name not in TABLES:
        raise HemostreamError(f"There is no table {name!r}. {near_match(name, tuple(TABLES))}")
    if why := unknown_of(name, scans):
        raise HemostreamError(
            f"The table {name!r} would say nothing: {why}. Add the column to the phenotype table, or leave "
            "this system out."
        )
    path = cache / f"{name.replace(' ', '-')}-{digest(scans)[:16]}-{REVISION}.npy"
    if not _is_whole(path, len(scans)):
        try:
            values = TABLES[name](scans)
        except ScanError as error:
            raise error.named(str(scans.table.recording[error.row])) from error
        whole = values[:, :-N_TRAITS] if name == CORRELATION_AND_TRAITS else values
        if name != ALL_MEASURES and not np.isfinite(whole).all():
            raise HemostreamError(f"The table {name!r} has values that are no numbers; expected none.")
        make_folder(cache)
        put_array(path, values.astype(np.float32))
    return path


def _is_whole(path: Path, n: int) -> bool:
    """Whether a table of n people lies there, and was not cut off."""
    try:
        check_regular(path)
        table = np.load(path, mmap_mode="r", allow_pickle=False)
        return bool(table.ndim == 2 and len(table) == n and table.dtype == np.float32)
    except (OSError, *DAMAGED):
        return False


def digest(scans: Scans) -> str:
    """What the data are, hexadecimal: every number that a table or a figure could follow from."""
    found = hashlib.sha256(repr((scans.X.shape, scans.labels, scans.names, scans.derivative)).encode())
    found.update(repr(sorted(versions().items())).encode())
    for values in (scans.repetition_time, scans.age, scans.motion, scans.y):
        found.update(np.ascontiguousarray(values).tobytes())
    for texts in (scans.table.person, scans.site, scans.sex):
        found.update(repr(texts.tolist()).encode())
    for row in scans.X:
        found.update(np.ascontiguousarray(row).tobytes())
    return found.hexdigest()
