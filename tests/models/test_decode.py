"""What comes in as JSON: taken as it is where it fits, refused by key where it does not."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.decode import decode
from models.errors import MessageError


class Side(StrEnum):
    LEFT = "left"


@dataclass(frozen=True)
class Optode:
    name: str
    side: Side
    position: tuple[float, float]


@dataclass(frozen=True)
class Probe:
    optodes: tuple[Optode, ...]
    rate: float


def probe(name: str, **changes: Any) -> dict[str, Any]:
    return {"optodes": [{"name": name, "side": "left", "position": [0.0, 1]}], "rate": 5.0} | changes


@given(st.text(st.characters(codec=None, categories=None)))
def test_any_name_is_taken_as_it_is(name: str) -> None:
    """Lone surrogates too: a device may send a name in no encoding, and its journal must be read again."""
    found = decode(Probe, probe(name), error=MessageError, what="The probe")
    assert found == Probe((Optode(name, Side.LEFT, (0.0, 1.0)),), 5.0)


@pytest.mark.parametrize("name", ["S1", "S\ud800"])
@pytest.mark.parametrize("changes", [{"rate": "5"}, {"rate": None}, {"optodes": {}}, {"gain": 1}])
def test_what_does_not_fit_is_refused_whatever_the_names(name: str, changes: dict[str, Any]) -> None:
    with pytest.raises(MessageError, match=rf"The probe: {next(iter(changes))}: "):
        decode(Probe, probe(name, **changes), error=MessageError, what="The probe")
