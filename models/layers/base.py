"""A layer: one fitted step from a table to a table, computed with numpy from arrays that a bundle can hold.

A layer is a frozen dataclass.  Its fields that are arrays are its fitted numbers; the others are settings
(JSON types).  It computes with what is in its fields and nothing else, row by row: what it predicts for one
person does not depend on who else is predicted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, ClassVar, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from models.arrays import Floats
from models.errors import BundleError

Array = npt.NDArray[Any]
L = TypeVar("L")


class Layer(Protocol):
    """A step that takes a table: (n, n_in) float64 to (n, n_out) float64.

    The last one of a pipeline gives log odds or a logit for each label, (n, n_labels).
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]

    def __call__(self, X: Floats) -> Floats:
        """Rows in, rows out."""
        ...


def run(pipeline: Sequence[Layer], X: Floats) -> Floats:
    """Rows through one layer after the other.

    Parameters
    ----------
    pipeline : sequence of Layer
        In order.
    X : (n, n_columns) float64
        Rows.

    Returns
    -------
    (n, n_out) float64
        What the last gives.
    """
    for layer in pipeline:
        X = layer(X)
    return X


def to_arrays(layer: Any) -> tuple[dict[str, Array], dict[str, Any]]:
    """The fitted numbers of a layer or a feature, and its settings.

    Parameters
    ----------
    layer : Layer or models.features.base.Feature
        A frozen dataclass.

    Returns
    -------
    arrays : dict of str to ndarray
        Its fields that are arrays, such as weights, (n_in, n_out) float64.
    settings : dict
        The others; JSON types.
    """
    values = {field.name: getattr(layer, field.name) for field in fields(layer)}
    arrays = {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
    return arrays, {name: value for name, value in values.items() if name not in arrays}


def from_arrays(kind: type[L], arrays: Mapping[str, Array], settings: Mapping[str, Any]) -> L:
    """The layer or feature again.

    Parameters
    ----------
    kind : type
        Its class.
    arrays, settings : mapping
        As `to_arrays` gave them; lists stand for tuples.

    Raises
    ------
    BundleError
        A field is missing, or there is one that the class does not have.
    """
    wanted = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    found = {**arrays, **{k: tuple(v) if isinstance(v, list) else v for k, v in settings.items()}}
    if set(found) != wanted:
        raise BundleError(
            f"{kind.__name__} has {', '.join(sorted(found)) or 'nothing'}; "
            f"expected {', '.join(sorted(wanted))}."
        )
    return kind(**found)
