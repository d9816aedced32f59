"""Whether a record holds what its fields say: the check behind everything that comes from JSON.

A dataclass takes any value for any field.  What was written by us fits; what a damaged journal, a broker
or a bundle says need not, and would break far from where it came in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

LARGEST = 2.0**1023
"""No whole number beyond this is a float."""


def misfit(record: Any) -> str:
    """The first field of a record whose value is not of the declared type, in words; empty where all fit.

    Parameters
    ----------
    record : dataclass or named tuple
        With annotated fields.  Records inside it are looked through too; arrays are not.

    Examples
    --------
    >>> from collections import namedtuple
    >>> class Place(namedtuple("Place", "name")):
    ...     name: str
    >>> misfit(Place(3))
    'name is 3; expected str'
    """
    for name, kind in _kinds(record.__class__).items():
        value = getattr(record, name)
        if not fits(value, kind):
            shown, wanted = repr(value), getattr(kind, "__name__", str(kind))
            shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
            return f"{name} is {shown}; expected {wanted}"
        if is_dataclass(value) and not isinstance(value, type) and (inside := misfit(value)):
            return f"{name}.{inside}"
    return ""


def fits(value: Any, kind: Any) -> bool:
    """Whether a value is of a type as annotations write it.

    Parameters
    ----------
    value : object
        Anything.
    kind : type
        A class, a union, ``tuple[...]``, a mapping or a sequence of such; any value fits whatever else it is.
    """
    if kind is None or kind is NoneType:
        return value is None
    if kind is float:
        # Compared, not converted: JSON holds whole numbers that no float can.
        return isinstance(value, float) or (_whole(value) and abs(value) < LARGEST)
    if kind is int:
        return _whole(value)
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return any(fits(value, one) for one in inner)
    if origin is tuple:
        if not isinstance(value, tuple):
            return False
        if len(inner) == 2 and inner[1] is ...:
            return all(fits(one, inner[0]) for one in value)
        return len(value) == len(inner) and all(map(fits, value, inner))
    if origin is Mapping:
        return isinstance(value, Mapping) and all(
            fits(key, inner[0]) and fits(one, inner[1]) for key, one in value.items()
        )
    if origin is Sequence:
        return (
            isinstance(value, Sequence)
            and not isinstance(value, str | bytes)
            and all(fits(one, inner[0]) for one in value)
        )
    if isinstance(kind, type) and (
        kind in (str, bool, bytes) or issubclass(kind, Enum) or is_dataclass(kind)
    ):
        return isinstance(value, kind)
    return True


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


@cache
def _kinds(record: Any) -> dict[str, Any]:
    return get_type_hints(record)
