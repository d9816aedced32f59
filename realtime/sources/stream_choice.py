"""Which stream is meant by what a person wrote: the same words for live streams and for XDF files.

======================  ====================================================================
``Cap``                 the stream's name
``name=Cap``            likewise, where the name could be taken for something else
``source_id=cap-1``     what the sender is known by
``uid=6ba7b810-9dad``   this one outlet, until it is closed
``#2`` or ``2``         the second stream of the list that messages give, from 1
``type='NIRS' and ...`` an XPath predicate over the description, as LSL's resolver takes it
======================  ====================================================================

Quotes around a value are optional.  A stream that is called ``2`` goes before the second one.
Nothing here needs pylsl: `matches` is a pure function over names.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar

from models.errors import StreamError

TYPES = ("NIRS", "NIRSx", "fNIRS", "fMRI", "fnirs_cw_amplitude", "fnirs_od", "hbo", "hbr")
"""LSL content types of haemodynamic streams; the last four are MNE's channel types, as its player sends."""
FORMS = "a name, source_id=..., uid=... or a number such as #2"
"""What a stream can be chosen by, for messages."""


class By(StrEnum):
    """What a stream is chosen by."""

    NAME = "name"
    SOURCE_ID = "source_id"
    UID = "uid"
    NUMBER = "number"
    PREDICATE = "predicate"


class Stream(Protocol):
    """What is asked of a stream."""

    @property
    def name(self) -> str:
        """As its sender calls it."""

    @property
    def source_id(self) -> str:
        """What the sender is known by; may be empty."""

    @property
    def uid(self) -> str:
        """Of this one outlet."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person wrote, understood.

    Parameters
    ----------
    by : By
        What it is compared with.
    value : str
        The name, id or predicate; the digits of a number.
    text : str
        All that was written.
    """

    by: By
    value: str
    text: str

    def __str__(self) -> str:
        match self.by:
            case By.PREDICATE:
                return self.value
            case By.NUMBER:
                return f"#{self.value}"
            case _:
                return f"{self.by}={self.value!r}"


StreamT = TypeVar("StreamT", bound=Stream)

_FIELD = re.compile(r"(name|source_id|uid)\s*=\s*(.*)", re.DOTALL)
_NUMBER = re.compile(r"#?([0-9]{1,6})")
_FIELDS = (
    r"name|type|channel_count|channel_format|source_id|nominal_srate|version|created_at|uid|session_id|"
    r"hostname"
)
_FUNCTIONS = (
    r"not|starts-with|contains|substring|substring-before|substring-after|string|string-length|"
    r"normalize-space|translate|concat|count|number|boolean|true|false|sum|floor|ceiling|round"
)
_PREDICATE = re.compile(
    # After brackets: a function of XPath that is called, or a field of the description that is compared.
    rf"[(\s]*(?:(?:{_FUNCTIONS})\(|(?:{_FIELDS}|//\S+?|desc/\S+?)\s*(?:!=|=|<|>))"
)


def parse(text: str) -> Wanted:
    """Understand what a person wrote.

    Raises
    ------
    StreamError
        It is empty, holds control characters, or counts from 0.
    """
    written = text.strip()
    if not written:
        raise StreamError(f"The stream is chosen by {text!r}; expected {FORMS}.")
    if not written.isprintable():
        # A line end would also end the question that LSL sends to all outlets.
        raise StreamError(
            f"The stream is chosen by {text!r}, which holds control characters; expected {FORMS}."
        )
    if (number := _NUMBER.fullmatch(written)) is not None:
        if int(number[1]) == 0:
            raise StreamError(f"The stream is chosen by {text!r}; streams are counted from 1.")
        return Wanted(By.NUMBER, str(int(number[1])), written)
    if (field := _FIELD.fullmatch(written)) is not None and (value := _value(field[2])) is not None:
        if not value:
            raise StreamError(f"The stream is chosen by {text!r}; expected something behind '='.")
        return Wanted(By(field[1]), value, written)
    if _PREDICATE.match(written):
        return Wanted(By.PREDICATE, written, written)
    return Wanted(By.NAME, written, written)


def matches(wanted: str | Wanted, streams: Sequence[StreamT], *, part: bool = False) -> list[StreamT]:
    """The streams that are meant, in their order.

    Parameters
    ----------
    wanted : str or Wanted
        What a person wrote.
    streams : sequence of Stream
        All there are, in the order in which messages number them.
    part : bool
        Where no stream has the name, take those whose name holds it, in upper or lower case.

    Raises
    ------
    StreamError
        A predicate: only LSL's own resolver understands it.
    """
    one = parse(wanted) if isinstance(wanted, str) else wanted
    if one.by in (By.SOURCE_ID, By.UID):
        ids = [(getattr(stream, one.by.value), stream) for stream in streams]
        exact = [stream for its_id, stream in ids if its_id == one.value]
        return exact or [stream for its_id, stream in ids if _plain(its_id) == _plain(one.value)]
    # A name may look like anything.
    called = {_plain(one.value), _plain(one.text)}
    named = [stream for stream in streams if _plain(stream.name) in called]
    if named and not one.text.startswith("#"):
        return named
    match one.by:
        case By.NUMBER:
            return list(streams[int(one.value) - 1 : int(one.value)])
        case By.PREDICATE:
            raise StreamError(
                f"{one.text!r} is a predicate for LSL's resolver, which only live streams know; "
                f"expected {FORMS}."
            )
        case _:
            if not part:
                return named
            part_of = _plain(one.value).casefold()
            return named or [s for s in streams if part_of in _plain(s.name).casefold()]


def _plain(text: str) -> str:
    """A text without blanks around it, its letters composed: one that looks like another is it."""
    return unicodedata.normalize("NFC", text.strip())


def predicate_of(wanted: str | Wanted) -> str | None:
    """What LSL's resolver is asked for; None for a number, for which all streams must be listed."""
    one = parse(wanted) if isinstance(wanted, str) else wanted
    match one.by:
        case By.PREDICATE:
            return one.value
        case By.NUMBER:
            return None
        case _:
            return f"{one.by}={literal(one.value)}"


def literal(text: str) -> str:
    """A text as XPath 1.0 writes it, which knows no escape: quotes of the other kind, or pieces joined."""
    if "'" not in text:
        return f"'{text}'"
    if '"' not in text:
        return f'"{text}"'
    return "concat(" + ', "\'", '.join(f"'{piece}'" for piece in text.split("'")) + ")"


_PLAIN = re.compile("[ -~]+")


def alike(field: str, text: str) -> str:
    """A predicate that a stream matches whose field is this text; others may match it as well.

    A text that is not ASCII may have been sent in another encoding than the question would be, and a line end
    would end the question.  Then the longest piece is asked for that neither can spoil; whoever asks compares
    the whole.

    Parameters
    ----------
    field : str
        Of the stream's description.
    text : str
        As pylsl decoded it.
    """
    if text.isascii() and text.isprintable():
        return f"{field}={literal(text)}"
    return _holds(field, text)


def wider(wanted: Wanted) -> str | None:
    """A predicate that every stream matches that `matches` would take for this name or source_id.

    None for what the resolver itself compares well: predicates, uids and numbers.
    """
    return _holds(wanted.by, wanted.value) if wanted.by in (By.NAME, By.SOURCE_ID) else None


def _holds(field: str, text: str) -> str:
    # What is plain of a composed text is so of one in pieces as well.
    plain = _PLAIN.findall(unicodedata.normalize("NFC", text))
    return f"contains({field},{literal(max(plain, key=len, default=''))})"


_GOES_ON = re.compile(r"\s*(?:(?:and|or|div|mod)\b|[-=!<>|+*/,()\[\]])")
"""What may stand behind a literal in a predicate; behind the apostrophe of a name stands something else."""


def _value(text: str) -> str | None:
    """A value with or without quotes around it; None where it goes on behind them, as predicates do."""
    quote = text[:1]
    if quote not in ("'", '"'):
        return text
    inside = [at for at in range(1, len(text) - 1) if text[at] == quote]
    if len(text) > 1 and text.endswith(quote) and not any(_GOES_ON.match(text, at + 1) for at in inside):
        return text[1:-1]
    return None
