"""The page model: texts stay texts, nothing is fetched, every page says what it is for."""

import re
import tomllib
from fnmatch import fnmatch
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from models.outside import printable
from offline.report.page import (
    RESEARCH,
    Bullets,
    PageBlock,
    PageLinks,
    PageSection,
    Paragraph,
    Picture,
    Preformatted,
    ReportPage,
    TextTable,
)
from offline.report.plots import new_figure

HOUSE = Path(__file__).resolve().parents[3]
HOSTILE = "<script>alert(1)</script>\" onload='x' {{ 7*7 }} \u202e\x00\udc80 $\\frac$ &amp;"
EMPTY = [Paragraph(""), Bullets([], "above"), PageLinks([]), TextTable(("a",), [])]


def picture() -> Figure:
    figure, axes = new_figure(2.0, 1.0)
    axes.set_title("$\\frac$ of no one")  # no formula, and no error
    return figure


def every_block(text: str) -> list[PageBlock]:
    return [
        Paragraph(text, before=text),
        Bullets([text], text),
        PageLinks([(text, text, text)]),
        TextTable((text, text, text, text), [(text, text, text, text)], text),
        Preformatted(text, text),
        Picture(b"png", text, text),
    ]


def page_of(text: str) -> ReportPage:
    return ReportPage(text, [None, *(PageSection(text, [block]) for block in every_block(text))], text)


def shape(page: str) -> list[tuple[str, ...]]:
    """Every element, and the names of its attributes."""
    found: list[tuple[str, ...]] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: found.append((tag, *(name for name, _ in attrs)))  # type: ignore[method-assign]
    parser.feed(page)
    return found


@given(st.text())
@example(HOSTILE)
def test_whatever_a_name_holds_the_page_has_the_same_elements(text: str) -> None:
    text = f"x{text}"
    page = page_of(text).html()
    assert shape(page) == shape(page_of("x").html())
    page.encode("utf-8")
    assert printable(page, None, lines=True) == page


def test_nothing_is_fetched_and_every_page_is_for_research_only() -> None:
    page = page_of("a").html()
    assert RESEARCH in ReportPage("", []).html()
    assert "default-src 'none'" in page
    assert all(
        address.startswith(("data:", "#", "./")) for address in re.findall(r'(?:src|href)="([^"]*)', page)
    )
    assert not re.search(r"url\(|@import|<script|<iframe|https?:", page)


def test_what_is_empty_is_not_shown() -> None:
    shown = ReportPage("t", [PageSection("s", EMPTY)]).html()
    assert shape(shown) == shape(ReportPage("t", [PageSection("s", [])]).html())


def test_the_same_page_is_the_same_bytes_and_this_users_only(tmp_path: Path) -> None:
    page = ReportPage("t", [PageSection("s", [Picture.of(picture(), "alt")])])
    first = page.write(tmp_path / "a.html")
    assert first.read_bytes() == page.write(tmp_path / "b.html").read_bytes()
    assert first.stat().st_mode & 0o077 == 0
    assert Picture.of(picture(), "").width == 192


def test_a_cell_breaks_no_table() -> None:
    said = TextTable(("site", "people"), [("A|B\nC", "3"), ("D", "4")]).markdown()
    assert said.splitlines() == ["| site | people |", "| --- | --- |", "| A\\|B C | 3 |", "| D | 4 |"]


@pytest.mark.parametrize("path", sorted((HOUSE / "offline/report/templates").iterdir()), ids=lambda p: p.name)
def test_the_wheel_holds_every_template(path: Path) -> None:
    reported = tomllib.loads((HOUSE / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    name = path.relative_to(HOUSE / "offline").as_posix()
    assert any(fnmatch(name, pattern) for pattern in reported["offline"])
