"""CONTRIBUTING's map: every file and every name in it is there."""

import re
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1]
TEXT = (HOUSE / "CONTRIBUTING.md").read_text(encoding="utf-8")
PLACE = re.compile(r"`((?:models|realtime|offline|tools|tests|docs)/[\w./-]*)`")
NAMED = re.compile(PLACE.pattern + r" \(((?:`[\w.]+`(?:, )?)+)")


def test_every_place_is_there() -> None:
    places = set(PLACE.findall(TEXT))
    assert len(places) > 40
    assert not [place for place in sorted(places) if not (HOUSE / place).exists()]


@pytest.mark.parametrize(("place", "names"), NAMED.findall(TEXT), ids=lambda text: text[:40])
def test_every_name_is_defined_where_the_map_says(place: str, names: str) -> None:
    where = HOUSE / place
    files = [where] if where.is_file() else sorted(where.rglob("*.py"))
    text = "\n".join(file.read_text(encoding="utf-8") for file in files)
    for name in re.findall(r"`([\w.]+)`", names):
        for part in name.split("."):
            assert re.search(rf"^ *(?:class|def) {part}\b|^{part}\b.*=", text, flags=re.MULTILINE), name


def test_the_map_names_something() -> None:
    assert len(NAMED.findall(TEXT)) > 5
