"""What a page is made of, and the page as one HTML file that needs nothing but itself.

Sections hold texts, lists, links, tables and pictures. Whatever stands in them is text: the template
escapes it. Every page says that it is for research only.
"""

import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.figure import Figure

from models.files.private import write_private
from models.outside import printable
from offline.report.plots import as_plain_text

RESEARCH = (
    "Research use only. Nothing here is a diagnosis or may be used for one; the figures describe these "
    "recordings and this protocol."
)
DPI = 144
Row = Sequence[str]
_INTERVAL = re.compile(r"(\d) to (?=[-+]?\d)")
"""Its ends stay on one line."""


class PageBlock:
    """What stands in a section; its kind says how the template shows it."""

    kind: ClassVar[str]


@dataclass(frozen=True)
class Paragraph(PageBlock):
    """A text, as a note in a paler colour, and bold words before it."""

    kind: ClassVar = "paragraph"
    text: str
    note: bool = False
    before: str = ""


@dataclass(frozen=True)
class Bullets(PageBlock):
    """A list, and what stands above it; nothing where there are no items."""

    kind: ClassVar = "bullets"
    items: Row
    above: str = ""


@dataclass(frozen=True)
class PageLinks(PageBlock):
    """Links within the folder of the page: path, text, and what stands behind it."""

    kind: ClassVar = "links"
    items: Sequence[tuple[str, str, str]]


@dataclass(frozen=True)
class TextTable(PageBlock):
    """A table of texts, the first cell of a row being its name; nothing where there are no rows."""

    kind: ClassVar = "table"
    head: Row
    rows: Sequence[Row]
    caption: str = ""

    def markdown(self) -> str:
        """As Markdown, whatever stands in its cells."""
        whole = [self.head, ["---"] * len(self.head), *self.rows]
        cells = [[" ".join(cell.split()).replace("|", "\\|") for cell in row] for row in whole]
        return "\n".join(f"| {' | '.join(row)} |" for row in cells)


@dataclass(frozen=True)
class Preformatted(PageBlock):
    """A text whose lines stay as they are, folded away under its title."""

    kind: ClassVar = "preformatted"
    title: str
    text: str


@dataclass(frozen=True)
class Picture(PageBlock):
    """A PNG image within the page, and its caption."""

    kind: ClassVar = "picture"
    png: bytes
    alt: str
    caption: str = ""

    @classmethod
    def of(cls, figure: Figure, alt: str, caption: str = "") -> "Picture":
        """Draw a figure."""
        file = BytesIO()
        as_plain_text(figure).savefig(file, format="png", dpi=DPI)
        return cls(file.getvalue(), alt, caption)

    @property
    def source(self) -> str:
        """The image as the address of itself."""
        return f"data:image/png;base64,{b64encode(self.png).decode('ascii')}"

    @property
    def width(self) -> int:
        """Pixels of a screen that it takes."""
        return int.from_bytes(self.png[16:20], "big") * 96 // DPI


@dataclass(frozen=True)
class PageSection:
    """A title and what stands under it."""

    title: str
    blocks: Sequence[PageBlock]


@dataclass(frozen=True)
class ReportPage:
    """A page: its title (in the browser's tab too), its sections in order (None is left out), a subtitle.

    A ``wide`` one takes the whole window, for a table of many columns.
    """

    title: str
    sections: Sequence[PageSection | None]
    subtitle: str = ""
    wide: bool = False

    def html(self) -> str:
        """The whole file."""
        own = [section for section in self.sections if section is not None]
        return _templates().get_template("page.html").render(page=self, sections=own, research=RESEARCH)

    def write(self, path: Path) -> Path:
        """Write the file, for this user only."""
        write_private(path, self.html())
        return path


@cache
def _templates() -> Environment:
    made = Environment(
        loader=PackageLoader("offline.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    made.filters["address"] = lambda path: f"./{quote(path, errors='replace')}"
    made.filters["unbroken"] = lambda cell: _INTERVAL.sub("\\1\u00a0to\u00a0", cell)
    return made


def _shown(value: Any) -> Any:
    """Names from files may hold what is no character, or turns the direction of a text."""
    return value if isinstance(value, Markup) else printable(str(value), None, lines=True)
