"""What every system of the review is given: one scan a person, whose it is, and what was made of it.

Whoever divides people, trains or evaluates looks at the table; whoever computes features looks at X.  Age and
sex may be predictors; motion and site stand here for the rows that show what they alone would give.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from models.errors import HemostreamError
from offline.base.sample_table import SampleTable

DIAGNOSIS = "diagnosis"
OF_EACH = ("X", "repetition_time", "age", "sex", "motion")
"""What `Scans` holds of each scan besides the table and the scores."""


@dataclass(frozen=True, eq=False)
class Scans:
    """One scan a person.

    Parameters
    ----------
    table : SampleTable
        One row a scan: person, site, recording (the file's name); ``start`` is 0 and ``stop`` the scan's
        length in seconds (no number where the repetition time is unknown); ``target`` an index into `labels`.
    labels : tuple of str
        What targets stand for, e.g. ``("TD", "ASD")``; the second is the disorder.
    X : (n, n_regions, n_times) float32, or (n, n_features) float64
        Region series, no numbers after a scan's own end, a constant region all zero; or a table.
    names : tuple of str
        Of regions, or of features.
    repetition_time : (n,) float64, s
        No number where unknown.
    age, motion : (n,) float64, years and mm (mean framewise displacement)
        No number where unknown.
    sex : (n,) str
        ``"F"``, ``"M"`` or empty.
    derivative : str
        What X is and how it was preprocessed, in words: scans of two derivatives do not mix.
    scores : mapping of str to (n,) float64
        Dimensional targets; no number where unknown.  Never predictors.
    remarks : tuple of str
        What a person should know: constant regions, short series, who was left out and why.
    target : str
        What is predicted: ``"diagnosis"`` or another name for the labels, or one of `scores`.
    """

    table: SampleTable
    labels: tuple[str, ...]
    X: npt.NDArray[np.float32] | Floats
    names: tuple[str, ...]
    repetition_time: Floats
    age: Floats
    sex: npt.NDArray[np.str_]
    motion: Floats
    derivative: str
    scores: Mapping[str, Floats] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    target: str = DIAGNOSIS

    def __post_init__(self) -> None:
        n = len(self.table)
        for name in OF_EACH:
            if len(getattr(self, name)) != n:
                found = len(getattr(self, name))
                raise HemostreamError(f"{name} has {found} rows; expected {n}, one a scan.")
        if self.X.shape[1] != len(self.names):
            raise HemostreamError(f"X has {self.X.shape[1]} columns and {len(self.names)} names.")

    @classmethod
    def of(
        cls,
        person: npt.NDArray[np.str_],
        target: npt.NDArray[np.int64],
        *,
        recording: npt.NDArray[np.str_],
        labels: Sequence[str],
        X: npt.NDArray[np.float32] | Floats,
        names: Sequence[str],
        derivative: str,
        session: npt.NDArray[np.str_] | None = None,
        site: npt.NDArray[np.str_] | None = None,
        sex: npt.NDArray[np.str_] | None = None,
        age: Floats | None = None,
        motion: Floats | None = None,
        repetition_time: Floats | None = None,
        scores: Mapping[str, Floats] | None = None,
        remarks: Sequence[str] = (),
    ) -> "Scans":
        """Scans of these people, (n,) str each and their labels (n,) int64; what is not given is not known.

        A scan is as long as its series, where the repetition time is known.
        """

        def texts(values: npt.NDArray[np.str_] | None) -> npt.NDArray[np.str_]:
            return np.full(len(person), "", dtype=str) if values is None else values

        def numbers(values: Floats | None) -> Floats:
            return np.full(len(person), np.nan) if values is None else values

        seconds = numbers(repetition_time)
        length = numbers(None) if X.ndim == 2 else _volumes(X) * seconds
        start = np.zeros(len(person))
        return cls(
            table=SampleTable(recording, person, texts(session), texts(site), start, length, target),
            labels=tuple(labels),
            X=X,
            names=tuple(names),
            repetition_time=seconds,
            age=numbers(age),
            sex=texts(sex),
            motion=numbers(motion),
            derivative=derivative,
            scores=scores or {},
            remarks=tuple(remarks),
        )

    def __len__(self) -> int:
        return len(self.table)

    @property
    def is_series(self) -> bool:
        """Whether X holds series rather than a table."""
        return self.X.ndim == 3

    @property
    def is_continuous(self) -> bool:
        """Whether what is predicted is a continuous target rather than a label."""
        return self.target in self.scores

    @property
    def y(self) -> npt.NDArray[np.int64]:
        """Labels, (n,) int64."""
        return self.table.target

    @property
    def site(self) -> npt.NDArray[np.str_]:
        """Where each was recorded, (n,) str."""
        return self.table.site

    @property
    def n_times(self) -> npt.NDArray[np.int64]:
        """Volumes of each scan, (n,) int64; zeros where X is a table."""
        if not self.is_series:
            return np.zeros(len(self), dtype=np.int64)
        return _volumes(self.X)

    def rows(self, chosen: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> "Scans":
        """Only these people, (n,) intp or bool, in this order."""
        return replace(
            self,
            table=self.table.rows(chosen),
            scores={name: values[chosen] for name, values in self.scores.items()},
            **{name: getattr(self, name)[chosen] for name in OF_EACH},
        )


def _volumes(X: npt.NDArray[np.floating]) -> npt.NDArray[np.int64]:
    """Of each of (n, n_regions, n_times) series, (n,) int64."""
    return np.asarray(np.isfinite(X[:, 0, :]).sum(axis=1), dtype=np.int64)
