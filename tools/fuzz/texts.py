"""Damage to texts that keeps them texts: tokens of TOML, TSV and source, trees of JSON and XML."""

import json
import re
from copy import deepcopy
from typing import Any
from xml.etree import ElementTree as ET

from tools.fuzz.damage import Random

VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1,
    2,
    3.5,
    1e-320,
    1e308,
    -1e308,
    float("nan"),
    float("inf"),
    -float("inf"),
    2**31,
    2**63,
    10**400,
    "",
    " ",
    "0",
    "1e400",
    "nan",
    "\x00",
    "\ud800",
    "x" * 3000,
    "../../etc",
    "abstain",
    [],
    {},
    [[]],
    [None],
    {"": None},
    [0] * 1000,
)
"""What a value may have become."""
DEEP = 100_000
"""Brackets inside brackets."""
_TOKENS = re.compile(r'"[^"\n]*"|[A-Za-z_][\w.-]*|[+-]?\d[\d.eE+-]*|\s+|.', re.DOTALL)
_WORDS = (
    "0", "-1", "1e308", "1e400", "nan", "inf", "-inf", "9" * 400, "9" * 5000, "2147483648", "1_000", "0x10",
    '""', '"', "'", "true", "false", "null", "None", "[]", "{}", "[", "]", "{", "}", "=", ",", ":", "\t",
    "\n", "\r", "\x00", "#", "\ufeff", "\u2028", "é", "[[a]]", "1979-05-27", "x" * 3000, "n/a", "",
)  # fmt: skip


def tokens(text: str, random: Random) -> str:
    """Replace, repeat, remove or exchange a few tokens.

    Parameters
    ----------
    text : str
        Any text.
    random : numpy.random.Generator
        Where chance comes from.
    """
    found = _TOKENS.findall(text)
    if random.random() < 0.01:
        at = int(random.integers(0, len(found) + 1))
        found[at:at] = [str(random.choice(["[", "{", '{"a":', "(", "<a>", "a = ["])) * DEEP]
    for _ in range(1 + int(random.integers(0, 4))):
        if not found:
            break
        at, to = (int(i) for i in random.integers(0, len(found), 2))
        match int(random.integers(0, 5)):
            case 0 | 1:
                found[at] = _WORDS[int(random.integers(0, len(_WORDS)))]
            case 2:
                del found[at : at + 1 + int(random.integers(0, 8))]
            case 3:
                found[to:to] = found[at : at + 1 + int(random.integers(0, 30))]
            case _:
                found[at], found[to] = found[to], found[at]
    return "".join(found)


def tree(values: Any, random: Random) -> Any:
    """JSON values with a few of them changed, in place; the root too may become something else.

    Parameters
    ----------
    values : JSON types
        Fresh from `json.loads`: it is changed.
    random : numpy.random.Generator
        Where chance comes from.
    """
    for _ in range(1 + int(random.integers(0, 3))):
        places = list(_places(values))
        if not places or random.random() < 0.01:
            return _value(random)
        parent, key = places[int(random.integers(0, len(places)))]
        match int(random.integers(0, 8)):
            case 0:
                del parent[key]
            case 1 if isinstance(parent, dict):
                parent[f"{key}x" if random.random() < 0.5 else str(_value(random))] = parent.pop(key)
            case 1:
                parent.insert(key, parent[key])
            case 2:
                other, place = places[int(random.integers(0, len(places)))]
                # Copied, or a value could come to stand inside itself.
                parent[key] = json.loads(json.dumps(other[place]))
            case 3:
                parent[key] = [parent[key]]
            case 4 if isinstance(parent[key], int | float):
                parent[key] = -parent[key] if random.random() < 0.5 else parent[key] * 1000
            case 4:
                parent[key] = str(parent[key])
            case _:
                parent[key] = _value(random)
    return values


def json_text(text: str, random: Random) -> str:
    """A JSON text with its tree changed, or else its tokens."""
    kind = random.random()
    if kind < 0.3:
        return tokens(text, random)
    if kind < 0.31:
        return "[" * DEEP
    return json.dumps(tree(json.loads(text), random), ensure_ascii=bool(random.random() < 0.5))


def xml_text(text: str, random: Random) -> str:
    """An XML text with elements removed, repeated, moved, renamed or given other texts."""
    kind = random.random()
    if kind < 0.2:
        return tokens(text, random)
    if kind < 0.205:
        return "<a>" * DEEP + "</a>" * DEEP
    root = ET.fromstring(text)
    for _ in range(1 + int(random.integers(0, 4))):
        parents = {child: parent for parent in root.iter() for child in parent}
        if not parents:
            break
        children = list(parents)
        child = children[int(random.integers(0, len(children)))]
        parent = parents[child]
        match int(random.integers(0, 6)):
            case 0:
                parent.remove(child)
            case 1:
                parent.extend([child] * int(random.choice([1, 2, 50])))
            case 2:
                child.tag = str(random.choice(["x", "channel", "optode", "desc", "label", "hemostream"]))
            case 3:
                children[int(random.integers(0, len(children)))].append(ET.fromstring(ET.tostring(child)))
            case _:
                child.text = re.sub(r"[\x00-\x08\ud800]", "?", str(_value(random)))
    return ET.tostring(root, encoding="unicode")


def _value(random: Random) -> Any:
    return deepcopy(VALUES[int(random.integers(0, len(VALUES)))])  # or what is put in would be damaged too


def _places(values: Any) -> Any:
    """Every place where a value stands: its container, and its key or index there."""
    if isinstance(values, dict | list):
        pairs = list(values.items() if isinstance(values, dict) else enumerate(values))
        for key, value in pairs:
            yield values, key
            yield from _places(value)
