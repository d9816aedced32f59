"""One decoder for everything that comes from JSON or TOML: pydantic's checks, in our words.

Whatever a bundle, a journal, a broker, a side file or a recipe holds is checked here, where it comes in:
every key, every type, every bound.  A record that was decoded needs no second look.
"""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, ClassVar, TypeVar, get_args, get_type_hints

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from models.errors import HemostreamError, near_match

T = TypeVar("T")
LONGEST_VALUE = 60
"""Characters of a value that a message shows."""
_ADAPTERS: dict[Any, TypeAdapter[Any]] = {}
STRICT = ConfigDict(extra="forbid", strict=True)
"""No unknown key, no number for a text."""
FINITE = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
"""And no NaN."""


class Record(BaseModel):
    """What comes in at an edge: fixed once decoded, strict about keys and types, finite."""

    model_config = ConfigDict(**FINITE, frozen=True)
    RENAMED: ClassVar[Mapping[str, str]] = {}
    """Keys that had another name once, by that name."""


def decode(kind: type[T], values: Any, *, error: type[HemostreamError], what: str, advice: str = "") -> T:
    """Check values as they come, and make the record that they describe.

    Parameters
    ----------
    kind : type
        A `Record`, a dataclass or a named tuple.
    values : object
        JSON types.
    error : type of HemostreamError
        Raised where they do not fit.
    what : str
        Begins the message.
    advice : str
        Ends it: what to do.

    Raises
    ------
    HemostreamError
        Every key that is unknown (with its near match), missing, or of a wrong value.

    Examples
    --------
    >>> from models.errors import MessageError
    >>> class Place(Record):
    ...     name: str
    >>> decode(Place, {"name": 3}, error=MessageError, what="The place")
    Traceback (most recent call last):
    models.errors.MessageError: The place: name: found 3; expected a valid string.
    """
    try:
        if is_dataclass(kind):
            return _by_json(_adapter_of(kind), values)
        # Records are strict by themselves; a named tuple cannot say so.
        return _adapter_of(kind).validate_python(values, strict=True if issubclass(kind, tuple) else None)
    except ValidationError as found:
        raise error(_sentence(what, in_words(found, kind), advice)) from found
    except (TypeError, ValueError, RecursionError) as found:
        raise error(_sentence(what, f"{found}", advice)) from found


def decode_message(kind: type[T], text: str | bytes, *, error: type[HemostreamError], what: str) -> T:
    """Undo the JSON of a message of ours, which names its ``schema`` beside the fields.

    Raises
    ------
    HemostreamError
        It is no JSON, or not of this kind.
    """
    try:
        values = json.loads(text)
        del values["schema"]
    except (KeyError, TypeError, ValueError, RecursionError) as found:
        raise error(f"{what} ({type(found).__name__}: {found}): {text[:60]!r}.") from found
    return decode(kind, values, error=error, what=what)


def in_words(found: ValidationError, kind: Any) -> str:
    """All that is wrong, each with its key, the value found, and what was expected.

    Parameters
    ----------
    found : ValidationError
        What pydantic says.
    kind : type
        What was to be made; its keys are searched for near matches.
    """
    return "; ".join(
        _one(each["loc"], each["type"], each["msg"], each["input"], kind)
        for each in found.errors(include_url=False, include_context=False)
    )


def _by_json(adapter: TypeAdapter[T], values: Any) -> T:
    """By way of JSON, whose lists may be tuples and whose words members of an enum."""
    text = json.dumps(values, ensure_ascii=False)
    try:
        return adapter.validate_json(text.encode())
    except UnicodeEncodeError:
        # A device's name in no encoding holds lone surrogates, which are no JSON: all else is checked with
        # them replaced, and then they are taken as they are.
        adapter.validate_json(text.encode("utf-8", "replace"))
        return adapter.validate_python(values, strict=False)


def _sentence(what: str, wrong: str, advice: str) -> str:
    return f"{what}: {wrong.removesuffix('.')}. {advice}".rstrip()


def _one(location: tuple[int | str, ...], reason: str, message: str, value: Any, kind: Any) -> str:
    key = ".".join(str(part) for part in location)
    if reason in ("extra_forbidden", "unexpected_keyword_argument"):
        section = _section_at(kind, location[:-1])
        if renamed := getattr(section, "RENAMED", {}).get(location[-1]):
            return f"{key}: unknown. Its name is {renamed!r} now"
        return f"{key}: unknown. {near_match(str(location[-1]), [str(name) for name in _fields(section)])}"
    if reason in ("missing", "missing_argument"):
        return f"{key}: missing"
    words = message.removeprefix("Value error, ").replace("Input should be ", "expected ")
    words = words.replace("valid tuple", "list").replace("dictionary", "table")
    own = reason == "value_error" or not location
    text = words if own and isinstance(value, Mapping | BaseModel) else f"found {_shown(value)}; {words}"
    return f"{key}: {text}" if key else text


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 3]}..."


def _section_at(kind: Any, location: tuple[int | str, ...]) -> Any:
    """The type of a section, found by walking down to it."""
    for part in location:
        known = _fields(kind)
        kind = known[part] if part in known else _inside(kind)
    return _inside(kind)


def _fields(kind: Any) -> Mapping[Any, Any]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return {name: its.annotation for name, its in kind.model_fields.items()}
    if isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(kind)
        return {each.name: hints[each.name] for each in fields(kind)}
    return {}


def _inside(kind: Any) -> Any:
    """The record that a list, a table or an optional value holds; itself where it is one."""
    while not _fields(kind) and get_args(kind):
        kind = next((each for each in get_args(kind) if _fields(each) or get_args(each)), None)
    return kind


def _adapter_of(kind: type[T]) -> TypeAdapter[T]:
    """Made once for each kind, when one is first decoded."""
    if kind not in _ADAPTERS:
        if is_dataclass(kind) and not hasattr(kind, "__pydantic_config__"):
            # Where pydantic looks for it; records inside it follow.
            setattr(kind, "__pydantic_config__", STRICT)  # noqa: B010
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]
