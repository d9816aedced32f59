"""A part: one fitted step of a system, computed with numpy from arrays that a bundle can hold.

A part is a frozen dataclass.  Its fields that are arrays are its fitted numbers; the others are settings
(JSON types).  It computes with what is in its fields and nothing else, row by row: what it says of one
person does not depend on who else is asked about.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, ClassVar, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from models.errors import BundleError

Array = npt.NDArray[Any]
P = TypeVar("P")


class Part(Protocol):
    """A step that takes a table: (n, n_in) float64 to (n, n_out) float64.

    The last one of a system gives a log odds or a logit for each label, (n, n_labels).
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]

    def __call__(self, X: Floats) -> Floats:
        """Rows in, rows out."""
        ...


class SeriesPart(Protocol):
    """A step that takes region series: (n, n_regions, n_times) to (n, n_out) float64.

    No numbers stand after a scan's own end; a region that is all zero was constant.
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]

    def __call__(self, X: npt.NDArray[np.floating[Any]], repetition_time: Floats) -> Floats:
        """Series and seconds between volumes of each scan, (n,), in; rows out."""
        ...


def to_arrays(part: Part | SeriesPart) -> tuple[dict[str, Array], dict[str, Any]]:
    """A part's fitted numbers, and its settings.

    Parameters
    ----------
    part : Part or SeriesPart
        A frozen dataclass.

    Returns
    -------
    arrays : dict of str to ndarray
        Its fields that are arrays, such as weights, (n_in, n_out) float64.
    settings : dict
        The others; JSON types.
    """
    values = {field.name: getattr(part, field.name) for field in fields(part)}
    arrays = {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
    return arrays, {name: value for name, value in values.items() if name not in arrays}


def from_arrays(kind: type[P], arrays: Mapping[str, Array], settings: Mapping[str, Any]) -> P:
    """The part again.

    Parameters
    ----------
    kind : type
        Its class.
    arrays, settings : mapping
        As `to_arrays` gave them; lists stand for tuples.

    Raises
    ------
    BundleError
        A field is missing, or there is one that the part does not have.
    """
    wanted = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    found = {**arrays, **{k: tuple(v) if isinstance(v, list) else v for k, v in settings.items()}}
    if set(found) != wanted:
        raise BundleError(
            f"{kind.__name__} has {', '.join(sorted(found)) or 'nothing'}; "
            f"expected {', '.join(sorted(wanted))}."
        )
    return kind(**found)
