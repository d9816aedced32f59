"""Values and comments as TOML."""

import json
import re
import textwrap
from collections.abc import Iterable
from typing import Any


def value_of(value: Any) -> str:
    """A string, number, truth value or tuple of these."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(map(value_of, value))}]"
    return quoted(value) if isinstance(value, str) else repr(value)


def quoted(text: str) -> str:
    """A basic string."""
    # JSON's escapes are TOML's, but for characters that TOML wants as they are, and one that it does not.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def key_of(name: str) -> str:
    """A key, bare where it may be."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else quoted(name)


def commented(sentences: Iterable[str]) -> list[str]:
    """Sentences as lines of comments."""
    return [
        line
        for sentence in sentences
        for line in textwrap.wrap(sentence, 96, initial_indent="# ", subsequent_indent="# ")
    ]
